"""What contents look like (answers of Apache 2.4.71)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.modules.metadata.mod_mime_magic import split_guess
from coachwhip.modules.metadata.mod_mime_magic.magicfile import parse_magic
from coachwhip.modules.metadata.mod_mime_magic.sniff import guess

PAD = b"." * 80
MAGIC = r"""
0 string GIF image/gif
0 string BA1 text/one
>4 string x text/two
>4 string =b \b+three
0 string BE%s te%s/x
0 belong 0x19504e47 text/png
0 lelong 0x474e5089 text/lepng
0 beshort 0xfffe text/fffe
0 short 0x4443 text/nshort
0 byte&0xf0 0x90 text/mask
0 byte&0x70 0x10 text/mask7 %d
0 string IN text/in
>(4.b+1) string IND text/indirect
>(4.s-1) string IN2 text/indirects
0 string C\0D text/nul
0 byte <2 a/low
"""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a" + PAD, "image/gif"),
        (b"GIF89a" + b"x" * 57, "image/gif"),
        (b"GIF89a" + b"x" * 56, ""),
        (b"GI\nF" + PAD, ""),
        (b"BA1 b5" + PAD, "text/one text/two+three"),
        (b"BA1 cc" + PAD, "text/one text/two"),
        (b"BE%s" + PAD, "teBE%s/x"),
        (b"\x19PNG" + PAD, "text/png"),
        (b"\xff\xfe" + PAD, "text/fffe"),
        (b"CD" + PAD, "text/nshort"),
        (b"\x9a" + PAD, "text/mask"),
        (b"\x1a" + PAD, "text/mask7 16"),
        (b"INxx\x05zIND" + PAD, "text/in text/indirect"),
        (b"INxx\x08\0zIN2" + PAD, "text/in text/indirects"),
        (b"C\0D" + PAD, "text/nul"),
    ],
)
def test_magic(content: bytes, said: str) -> None:
    assert guess(parse_magic(MAGIC).tests, content) == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "text/html"),
        (b"foo <h1> x", "text/html"),
        (b"<!-- x", "text/html"),
        (b"<!DOCTYPE HTML x", ""),
        (b"/* x */", "text/plain"),
        (b"The dog", "text/plain"),
        (b"all: x", "text/plain"),
        (b"c foo", "text/plain"),
        (b"x Received: y", "message/rfc822"),
        (b"From: a", ""),
        (b"Newsgroups: a", "message/news"),
        (b".TH x", "application/x-troff"),
        (b".  ab", "application/x-troff"),
        (b'.\\" x', ""),
        (b".. x", ""),
        (bytes(range(256)), ""),
        (b"hello world", ""),
        (b"z " * 505 + b"<html> ", "text/html"),
        (b"z " * 515 + b"<html> ", ""),
        (b"a\0 <html> ", ""),
        (b"The \x1b[0m", "text/plain (with escape sequences)"),
    ],
)
def test_words(content: bytes, said: str) -> None:
    assert guess([], content) == said


def test_a_tape_archive_is_told_by_its_checksum() -> None:
    header = bytearray(b"name".ljust(512, b"\0"))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert guess([], bytes(header)) == "application/x-tar"
    header[0] += 1
    assert guess([], bytes(header)) == ""


@pytest.mark.parametrize(
    ("said", "kind", "encoding"),
    [
        ("image/gif", "image/gif", None),
        ("Text/X-Foo; charset=UTF-8", "text/x-foo;", "charset=utf-8"),
        ("a/b\t7bit\tmore", "a/b", "7bit"),
        ("a/b/c d/e", "a/b/c", "d/e"),
        ("foo text/x", None, None),
        ("", None, None),
        ("/b", None, None),
    ],
)
def test_a_guess_is_a_type_and_a_coding(said: str, kind: str | None, encoding: str | None) -> None:
    assert split_guess(said) == (kind, encoding)


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    split_guess(guess(parse_magic(MAGIC).tests, content))
