"""Words and `${NAME}`: Apache's quoting, and values of Define before the environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.config.words import Filler, cut_word, cut_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a b", ["a", "b"]),
        ("  a\t b ", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ("'a b' c", ["a b", "c"]),
        (r'"a \"b\" c" d', ['a "b" c', "d"]),
        (r"'it\'s' d", ["it's", "d"]),
        # A backslash matters before the same quote and before a backslash only.
        (r'"a\'b\n"', [r"a\'b\n"]),
        (r"a\\b \c", ["a\\b", r"\c"]),
        # Quotes inside a word are part of it; what follows a closing quote begins a word.
        ('a"b c"', ['a"b', 'c"']),
        ('"a"b', ["a", "b"]),
        # An unclosed quote ends with the line.
        ('"a b', ["a b"]),
        # An empty word ends a list.
        ('a "" b', ["a"]),
        # Only ASCII white space separates.
        ("a\u00a0b\u2003c", ["a\u00a0b\u2003c"]),
    ],
)
def test_cutting(text: str, words: list[str]) -> None:
    assert cut_words(text) == words


@given(st.text(alphabet="ab \"'\\\t"))
def test_cutting_moves_on_and_ends(text: str) -> None:
    at = 0
    while at < len(text):
        _word, after = cut_word(text, at)
        assert after > at
        at = after


def filler(**values: str) -> tuple[Filler, list[str]]:
    missing: list[str] = []
    fill = Filler({"HOME": "/root", "both": "environment"}, missing.append)
    fill.values = values
    return fill, missing


@pytest.mark.parametrize(
    ("text", "filled", "missing"),
    [
        ("a", "a", []),
        ("${x}", "1", []),
        # Names that Define made are found in any case; the environment's only as they are.
        ("${X}-${HOME}-${home}", "1-/root-${home}", ["home"]),
        ("${both}", "defined", []),
        ("a${nope}b", "a${nope}b", ["nope"]),
        # A colon marks the look-up of a map: left alone without a warning.
        ("${map:key}", "${map:key}", []),
        ("${}", "${}", [""]),
        ("${x", "${x", []),
        ("$x $", "$x $", []),
        ("${a${x}", "${a${x}", ["a${x"]),
        # What was filled in is not filled in again.
        ("${loop}", "${x}", []),
    ],
)
def test_filling_in(text: str, filled: str, missing: list[str]) -> None:
    fill, told = filler(x="1", both="defined", loop="${x}")
    assert (fill(text), told) == (filled, missing)
