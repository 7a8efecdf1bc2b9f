"""Integers and truth as operators read them out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.expr.operators import integer, is_truthy


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_read_back(number: int) -> None:
    assert integer(str(number)) == number
    assert integer(f" \t{number} rest") == number


@given(st.integers(2**63 - 1))
def test_integers_stop_at_64_bits(number: int) -> None:
    assert integer(str(number)) == 2**63 - 1
    assert integer(f"-{number + 1}") == -(2**63)


@pytest.mark.parametrize("text", ["", "x", "-", "+-1", "\xa01", "\u0661", "0x10", "- 1"])
def test_text_without_a_number_is_zero(text: str) -> None:
    assert integer(text) == 0


def test_more_digits_than_python_converts_are_no_error() -> None:
    assert integer("9" * 10_000) == 2**63 - 1
    assert integer("0" * 10_000 + "7") == 7


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), ("0", False), ("oFF", False), ("No", False), ("00", True), ("nope", True)]
)
def test_truth(text: str, expected: bool) -> None:
    assert is_truthy(text) is expected
