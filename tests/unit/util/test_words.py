"""Cutting lines as Apache does: quoted words, and fields at a separator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.util.words import cut_field, cut_word, cut_words


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


def test_all_words_up_to_an_empty_one():
    assert cut_words("a 'b c'  d ") == ["a", "b c", "d"]
    assert cut_words("a '' b") == ["a"]


@pytest.mark.parametrize(
    ("text", "field", "rest"), [("a:b:c", "a", "b:c"), ("a:::b", "a", "b"), ("a", "a", ""), (":b", "", "b"), ("", "", "")]
)
def test_fields(text, field, rest):
    assert cut_field(text, ":") == (field, rest)


@given(st.text(max_size=60))
def test_cutting_ends(text):
    assert len(cut_words(text)) <= len(text)
