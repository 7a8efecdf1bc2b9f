"""The functions over all octets: what one undoes, the other did."""

from __future__ import annotations

from expr_world import FakeScope
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.expr.functions import FUNCTIONS, HEADER_FUNCTIONS

OCTETS = st.text(st.characters(min_codepoint=1, max_codepoint=0xFF))


def call(name: str, argument: str) -> str:
    return FUNCTIONS[name](FakeScope(), argument)


@given(OCTETS)
def test_base64_and_back(text: str) -> None:
    assert call("unbase64", call("base64", text)) == text
    assert call("unbase64", call("base64", text).replace("=", "")) == text


@given(OCTETS)
def test_escape_and_back(text: str) -> None:
    escaped = call("escape", text)
    assert escaped.isascii()
    assert call("unescape", escaped) == text


@given(OCTETS)
def test_only_ascii_letters_change_case(text: str) -> None:
    assert call("tolower", text) == text.encode("latin-1").lower().decode("latin-1")
    assert call("toupper", text) == text.encode("latin-1").upper().decode("latin-1")


@given(OCTETS)
def test_ldap_leaves_nothing_that_a_filter_understands(text: str) -> None:
    assert not set(call("ldap", text)) & set('*()",+;<>\x7f\x80\xff')


@given(OCTETS)
def test_any_function_gives_a_text_of_octets(text: str) -> None:
    for name in FUNCTIONS.keys() - {"file"}:
        call(name, text).encode("latin-1")


def test_no_name_is_taken_twice() -> None:
    assert not FUNCTIONS.keys() & HEADER_FUNCTIONS.keys()
