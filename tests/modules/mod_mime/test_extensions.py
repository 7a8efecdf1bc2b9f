"""What file names mean: the walk over extensions and the folding of sections (answers of Apache 2.4.71)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.directives import Location
from coachwhip.modules.http.mod_mime.extensions import (
    Extension,
    Meaning,
    MultiMatch,
    cut,
    fold_extensions,
    meaning_of,
    with_field,
)

TYPES = {"html": "text/html", "txt": "text/plain", "t": "application/x-troff"}
EXTENSIONS = {
    "gz": Extension(encoding="x-gzip"),
    "z": Extension(encoding="x-compress"),
    "en": Extension(language="en"),
    "fr": Extension(language="fr"),
    "u8": Extension(charset="utf-8"),
    "l1": Extension(charset="iso-8859-1"),
    "cgi": Extension(handler="cgi-script"),
    "shtml": Extension(type="text/html", output_filters="includes;;deflate"),
    "in": Extension(input_filters="a"),
    "bare": Extension(type=""),
}


def meaning(name: str, match: MultiMatch = MultiMatch.NEGOTIATED_ONLY) -> Meaning:
    return meaning_of(cut(name)[1], EXTENSIONS, {**TYPES, "bare": "text/x"}, match)


@pytest.mark.parametrize(
    ("name", "kind", "languages", "encodings"),
    [
        ("a.html", "text/html", [], []),
        ("a.HTML", "text/html", [], []),
        ("a.html.fr.en", "text/html", ["fr", "en"], []),
        ("a.txt.gz.Z", "text/plain", [], ["x-gzip", "x-compress"]),
        ("a.txt.html", "text/html", [], []),
        ("a..html", "text/html", [], []),
        ("a.html.", "text/html", [], []),
        (".html", None, [], []),
        ("..html", None, [], []),
        ("html", None, [], []),
        ("a.html.unknown", "text/html", [], []),
        ("a.bare", None, [], []),
        ("", None, [], []),
    ],
)
def test_type_language_and_coding(name: str, kind: str | None, languages: list[str], encodings: list[str]) -> None:
    found = meaning(name)
    assert (found.type, found.languages, found.encodings) == (kind, languages, encodings)


def test_the_last_charset_counts() -> None:
    assert meaning("a.html.u8.l1").charset == "iso-8859-1"


def test_filters_add_up() -> None:
    found = meaning("a.shtml.in")
    assert (found.output_filters, found.input_filters) == (["includes", "deflate"], ["a"])


@pytest.mark.parametrize(
    ("name", "match", "unknown"),
    [
        ("a.html", MultiMatch.NEGOTIATED_ONLY, ("a",)),
        ("a.Foo.html.bar", MultiMatch.NEGOTIATED_ONLY, ("a", "Foo", "bar")),
        ("a.foo", MultiMatch.NEGOTIATED_ONLY, None),
        ("a.foo", MultiMatch.ANY, ("a",)),
        ("a.cgi", MultiMatch.NEGOTIATED_ONLY, None),
        ("a.cgi", MultiMatch.HANDLERS, ("a",)),
        ("a.in", MultiMatch.HANDLERS, None),
        ("a.in", MultiMatch.FILTERS, ("a",)),
        ("a.bare", MultiMatch.NEGOTIATED_ONLY, None),
        (".b.html", MultiMatch.NEGOTIATED_ONLY, (".b",)),
    ],
)
def test_what_multiviews_has_to_ask_for(name: str, match: MultiMatch, unknown: tuple[str, ...] | None) -> None:
    left = meaning(name, match).unknown
    assert (None if left is None else (cut(name)[0], *left)) == unknown


def test_an_inner_section_says_more_or_takes_back() -> None:
    outer = {"a": Extension(type="t/a", language="en"), "b": Extension(type="t/b")}
    inner = {"a": Extension(type=""), "c": Extension(handler="h")}
    assert fold_extensions(outer, inner) == {"a": Extension(type="", language="en"), "b": outer["b"], "c": inner["c"]}


def test_the_line_that_counts_is_known_for_each_field() -> None:
    first, second, third = (Location("a.conf", line) for line in (1, 2, 3))
    said = with_field(with_field(None, "type", "t/a", first), "language", "en", first)
    assert fold_extensions({"a": said}, {"a": with_field(None, "type", "", third)})["a"].lines == {"type": third, "language": first}
    assert with_field(said, "type", "t/b", second).lines == {"type": second, "language": first}
    assert said.lines == {"type": first, "language": first}


Sections = dict[str, Extension]
SAID = st.dictionaries(
    st.sampled_from("abc"), st.builds(Extension, type=st.sampled_from([None, "", "t"]), language=st.sampled_from([None, "", "l"]))
)


@given(SAID, SAID, SAID)
def test_folding_is_associative(a: Sections, b: Sections, c: Sections) -> None:
    assert fold_extensions(fold_extensions(a, b), c) == fold_extensions(a, fold_extensions(b, c))
    assert fold_extensions({}, a) == a
