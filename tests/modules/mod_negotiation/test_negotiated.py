"""MultiViews and type maps through the pipeline: headers, refusals, and what is read on the way (answers of Apache 2.4.71)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.config import ConfigError

Serve = Callable[..., Any]
MODULES = ("authz_core", "mime", "negotiation", "dir", "setenvif")
CONFIG = """
TypesConfig "{root}/mime.types"
<Directory "{root}/htdocs">
    Options +MultiViews
    AddLanguage en en
    AddLanguage fr fr
    AddEncoding x-gzip gz
    AddHandler type-map var
    LanguagePriority en fr
</Directory>
"""
FILES = {
    "mime.types": "text/html html\ntext/plain txt\n",
    "htdocs/a.html.en": "en",
    "htdocs/a.html.fr": "fran",
    "htdocs/a.html.zz": "not an extension that says anything",
    "htdocs/only.txt.gz": "gz",
    "htdocs/dir.html/x": "a folder is no variant",
    "htdocs/n.foo": "nothing known",
    "htdocs/m.var": "URI: a.html.en\nContent-Type: text/html\nContent-Language: en\n\n"
    "URI: a.html.fr\nContent-Type: text/html\nContent-Language: fr\n",
    "htdocs/away.var": "URI: /a.html.en\nContent-Type: text/html\n",
    "htdocs/loop.var": "URI: m.var\nContent-Type: text/html\n",
    "htdocs/dead.var": "URI: none.html\nContent-Type: text/html\n",
    "htdocs/body.var": "Content-Language: en\nContent-Type: text/html;charset=utf-8\nBody:END\n<p>\nEND\n",
}


@pytest.fixture
def site(serve: Serve) -> Any:
    served = serve(CONFIG, FILES, MODULES)
    served.pipeline.hooks.run(phases.post_config, served.pipeline.startup)
    return served


def test_a_name_without_extensions_becomes_the_best_variant(site: Any) -> None:
    answer = site.ask("/a", {"Accept-Language": "fr"})
    assert answer.status == 200
    assert answer.get("Content-Location") == "a.html.fr"
    assert answer.get("Content-Language") == "fr"
    assert answer.get("Vary") == "negotiate,accept-language"
    assert answer.get("TCN") == "choice"
    assert answer.get("Alternates") is None


def test_what_nobody_accepts_is_listed(site: Any) -> None:
    answer = site.ask("/a", {"Accept": "image/gif"})
    assert answer.status == 406
    assert answer.get("TCN") == "list"
    assert answer.get("Alternates") == (
        '{"a.html.en" 1 {type text/html} {language en} {length 2}}, {"a.html.fr" 1 {type text/html} {language fr} {length 4}}'
    )
    assert answer.ids == ["AH00690"]


def test_a_client_that_negotiates_itself_gets_the_list(site: Any) -> None:
    answer = site.ask("/a", {"Negotiate": "trans"})
    assert answer.status == 300
    notes = answer.request.notes["variant-list"]
    assert notes == (
        "Available variants:\n<ul>\n"
        '<li><a href="a.html.en">a.html.en</a> , type text/html, language en</li>\n'
        '<li><a href="a.html.fr">a.html.fr</a> , type text/html, language fr</li>\n</ul>\n'
    )


def test_anything_but_a_plain_get_is_not_transparent(site: Any) -> None:
    answer = site.ask("/a", method="POST")
    assert answer.get("TCN") is None
    assert answer.get("Content-Location") is None
    assert answer.get("Vary") == "accept-language"


def test_extensions_that_say_nothing_have_to_be_asked_for(site: Any) -> None:
    assert site.ask("/a.html.zz").get("Content-Location") is None
    answer = site.ask("/n")
    assert answer.status == 404
    assert answer.ids == ["AH00687"]


def test_a_folder_is_no_variant(site: Any) -> None:
    answer = site.ask("/dir")
    assert answer.status == 404
    assert "AH00687" not in answer.ids


@pytest.mark.parametrize(
    ("accepted", "spelled"), [("gzip", "gzip"), ("x-gzip", "x-gzip"), ("*", "x-gzip"), ("x-gzip, gzip", "gzip")]
)
def test_the_coding_is_spelled_as_the_client_does(site: Any, accepted: str, spelled: str) -> None:
    answer = site.ask("/only", {"Accept-Encoding": accepted})
    assert answer.get("Content-Encoding") == spelled


def test_a_type_map_leads_to_its_variant(site: Any) -> None:
    answer = site.ask("/m.var", {"Accept-Language": "fr"})
    assert answer.status == 200
    assert answer.get("Content-Location") == "a.html.fr"
    assert answer.get("TCN") == "choice"
    assert answer.get("Vary") == "negotiate,accept-language"


@pytest.mark.parametrize(("target", "status"), [("/loop.var", 506), ("/dead.var", 404), ("/away.var", 200)])
def test_where_a_type_map_may_lead(site: Any, target: str, status: int) -> None:
    assert site.ask(target).status == status


def test_a_variant_elsewhere_is_not_transparent(site: Any) -> None:
    assert site.ask("/away.var").get("TCN") is None


def test_an_inline_body(site: Any) -> None:
    answer = site.ask("/body.var")
    assert answer.status == 200
    assert answer.get("Content-Type") == "text/html; charset=utf-8"
    assert answer.get("Content-Language") == "en"
    assert answer.get("Content-Length") == "4"
    assert site.ask("/body.var", method="OPTIONS").status == 405


def test_the_accept_fields_are_part_of_what_was_read(site: Any) -> None:
    record = site.ask("/a").request.record
    assert {"accept", "accept-language", "accept-charset", "accept-encoding", "negotiate"} <= record.headers
    assert record.volatile is None or "moment" in record.volatile
    assert any(path.endswith("/htdocs") for path, _ in record.files)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ForceLanguagePriority None Prefer", "Cannot combine ForceLanguagePriority options None and Prefer"),
        ("ForceLanguagePriority Prefer None", "Cannot combine ForceLanguagePriority options with None"),
        ("ForceLanguagePriority Fallback None", "Cannot combine ForceLanguagePriority options with None"),
        ("ForceLanguagePriority Foo", "Invalid ForceLanguagePriority option Foo"),
        ("LanguagePriority", "LanguagePriority requires at least one argument, space-delimited list of MIME language"),
    ],
)
def test_refused(serve: Serve, line: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        serve(line, modules=MODULES)
