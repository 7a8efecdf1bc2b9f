"""Guessing a type from the first bytes of a file: the magic tests, then tape archives and words of well-known texts.

Pure: bytes and tests in, words out ("text/html", or "application/x-tar posix", whose second word is a content coding).
Source: Apache manual, mod_mime_magic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from coachwhip.modules.metadata.mod_mime_magic.magicfile import WINDOW, MagicTest, signed

__all__ = ["READ", "guess"]

#: Bytes of a file that are looked at, and those searched for words.
READ = 4096
_SEARCHED = 1024
_BLANKS = re.compile(rb"[ \t\n\r\f]+")
_FORMAT = re.compile(r"%(?:l?[duxo]|[sc%])")
_TROFF = re.compile(rb"\.[ \t\n\v\f\r]*[A-Za-z0-9\\][A-Za-z0-9]")
_FORTRAN = re.compile(rb"[cC][ \t\n\v\f\r]")

_PLAIN = "text/plain"
#: Words that give a text away; of several in a text, the first counts.
_WORDS: dict[bytes, str] = {
    **dict.fromkeys(
        (b"<html>", b"<HTML>", b"<head>", b"<HEAD>", b"<title>", b"<TITLE>", b"<h1>", b"<H1>", b"<!--"), "text/html"
    ),
    **dict.fromkeys(
        (b"/*", b"#include", b"char", b"The", b"the", b"double", b"extern", b"float", b"real", b"struct", b"union",
         b"CFLAGS", b"LDFLAGS", b"all:", b".PRECIOUS", b".ascii", b".asciiz", b".byte", b".even", b".globl", b"clr",
         b"(input,", b"dcl"),
        _PLAIN,
    ),
    **dict.fromkeys((b"Received:", b">From", b"Return-Path:", b"Cc:"), "message/rfc822"),
    **dict.fromkeys((b"Newsgroups:", b"Path:", b"Organization:"), "message/news"),
}  # fmt: skip


def guess(tests: Sequence[MagicTest], data: bytes) -> str:
    """What the bytes look like, "" for nothing known."""
    # Apache puts a NUL behind what it read, and counts it.
    data = data[:READ] + b"\0"
    said = _by_tests(tests, data)
    return _by_words(data) if said is None else said


# -- magic tests


def _by_tests(tests: Sequence[MagicTest], data: bytes) -> str | None:
    """The text of the first test that passes, with those of the further tests below it; None if none passes."""
    start = 0
    while start < len(tests):
        end = start + 1
        while end < len(tests) and tests[end].level:
            end += 1
        value = _look(tests[start], data)
        if value is not None:
            return _say(tests[start:end], value, data)
        start = end
    return None


def _say(group: Sequence[MagicTest], value: bytes | int, data: bytes) -> str:
    said = _print(group[0], value)
    needs_blank = bool(group[0].text)
    level = 1
    for test in group[1:]:
        if test.level > level:
            continue
        level = test.level
        found = _look(test, data)
        if found is None:
            continue
        if needs_blank and not test.joins and test.text:
            said += " "
            needs_blank = False
        said += _print(test, found)
        needs_blank = needs_blank or bool(test.text)
        level += 1
    return said


def _print(test: MagicTest, value: bytes | int) -> str:
    if "%" not in test.text:
        return test.text
    if isinstance(value, bytes):
        shown: object = (test.value if test.relation == "=" and isinstance(test.value, bytes) else value).decode("latin-1")
    else:
        shown = value

    def fill(found: re.Match[str]) -> str:
        code = found[0][-1]
        if code == "%":
            return "%"
        if isinstance(shown, int) and code != "s":
            return {"x": f"{shown & 0xFFFFFFFFFFFFFFFF:x}", "o": f"{shown & 0xFFFFFFFFFFFFFFFF:o}", "c": chr(shown & 0xFF)}.get(
                code, str(shown)
            )
        return str(shown) if code == "s" else found[0]

    return _FORMAT.sub(fill, test.text)


def _look(test: MagicTest, data: bytes) -> bytes | int | None:
    """The value at the test's place if it passes, else None."""
    offset = test.offset
    if test.indirect is not None:
        window = _window(data, offset)
        if window is None:
            return None
        width = {"b": 1, "s": 2, "l": 8}[test.indirect.size]
        offset = int.from_bytes(window[:width], "little") + test.indirect.add
    window = _window(data, offset)
    if window is None:
        return None
    if test.kind == "string":
        text = window[: WINDOW - 1].partition(b"\n")[0]
        return text.partition(b"\0")[0] if _relates(test.relation, _difference(text, test.value), 0) else None
    number = signed(_number(test.kind, window), test.kind) & test.mask
    expected = test.value if isinstance(test.value, int) else 0
    return number if _relates(test.relation, number, expected) else None


def _window(data: bytes, offset: int) -> bytes | None:
    return data[offset : offset + WINDOW] if 0 <= offset <= len(data) - WINDOW else None


def _number(kind: str, window: bytes) -> int:
    order = kind[:2]
    if order == "be":
        return int.from_bytes(window[: 2 if kind == "beshort" else 4], "big", signed=True)
    if order == "le":
        return int.from_bytes(window[: 2 if kind == "leshort" else 4], "little", signed=True)
    # The machine's own types: little-endian, and `long` has 64 bits.
    return int.from_bytes(window[: {"byte": 1, "short": 2}.get(kind, 8)], "little")


def _difference(text: bytes, value: bytes | int) -> int:
    """That of the first octets that differ; the text is as if NULs followed it."""
    wanted = value if isinstance(value, bytes) else b""
    for at, octet in enumerate(wanted):
        found = text[at] if at < len(text) else 0
        if found != octet:
            return found - octet
    return 0


def _relates(relation: str, value: int, expected: int) -> bool:
    match relation:
        case "x":
            return True
        case "!":
            return value != expected
        case "<":
            return value < expected
        case ">":
            return value > expected
        case "&":
            return value & expected == expected
        case "^":
            return value & expected != expected
    return value == expected


# -- well-known texts


def _by_words(data: bytes) -> str:
    if _is_tar(data):
        return "application/x-tar"
    if _TROFF.match(data):
        return "application/x-troff"
    if _FORTRAN.match(data):
        return _PLAIN
    text = data[:_SEARCHED].partition(b"\0")[0]
    for word in _BLANKS.split(text):
        found = _WORDS.get(word)
        if found is not None:
            return found + (" (with escape sequences)" if b"\x1b" in data[:_SEARCHED] else "")
    return ""


def _is_tar(data: bytes) -> bool:
    """Whether the checksum of a header fits: the sum of its 512 octets, its own eight taken as blanks."""
    if len(data) < 512:
        return False
    written = re.match(rb" *([0-7]*)", data[148:156])
    total = sum(data[:148]) + 8 * 0x20 + sum(data[156:512])
    return written is not None and bool(written[1]) and int(written[1], 8) == total
