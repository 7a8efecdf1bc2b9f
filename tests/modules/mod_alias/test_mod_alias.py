"""mod_alias through the configuration and the pipeline (answers of Apache 2.4.71)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.config import ConfigError

Serve = Callable[..., Any]
MODULES = ("authz_core", "alias")
CONFIG = r"""
Alias /al/ "{root}/alt/"
Alias /am "{root}/alt"
Alias /rel alt
AliasMatch "^/r/(.*)\.t$" "{root}/alt/./$1.txt"
ScriptAlias /cgi/ "{root}/alt/"
Redirect /old /new
Redirect permanent /perm http://other/p?q=1
Redirect 307 /t307/ /x/
Redirect gone /gone
Redirect 404 /nf
Redirect 999 /s999
RedirectMatch ^/m2/(.*)$ "/x y/$1?a=$1#f$1"
RedirectMatch ^/m3/(.*)$ $1
<Location /lx>
    Alias "{root}/alt/%{env:NOTHING}f.txt"
</Location>
<Location /lp>
    AliasPreservePath On
    Alias "{root}/alt"
</Location>
<Location /lr>
    Redirect 301 "http://q/%{REQUEST_URI}?%{QUERY_STRING}"
</Location>
<Location /lg>
    Redirect gone
</Location>
<Location /lrel>
    RedirectRelative On
    Redirect 301 /rel
</Location>
<Directory "{root}">
    AllowOverride All
    AcceptPathInfo On
</Directory>
"""
FILES = {
    "alt/f.txt": "f",
    "alt/sub/g.txt": "g",
    "htdocs/h/.htaccess": "RedirectMatch gone ^/h/g\nRedirect /h/a /hb\n",
    "htdocs/h/deep/.htaccess": "Redirect 303 /h/a/x /deeper\n",
    "htdocs/old/x": "never seen",
}


@pytest.fixture
def site(serve: Serve) -> Any:
    return serve(CONFIG, FILES, MODULES)


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("/al/f.txt", "f.txt"),
        ("/al//f.txt", "f.txt"),
        ("/am/sub/g.txt", "sub/g.txt"),
        ("/rel/f.txt", "f.txt"),
        ("/r/f.t", "f.txt"),
        ("/lx/anything", "f.txt"),
        ("/lp/sub/g.txt", "sub/g.txt"),
        ("/cgi/f.txt", "f.txt"),
    ],
)
def test_where_a_path_lies(site: Any, target: str, file: str) -> None:
    assert site.ask(target).request.filename == f"{site.root}/alt/{file}"


@pytest.mark.parametrize("target", ["/al", "/alx/f.txt", "/amx", "/AL/f.txt"])
def test_what_an_alias_does_not_cover(site: Any, target: str) -> None:
    answer = site.ask(target)
    assert answer.status == 404
    assert "/alt" not in answer.request.filename


def test_a_script_alias_names_the_handler(site: Any) -> None:
    r = site.ask("/cgi/f.txt").request
    assert r.notes["alias-forced-type"] == "cgi-script"


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/old", 302, "http://localhost/new"),
        ("/old/x?y=1", 302, "http://localhost/new/x?y=1"),
        ("/old/%20%3f%25;a=b", 302, "http://localhost/new/%20%3f%25;a=b"),
        ("/old/%0d%0aX:y", 302, "http://localhost/new/%0d%0aX:y"),
        ("/oldx", 404, None),
        ("/perm?z", 301, "http://other/p?q=1"),
        ("/t307/a", 307, "http://localhost/x/a"),
        ("/t307", 404, None),
        ("/gone/x", 410, None),
        ("/nf", 404, None),
        ("/s999", 500, None),
        ("/m2/v?z", 302, "http://localhost/x%20y/v?a=v#fv"),
        ("/lr/a%20b?x=1", 301, "http://q//lr/a%20b?x=1"),
        ("/lg/x", 410, None),
        ("/lrel/z?d", 301, "/rel?d"),
        ("/h/a/b", 302, "http://localhost/hb/b"),
        ("/h/gx", 410, None),
    ],
)
def test_redirects(site: Any, target: str, status: int, location: str | None) -> None:
    answer = site.ask(target)
    assert (answer.status, answer.get("Location")) == (status, location)


def test_a_target_that_is_no_url(site: Any) -> None:
    answer = site.ask("/m3/foo")
    assert (answer.status, answer.ids) == (500, ["AH00674"])


def test_an_inner_section_comes_first(serve: Serve) -> None:
    outer = '<Directory "{root}/htdocs">\nRedirect /a /outer\n</Directory>\n'
    inner = '<Directory "{root}/htdocs/a">\nRedirect /a /inner\n</Directory>'
    site = serve(outer + inner, {"htdocs/a/x": "x"}, MODULES)
    assert site.ask("/a/x").get("Location") == "http://localhost/inner/x"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("Alias /a /b\nAlias /a/c /d", "Alias"),
        ("AliasMatch ^/a /b\nAlias /a/c /d", "AliasMatch"),
        ("ScriptAlias /a /b\nAlias /a/c /d", "ScriptAlias"),
        ("ScriptAliasMatch ^/a /b\nAlias /a/c /d", "ScriptAliasMatch"),
    ],
)
def test_an_alias_that_an_earlier_one_hides_is_warned_about(serve: Serve, lines: str, kind: str) -> None:
    (warning,) = serve(lines, modules=MODULES).warnings
    assert warning.endswith(f"will probably never match because it overlaps an earlier {kind}.")


REFUSED = [
    ("Redirect /a", "URL to redirect to is missing"),
    ("Redirect 301 /a", "URL to redirect to is missing"),
    ("Redirect gone /a /b", "Redirect URL not valid for this status"),
    ("Redirect 0 /a /b", "Redirect URL not valid for this status"),
    ("Redirect 3a1 /a /b", "Redirect URL not valid for this status"),
    ("Redirect /a b", "Redirect to non-URL"),
    ("Redirect foo /a /b", "Redirect: invalid first argument (of three)"),
    ("RedirectTemp /a b", "Redirect to non-URL"),
    ("RedirectMatch 301 ( /b", "Regular expression could not be compiled."),
    ("RedirectMatch 301 ^/a", "URL to redirect to is missing"),
    ("AliasMatch ( /b", "Regular expression could not be compiled."),
    ("Alias /a", "Alias must have two arguments when used globally"),
    ("ScriptAlias /a", "Alias must have two arguments when used globally"),
    ("Alias /a /b /c", "Alias takes 1-2 arguments, a fakename and a realname, or a realname in a Location"),
    ("<Location /x>\nAlias /a /b\n</Location>", "Alias cannot occur within directory context"),
    ("<Directory /x>\nAlias /a\n</Directory>", "Alias cannot occur within <Directory> section"),
    ("<Files x>\nScriptAlias /a\n</Files>", "ScriptAlias cannot occur within <Files> section"),
    ('<If "true">\nAlias /a\n</If>', "Alias cannot occur within <If> section"),
    ('<Directory /x>\n<If "true">\nAlias /a\n</If>\n</Directory>', "Alias cannot occur within <Directory> section"),
    ("<Location /x>\nRedirect 301\n</Location>", "URL to redirect to is missing"),
    ("<Location /x>\nAliasMatch a b\n</Location>", "AliasMatch not allowed in <Location> context"),
]


@pytest.mark.parametrize(("lines", "sentence"), REFUSED, ids=[lines for lines, _ in REFUSED])
def test_refused(serve: Serve, lines: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(lines, modules=MODULES)
    assert str(caught.value).endswith(sentence)


def test_a_status_without_a_path_is_refused_where_apache_would_crash(serve: Serve) -> None:
    with pytest.raises(ConfigError):
        serve("Redirect gone", modules=MODULES)


@pytest.mark.parametrize(
    "lines",
    [
        "Redirect gone /a",
        "Redirect 99 /a",
        "Redirect SEEOTHER /a /b",
        "Redirect /a mailto:x",
        "RedirectPermanent gone /b",
        "<Location /x>\nRedirect gone\nRedirect 404 /x/y\nRedirect /only\nRedirectMatch 301 ^/a\n</Location>",
        '<If "true">\nRedirect http://x/%{REQUEST_URI}\n</If>',
    ],
)
def test_accepted(serve: Serve, lines: str) -> None:
    serve(lines, modules=MODULES)
