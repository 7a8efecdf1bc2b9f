"""The format of the magic file (as Apache 2.4.71 reads it)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.metadata.mod_mime_magic.magicfile import Indirect, MagicTest, parse_magic


@pytest.mark.parametrize(
    ("line", "test"),
    [
        ("0 string GIF image/gif", MagicTest(0, 0, "string", "=", b"GIF", "image/gif")),
        ("0x10\tstring\ta\\ b\\n\\x41\\101\\<\t\tx/y  z", MagicTest(0, 16, "string", "=", b"a b\nAA<", "x/y  z")),
        ("010 byte 0x80 a/b", MagicTest(0, 8, "byte", "=", -128, "a/b")),
        ("0 beshort&0xfff0 0xfff0 a/b", MagicTest(0, 0, "beshort", "=", -16, "a/b", mask=-16)),
        ("0 lelong >07 a/b", MagicTest(0, 0, "lelong", ">", 7, "a/b")),
        (">8 byte !98 a/b", MagicTest(1, 8, "byte", "!", 98, "a/b")),
        ("0 string !Z a/b", MagicTest(0, 0, "string", "=", b"!Z", "a/b")),
        (">>3 byte x a/b", MagicTest(2, 3, "byte", "x", 0, "a/b")),
        (">4 string =b \\b+c", MagicTest(1, 4, "string", "=", b"b", "+c", joins=True)),
        (">(4.b+1) string I a/b", MagicTest(1, 4, "string", "=", b"I", "a/b", indirect=Indirect("b", 1))),
        (">(4-0x2) string I a/b", MagicTest(1, 4, "string", "=", b"I", "a/b", indirect=Indirect("l", -2))),
        ("0 string/c foo a/b", MagicTest(0, 0, "string", "=", b"/c", "foo a/b")),
        ("0 string A " + "t/" + "x" * 60, MagicTest(0, 0, "string", "=", b"A", "t/" + "x" * 47)),
    ],
)
def test_a_line(line: str, test: MagicTest) -> None:
    assert parse_magic(f"# comment\n\n  {line}  \r\n").tests == [test]


@pytest.mark.parametrize(
    ("line", "log_id"),
    [("x string A a/b", "AH01521"), ("0 quux 1 a/b", "AH01524"), (">(4.b byte 1 a/b", "AH01523"), ("(4) byte 1 a/b", "AH01521")],
)
def test_a_line_that_cannot_be_read_is_left_out(line: str, log_id: str) -> None:
    found = parse_magic(f"{line}\n0 string A a/b")
    assert len(found.tests) == 1
    assert [one for one, _ in found.complaints] == [log_id]


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_any_text_is_tests_and_complaints(text: str) -> None:
    found = parse_magic(text)
    assert len(found.tests) + len(found.complaints) <= text.count("\n") + 1
