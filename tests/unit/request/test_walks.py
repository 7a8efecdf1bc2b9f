"""Which sections apply, in what order, and what the walk to a file finds on its way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.request import reach

MakeWorld = Callable[..., Any]
MODULES = ("authz_core", "mime")


def kind(name: str) -> str:
    return f"ForceType text/x-{name}"


@pytest.mark.parametrize(
    ("config", "target", "expected"),
    [
        (f'<Directory "{{root}}/htdocs">\n{kind("a")}\n</Directory>', "/d/f", "a"),
        (f'<Directory "{{root}}/htdocs/d">\n{kind("a")}\n</Directory>', "/f", None),
        (f'<Directory "{{root}}/htdocs/d*">\n{kind("a")}\n</Directory>', "/d/f", "a"),
        (f'<Directory "{{root}}/*">\n{kind("a")}\n</Directory>', "/d/f", "a"),
        # The deeper folder wins wherever it stands; a pattern comes after all plain paths.
        (
            f'<Directory "{{root}}/htdocs/d">\n{kind("deep")}\n</Directory>\n<Directory "{{root}}/htdocs">\n{kind("flat")}\n</Directory>',
            "/d/f",
            "deep",
        ),
        (
            f'<DirectoryMatch "/d/$">\n{kind("re")}\n</DirectoryMatch>\n<Directory "{{root}}/htdocs/d">\n{kind("a")}\n</Directory>',
            "/d/",
            "re",
        ),
        # Directory < Files < Location < If.
        (f"<Location /d>\n{kind('l')}\n</Location>\n<Files f>\n{kind('f')}\n</Files>", "/d/f", "l"),
        (f"<If true>\n{kind('if')}\n</If>\n<Location /d>\n{kind('l')}\n</Location>", "/d/f", "if"),
        (f"<If false>\n{kind('if')}\n</If>\n<ElseIf true>\n{kind('elseif')}\n</ElseIf>\n<Else>\n{kind('else')}\n</Else>", "/f", "elseif"),
        (f"<If false>\n{kind('if')}\n</If>\n<Else>\n{kind('else')}\n</Else>", "/f", "else"),
        (f"<If true>\n<If true>\n{kind('inner')}\n</If>\n</If>", "/f", "inner"),
        # Locations in the order of the file, with whole segments.
        (f"<Location /d>\n{kind('one')}\n</Location>\n<Location />\n{kind('two')}\n</Location>", "/d/f", "two"),
        (f"<Location /d>\n{kind('l')}\n</Location>", "/dd", None),
        (f"<Location /d/>\n{kind('l')}\n</Location>", "/d/f", "l"),
        (f"<LocationMatch ^/(?<what>d)/>\n{kind('m')}\n</LocationMatch>", "/d/f", "m"),
        (f"<Files ?>\n{kind('f')}\n</Files>", "/d/f", "f"),
        (f"<FilesMatch ^g$>\n{kind('f')}\n</FilesMatch>", "/d/f", None),
    ],
)
def test_sections(world: MakeWorld, config: str, target: str, expected: str | None) -> None:
    answer = world(config, {"htdocs/d/f": "x", "htdocs/f": "x", "htdocs/dd": "x"}, MODULES).ask(target)
    assert answer.r.core.force_type == (f"text/x-{expected}" if expected else None)


def test_named_groups_become_variables(world: MakeWorld) -> None:
    r = world("<LocationMatch ^/(?<What>[a-z]+)/(?<none>x)?>\n</LocationMatch>", {"htdocs/d/f": "x"}).ask("/d/f").r
    assert r.env["MATCH_WHAT"] == "d"
    assert "MATCH_NONE" not in r.env


@pytest.mark.parametrize(
    ("target", "filename", "path_info", "status"),
    [
        ("/d/f", "/d/f", "", 200),
        ("/d/f/more/x", "/d/f", "/more/x", 404),
        ("/d/f/", "/d/f", "/", 404),
        ("/d/none/more", "/d/none", "/more", 404),
        ("/d", "/d", "", 404),
        ("/d/", "/d/", "", 404),
        ("/none", "/none", "", 404),
    ],
)
def test_where_the_file_ends_and_path_info_begins(world: MakeWorld, target: str, filename: str, path_info: str, status: int) -> None:
    w = world("", {"htdocs/d/f": "x"})
    answer = w.ask(target)
    assert (answer.r.filename, answer.r.path_info, answer.status) == (f"{w.root}/htdocs{filename}", path_info, status)


def test_accept_path_info(world: MakeWorld) -> None:
    w = world("<Location /on>\nAcceptPathInfo On\n</Location>", {"htdocs/on": "x", "htdocs/off": "x"})
    assert [w.ask(t).status for t in ("/on/more", "/off/more")] == [200, 404]


LINKS = {"htdocs/f": "x", "htdocs/to-f": "-> f", "htdocs/d/f": "x", "htdocs/to-d": "-> d", "htdocs/nowhere": "-> missing"}


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ("FollowSymLinks", [200, 200, 403]),
        ("SymLinksIfOwnerMatch", [200, 200, 403]),
        ("None", [403, 403, 403]),
    ],
)
def test_links(world: MakeWorld, options: str, statuses: list[int]) -> None:
    w = world(f'<Directory "{{root}}/htdocs">\nOptions {options}\n</Directory>', LINKS)
    assert [w.ask(t).status for t in ("/to-f", "/to-d/f", "/nowhere")] == statuses


def test_a_link_of_another_owner(world: MakeWorld) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    w = world('<Directory "{root}/htdocs">\nOptions SymLinksIfOwnerMatch\n</Directory>', {"htdocs/f": "x", "htdocs/l": "-> f"})
    os.chown(w.root / "htdocs/l", 12345, -1, follow_symlinks=False)
    answer = w.ask("/l")
    assert (answer.status, answer.log) == (403, ["core:3 AH00037"])


def test_links_are_judged_by_the_folder_that_they_are_in(world: MakeWorld) -> None:
    w = world(
        '<Directory "{root}/htdocs">\nOptions None\n</Directory>\n<Directory "{root}/htdocs/d">\nOptions FollowSymLinks\n</Directory>',
        {"htdocs/f": "x", "htdocs/d/to-f": "-> ../f", "htdocs/to-d": "-> d", "htdocs/d/nowhere": "-> missing"},
    )
    assert [w.ask(t).status for t in ("/d/to-f", "/to-d/to-f", "/d/nowhere", "/d/none")] == [200, 403, 403, 404]


@pytest.mark.parametrize("options", ["FollowSymLinks", "None", "SymLinksIfOwnerMatch"])
def test_without_descriptors_a_file_is_not_available_for_now(
    world: MakeWorld, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = world(f'<Directory "{{root}}/htdocs">\nOptions {options}\nAllowOverride All\n</Directory>', {"htdocs/f": "x"})

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(reach, "_without_links", lambda path, flags: None)
    assert w.ask("/f").status == 503


def test_a_pipe_is_never_opened(world: MakeWorld) -> None:
    w = world()
    os.mkfifo(w.root / "htdocs/pipe")
    answer = w.ask("/pipe")
    assert (answer.status, answer.log) == (403, ["core:3 AH00038"])


def test_a_name_too_long_for_the_file_system(world: MakeWorld) -> None:
    assert world().ask("/" + "a" * 300).status == 403


def test_a_whole_path_costs_one_look_beside_htaccess_files(world: MakeWorld) -> None:
    w = world("<Directory />\nAllowOverride None\n</Directory>", {"htdocs/a/b/c/f": "x"})
    stats = [path for path, look in w.ask("/a/b/c/f").record.files if look.value == "stat"]
    assert stats == [f"{w.root}/htdocs/a/b/c/f"]


def test_what_a_listing_found_in_a_folder_holds_for_no_other_request(world: MakeWorld) -> None:
    config = '<Directory "{root}/htdocs">\nOptions Indexes FollowSymLinks\nAllowOverride All\n</Directory>'
    w = world(config, {"htdocs/d/.htaccess": "Require all granted\n", "htdocs/d/f": "x"}, ("authz_core", "mime", "autoindex"))
    assert (w.ask("/d/").status, w.ask("/d/f").status) == (200, 200)
    (w.root / "htdocs/d/.htaccess").write_text("Require all denied\n")
    assert (w.ask("/d/").status, w.ask("/d/f").status) == (403, 403)
    (w.root / "htdocs/d/.htaccess").unlink()
    assert (w.ask("/d/").status, w.ask("/d/f").status) == (200, 200)
@pytest.mark.parametrize("target", ["/d/b", "/d/", "/d/b.en"])
def test_a_folder_entered_for_a_sub_request_is_entered_anew_by_the_next_request(world: MakeWorld, target: str) -> None:
    config = "<Directory />\nAllowOverride All\nOptions FollowSymLinks MultiViews Indexes\n</Directory>\nAddLanguage en .en\n"
    w = world(config, {"htdocs/d/b.en": "x", "htdocs/d/.htaccess": kind("a")}, (*MODULES, "dir", "negotiation", "autoindex"))
    assert w.ask(target).status == 200
    (w.root / "htdocs/d/.htaccess").write_text("Require all denied\n")
    assert [w.ask(again).status for again in ("/d/b", "/d/", "/d/b.en")] == [403, 403, 403]
