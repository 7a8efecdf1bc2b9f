"""Physical lines to logical lines: joined, trimmed, numbered as Apache numbers them, and no byte lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.config.lines import decode, encode, split_lines

PIECES = st.sampled_from([b"a", b" ", b"\t", b"\\", b"\n", b"\r\n", b"\r", b"#", b"\0", b"<x>", b"\xff", b"\xc3\xa4", b'"'])


def lines(data: bytes) -> list[tuple[str, int, int]]:
    return [(line.text, line.first, line.number) for line in split_lines(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a", [("a", 1, 1)]),
        (b"a\n", [("a", 1, 1)]),
        (b"a\n\nb\n", [("a", 1, 1), ("", 2, 2), ("b", 3, 3)]),
        (b" \t a b \x0b\x0c\r\n", [("a b", 1, 1)]),
        (b"a\\\nb\n", [("ab", 1, 2)]),
        (b"a\\\r\nb\n", [("ab", 1, 2)]),
        (b"a \\\n b \\\n c\nd\n", [("a  b  c", 1, 3), ("d", 4, 4)]),
        # A comment goes on too.
        (b"# a\\\nb\nc\n", [("# ab", 1, 2), ("c", 3, 3)]),
        # At the end of the file a backslash without a line end stays, one with it counts a line that is not there.
        (b"a\\", [("a\\", 1, 1)]),
        (b"a\\\n", [("a", 1, 2)]),
        # A lone CR is an ordinary character.
        (b"a\rb\n", [("a\rb", 1, 1)]),
        # A NUL ends the physical line, with the backslash behind it.
        (b"a\0b\\\nc\n", [("a", 1, 1), ("c", 2, 2)]),
        # A backslash that the last join left behind counts for an empty line after it.
        (b"a\\\\\n\nb\n", [("ab", 1, 3)]),
        # No byte order mark is recognised.
        (b"\xef\xbb\xbfa\n", [("\ufeffa", 1, 1)]),
    ],
)
def test_logical_lines(data: bytes, expected: list[tuple[str, int, int]]) -> None:
    assert lines(data) == expected


@given(st.lists(PIECES).map(b"".join))
def test_no_byte_is_lost(data: bytes) -> None:
    assert b"".join(line.raw for line in split_lines(data)) == data


@given(st.lists(PIECES).map(b"".join))
def test_line_numbers_go_up_and_count_line_ends(data: bytes) -> None:
    found = list(split_lines(data))
    for earlier, later in itertools.pairwise(found):
        assert earlier.first <= earlier.number < later.first
    if found:
        assert found[-1].number <= data.count(b"\n") + 1


@given(st.binary())
def test_any_bytes_survive_as_text(data: bytes) -> None:
    assert encode(decode(data)) == data
