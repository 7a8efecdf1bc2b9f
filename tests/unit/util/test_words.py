"""Cutting lines as Apache does: quoted words, and fields at a separator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util.words import cut_field, cut_word, cut_words, word_at


@pytest.mark.parametrize(
    ("text", "word", "rest"),
    [
        ("", "", ""),
        ("  \t ", "", ""),
        ("one two  three", "one", "two  three"),
        ('"one two" three', "one two", "three"),
        ("'one \\' two' three", "one ' two", "three"),
        (r'"a\"b" c', 'a"b', "c"),
        (r'"a\\b\n"', r"a\b\n", ""),
        (r"a\ b", "a\\", "b"),
        ('a="b c"', 'a="b', 'c"'),
        ('"open', "open", ""),
        ('""x', "", "x"),
        ("a\xa0b c", "a\xa0b", "c"),
    ],
)
def test_the_first_word(text, word, rest):
    assert cut_word(text) == (word, rest)


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
def test_all_words(text: str, words: list[str]) -> None:
    assert cut_words(text) == words


@given(st.text(alphabet="ab \"'\\\t"))
def test_cutting_moves_on_and_ends(text: str) -> None:
    at = 0
    while at < len(text):
        _word, after = word_at(text, at)
        assert after > at
        at = after


@pytest.mark.parametrize(
    ("text", "field", "rest"), [("a:b:c", "a", "b:c"), ("a:::b", "a", "b"), ("a", "a", ""), (":b", "", "b"), ("", "", "")]
)
def test_fields(text, field, rest):
    assert cut_field(text, ":") == (field, rest)
