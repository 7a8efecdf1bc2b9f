"""A listing shows what the client could get: each name is judged by its own sections, whatever its neighbours were."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from coachwhip.testing import Site
from coachwhip.testing.site import Link

CONFIG = """
<Directory "{root}/htdocs">
    Options Indexes SymLinksIfOwnerMatch
    AllowOverride All
    IndexIgnore .ht*
    Require all granted
</Directory>
<DirectoryMatch "/d/by-match">
    Require all denied
</DirectoryMatch>
<Directory "{root}/htdocs/d/hidden">
    Require all denied
</Directory>
"""
RULES = """
<Files secret.txt>
    Require all denied
</Files>
<FilesMatch "\\.bak$">
    Require all denied
</FilesMatch>
<If "%{REQUEST_FILENAME} =~ m#/odd-[0-9]+\\.txt$#">
    Require all denied
</If>
AddType text/x-special .special
"""
FILES = {
    "htdocs/d/.htaccess": RULES,
    "htdocs/d/a.txt": "a",
    "htdocs/d/b.bak": "b",
    "htdocs/d/c.special": "c",
    "htdocs/d/odd-1.txt": "o",
    "htdocs/d/odd-x.txt": "o",
    "htdocs/d/secret.txt": "s",
    "htdocs/d/z.txt": "z",
    "htdocs/d/open/x.txt": "x",
    "htdocs/d/hidden/x.txt": "x",
    "htdocs/d/by-match/x.txt": "x",
    "htdocs/d/closed/.htaccess": "Require all denied\n",
    "htdocs/d/broken/.htaccess": "NoSuchDirective\n",
    "htdocs/d/link.txt": Link("a.txt"),
    "htdocs/d/nowhere.txt": Link("missing"),
}
SHOWN = ["a.txt", "c.special", "link.txt", "odd-x.txt", "open/", "z.txt"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config=CONFIG, files=FILES).start() as running:
        yield running


def names(site: Site, path: str) -> list[str]:
    answer = site.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.status == 200
    return re.findall(r'<li><a href="([^/"][^"]*)">', answer.body.decode())


def test_what_may_not_be_had_is_not_shown(site: Site) -> None:
    assert names(site, "/d/") == SHOWN


def test_a_change_of_one_name_shows_at_once(site: Site) -> None:
    for _ in range(3):
        names(site, "/d/open/")
    site.write("htdocs/d/open/.htaccess", "<Files x.txt>\nRequire all denied\n</Files>\n")
    assert names(site, "/d/open/") == []


def test_with_every_link_allowed(site: Site) -> None:
    """Nothing on the way has to be looked at then."""
    site.write("htdocs/d/.htaccess", "Options +FollowSymLinks\n" + RULES)
    assert names(site, "/d/") == SHOWN
