"""Index files, the trailing slash and the fallback (answers of Apache 2.4.71)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.config import ConfigError

Serve = Callable[..., Any]
MODULES = ("authz_core", "dir", "alias")
CONFIG = """
Redirect /old /new
<Directory "{root}/htdocs/f">
    DirectoryIndex a.html b.html /fb.html
</Directory>
<Directory "{root}/htdocs/r">
    DirectoryIndex b.html
    DirectoryIndexRedirect seeother
</Directory>
<Directory "{root}/htdocs/bare">
    DirectorySlash Off
</Directory>
<Directory "{root}/htdocs/off">
    DirectoryIndex disabled
</Directory>
<Directory "{root}/htdocs/fall">
    FallbackResource /fb.html
</Directory>
<Directory "{root}/htdocs/denied">
    <Files index.html>
        Require all denied
    </Files>
</Directory>
<Location /to-nothing>
    FallbackResource /nonexistent
</Location>
<Location /to-redirect>
    FallbackResource /old
</Location>
<Location /to-folder>
    FallbackResource /d/
</Location>
"""
FILES = {
    "htdocs/d/index.html": "d",
    "htdocs/f/b.html": "fb",
    "htdocs/r/b.html": "rb",
    "htdocs/bare/index.html": "bare",
    "htdocs/off/index.html": "off",
    "htdocs/fall/file": "file",
    "htdocs/denied/index.html": "no",
    "htdocs/folder/index.html/x": "x",
    "htdocs/u \u00fc/index.html": "u",
    "htdocs/fb.html": "fallback",
}


@pytest.fixture
def site(serve: Serve) -> Any:
    return serve(CONFIG, FILES, MODULES)


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("/d/", "d/index.html"),
        ("/d/?x=1", "d/index.html"),
        ("/f/", "f/b.html"),
        ("/bare/", "bare/index.html"),
        ("/fall/", "fb.html"),
        ("/fall/none", "fb.html"),
        ("/fall/none/more?x=1", "fb.html"),
        ("/fall/file", "fall/file"),
        ("/to-folder/x", "d/index.html"),
    ],
)
def test_what_is_served_in_place(site: Any, target: str, file: str) -> None:
    answer = site.ask(target)
    assert answer.status == 200
    assert answer.request.filename == f"{site.root}/htdocs/{file}"


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/d", 301, "/d/"),
        ("/d?x=1", 301, "/d/?x=1"),
        ("/u%20%c3%bc", 301, "/u%20%c3%bc/"),
        ("/r/?x", 303, "/r/b.html"),
        ("/folder/", 301, "/folder/index.html/"),
        ("/to-redirect/a?x=1", 302, "/new?x=1"),
    ],
)
def test_what_is_redirected(site: Any, target: str, status: int, location: str) -> None:
    answer = site.ask(target)
    assert (answer.status, answer.get("Location")) == (status, f"http://localhost{location}")


@pytest.mark.parametrize(("target", "status"), [("/denied/", 403), ("/off/", 404), ("/to-nothing/a", 404), ("/fall/file/x", 404)])
def test_what_is_not_served(site: Any, target: str, status: int) -> None:
    assert site.ask(target).status == status


def test_a_folder_without_index_notes_what_was_looked_for(serve: Serve) -> None:
    site = serve("DirectoryIndex one two", {"htdocs/e/x": "x"}, MODULES)
    assert site.ask("/e/").request.notes["dir-index-names"] == "one,two"


def test_clients_that_stumble_over_redirects_are_spared(serve: Serve) -> None:
    site = serve("SetEnvIf X-Dav . redirect-carefully", {"htdocs/d/index.html": "d"}, (*MODULES, "setenvif"))
    assert site.ask("/d", {"X-Dav": "1"}, method="PUT").get("Location") is None
    assert site.ask("/d", {"X-Dav": "1"}).get("Location") is not None


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("DirectoryIndex a\nDirectoryIndex b c", "a,b,c"),
        ("DirectoryIndex a\nDirectoryIndex disabled\nDirectoryIndex b", "b"),
        ("DirectoryIndex disabled a", "disabled,a"),
        ("DirectoryIndex a disabled", "a,disabled"),
        ('DirectoryIndex "a b"', "a b"),
    ],
)
def test_names_add_up_within_a_section(serve: Serve, lines: str, names: str) -> None:
    site = serve(f'<Directory "{{root}}/htdocs">\n{lines}\n</Directory>', {"htdocs/x": ""}, MODULES)
    assert site.ask("/").request.notes["dir-index-names"] == names


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("DirectoryIndexRedirect 200", "DirectoryIndexRedirect only accepts values between 300 and 399"),
        ("DirectoryIndexRedirect 3xx", "DirectoryIndexRedirect only accepts values between 300 and 399"),
        ("DirectoryIndexRedirect 999999999999", "DirectoryIndexRedirect only accepts values between 300 and 399"),
        ("DirectoryIndexRedirect foo", "DirectoryIndexRedirect ON|OFF|permanent|temp|seeother|3xx"),
        ("FallbackResource a b", "FallbackResource takes one argument, Set a default handler"),
    ],
)
def test_refused(serve: Serve, line: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(line, modules=MODULES)
    assert str(caught.value).endswith(sentence)
