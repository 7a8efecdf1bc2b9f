"""The file layer of a world tells what it opened, however it was asked for."""

import pytest
from fuzz.world import World, lay_out, loads, opened_files

CONFIG = "DocumentRoot {root}/htdocs\n<Directory {root}/htdocs>\nAllowOverride All\nOptions Indexes FollowSymLinks\n</Directory>\n"


@pytest.mark.parametrize("options", ["", "<Directory {root}/htdocs>\nOptions Indexes SymLinksIfOwnerMatch\n</Directory>\n"])
def test_files_links_and_folders_are_told_by_the_names_that_the_system_has_for_them(tmp_path, options):
    files = {"htdocs/a.txt": b"a\n", "htdocs/link": "{root}/beside.txt", "htdocs/d/.htaccess": b"Options +Indexes\n", "beside.txt": b"b\n"}
    lay_out(tmp_path, files)
    world = World(tmp_path, loads() + CONFIG + options)

    def opened(path):
        with opened_files() as found:
            assert world.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
        return [name.removeprefix(str(tmp_path)) for name in found]

    assert opened(b"/a.txt") == ["/htdocs/a.txt"]
    assert opened(b"/link") == ["/beside.txt"]
    assert set(opened(b"/d/")) == {"/htdocs/d/.htaccess", "/htdocs/d"}
    with opened_files() as found:
        pass
    assert found == []
