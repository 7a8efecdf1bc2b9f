"""How Apache reads `Accept` and its kin: what counts as an item, a quality, a parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.mappers.mod_negotiation.accept import (
    Entry,
    parse_entries,
    parse_entry,
    parse_languages,
    parse_quality,
    single,
    take_token,
)


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [
        ("", 1000),
        ("1", 1000),
        ("0", 0),
        ("0.5", 500),
        (".5", 500),
        ("0.123", 123),
        ("0.1239", 123),
        ("0.", 0),
        (".", 0),
        ("1.5", 1000),
        ("2", 1000),
        ("foo", 1000),
        (" 0.5", 500),
        (" ", 1000),
        ("0abc", 0),
        ("0.x", 0),
        ("-1", 1000),
        ("00.5", 0),
        ("0.\u0665", 0),
    ],
)
def test_quality(text: str, thousandths: int) -> None:
    assert parse_quality(text) == single(thousandths / 1000)


@pytest.mark.parametrize(
    ("field", "entries"),
    [
        ("", []),
        ("a", [Entry("a")]),
        ("A,b", [Entry("a"), Entry("b")]),
        ("a b", [Entry("a"), Entry("b")]),
        ("a;q=0.5, b", [Entry("a", 0.5), Entry("b")]),
        ("a ; q = 0.5 ,b", [Entry("a", 0.5), Entry("b")]),
        ("a;qs=0.5", [Entry("a", 0.5)]),
        ('a;q="0.5"', [Entry("a", 0.5)]),
        ("a;Q=0.5", [Entry("a", 0.5)]),
        ("a;q", [Entry("a")]),
        ("a;level=3;charset=UTF-8", [Entry("a", 1.0, 3.0, "utf-8")]),
        ("text/html", [Entry("text/html", 1.0, 2.0)]),
        ("text/html;level=1", [Entry("text/html", 1.0, 1.0)]),
        ("text/html;level=x", [Entry("text/html", 1.0, 0.0)]),
        ('a;x="b,c";q=0.5', [Entry("a", 0.5)]),
        (",", [Entry("")]),
        (",,a", [Entry(""), Entry(""), Entry("a")]),
    ],
)
def test_entries(field: str, entries: list[Entry]) -> None:
    assert parse_entries(field) == entries


def test_no_field_is_not_an_empty_field() -> None:
    assert parse_entries(None) is None
    assert parse_entries("") == []


def test_a_token_ends_at_separators_outside_quotes() -> None:
    assert take_token('  a"b;c"d;e', 0) == ('a"b;c"d', 9)
    assert take_token("a b;", 0, with_spaces=True) == ("a b", 3)
    assert take_token('"open', 0) == ('"open', 5)


def test_languages_of_a_type_map() -> None:
    assert parse_languages("En, FR-ca;de\n") == ("en", "fr-ca", "de")


def test_no_break_space_is_no_white_space() -> None:
    assert parse_entries("a\xa0b\x85c") == [Entry("a\xa0b\x85c")]


@given(st.text(alphabet='ab \t;,="q01.', max_size=60))
def test_reading_always_goes_on(field: str) -> None:
    at = 0
    while at < len(field):
        _, following = parse_entry(field, at)
        assert following > at
        at = following
