"""mod_mime through the configuration and the pipeline."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.config import ConfigError
from coachwhip.modules.http.mod_mime import parse_types

Serve = Callable[..., Any]
MODULES = ("authz_core", "mime")
TYPES = {"mime.types": "text/html html htm\n"}


def test_types_file() -> None:
    types = parse_types('# text/x no\ntext/a  .b C "d e"\r\n\ntext/f\ntext/g c\n')
    assert types == {".b": "text/a", "c": "text/g", "d e": "text/a"}


def test_types_are_not_read_without_the_file(serve: Serve) -> None:
    with pytest.raises(RuntimeError, match=r"AH01597: could not open mime types config file .*/none"):
        start(serve('TypesConfig "{root}/none"', modules=MODULES))


def start(served: Any) -> Any:
    """Run the part of a start in which files are read."""
    startup = served.pipeline.startup
    served.pipeline.hooks.run(phases.post_config, startup)
    if startup.errors:
        raise RuntimeError(startup.errors[-1])
    return served


def test_sections_add_and_take_back_in_order(serve: Serve) -> None:
    site = start(
        serve(
            'TypesConfig "{root}/mime.types"\nAddType text/ONE .one\nAddLanguage en .en\n'
            '<Directory "{root}/htdocs/a">\nRemoveType one html\n</Directory>\n'
            '<Directory "{root}/htdocs/b">\nRemoveType html\nAddType text/y html\n</Directory>\n'
            '<Directory "{root}/htdocs/c">\nAddType text/y html\nRemoveType html\n</Directory>\n',
            {**TYPES, **{f"htdocs/{d}x.{e}": "x" for d in ("", "a/", "b/", "c/") for e in ("one", "html.en")}},
            MODULES,
        )
    )
    expected = {
        "/x.one": "text/one",
        "/x.html.en": "text/html",
        "/a/x.one": None,
        "/a/x.html.en": None,
        "/b/x.html.en": "text/y",
        "/c/x.html.en": None,
    }
    assert {path: site.ask(path).get("Content-Type") for path in expected} == expected
    assert site.ask("/a/x.html.en").get("Content-Language") == "en"


def test_a_bad_type_goes_out_as_it_is_and_is_logged(serve: Serve) -> None:
    site = start(serve('TypesConfig "{root}/mime.types"\nAddType nosubtype x', {**TYPES, "htdocs/a.x": "x"}, MODULES))
    answer = site.ask("/a.x")
    assert (answer.get("Content-Type"), answer.ids) == ("nosubtype", ["AH01599"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("MultiviewsMatch Any Handlers", "Handlers is incompatible with Any and NegotiatedOnly"),
        ("MultiviewsMatch Handlers Any", "Any is incompatible with NegotiatedOnly, Filters and Handlers"),
        ("MultiviewsMatch NegotiatedOnly Any", "Any is incompatible with NegotiatedOnly, Filters and Handlers"),
        ("MultiviewsMatch Filters NegotiatedOnly", "NegotiatedOnly is incompatible with Any, Filters and Handlers"),
        ("MultiviewsMatch Handlers\nMultiviewsMatch Any", "Any is incompatible with NegotiatedOnly, Filters and Handlers"),
        ("MultiviewsMatch Foo", "Unrecognized option 'Foo'"),
        ("AddType x", "AddType requires at least two arguments, a mime type followed by one or more file extensions"),
        ("ModMimeUsePathInfo On", "ModMimeUsePathInfo not allowed here"),
    ],
)
def test_refused(serve: Serve, line: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        serve(line, modules=MODULES)


@pytest.mark.parametrize("words", ["any", "Handlers Filters", "NegotiatedOnly NegotiatedOnly", "Any Any", "Handlers Handlers"])
def test_multiviews_match_words_that_go_together(serve: Serve, words: str) -> None:
    serve(f"MultiviewsMatch {words}", modules=MODULES)
