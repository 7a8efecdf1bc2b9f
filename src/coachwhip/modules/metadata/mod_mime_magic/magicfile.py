"""The magic file: tests of bytes at offsets, and what passing them says. (The format of an early file(1), as Apache reads it.)

Text in, tests out, with a complaint for every line that cannot be read. A line is: offset, type, value, and the text to say.
`>` in front of the offset makes it a test that counts only after the one before passed.
Source: Apache manual, mod_mime_magic, "Format of the Magic File".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["SPACES", "Indirect", "MagicFile", "MagicTest", "parse_magic"]

SPACES = " \t\n\v\f\r"
#: A test looks at this many bytes, and needs them all; values and texts are shorter.
WINDOW = 64
_TEXT_LIMIT = 49
_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})")
_INDIRECT = re.compile(r"(?:\.([lsb]))?([+-]?)(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,9})?\)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_VALUE = re.compile(r"(?:\\.|[^\\ \t\n\v\f\r])*\\?", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "b": "\b", "t": "\t", "f": "\f", "v": "\v"}
#: In the order in which the names are tried.
_TYPES = ("byte", "short", "long", "string", "date", "beshort", "belong", "bedate", "leshort", "lelong", "ledate")
_BITS = {"byte": 8, "short": 16, "beshort": 16, "leshort": 16}


@dataclass(frozen=True, slots=True)
class Indirect:
    """The offset is read from the file: a number of `size` ("b", "s", "l") at the test's offset, plus `add`."""

    size: str
    add: int


@dataclass(frozen=True, slots=True)
class MagicTest:
    """One line."""

    level: int
    offset: int
    kind: str
    #: "=", "!", "<", ">", "&", "^", or "x" for anything.
    relation: str
    #: Octets for "string", else a number.
    value: bytes | int
    text: str
    mask: int = -1
    indirect: Indirect | None = None
    #: The text follows the one before without a blank.
    joins: bool = False


@dataclass(slots=True)
class MagicFile:
    """The tests, in order, and (number, message) for each line that is left out."""

    tests: list[MagicTest] = field(default_factory=list)
    complaints: list[tuple[str, str]] = field(default_factory=list)


class _Bad(ValueError):
    def __init__(self, log_id: str, message: str) -> None:
        super().__init__(message)
        self.log_id = log_id


def parse_magic(text: str) -> MagicFile:
    """Read a magic file; `text` has one octet per character."""
    found = MagicFile()
    for line in text.split("\n"):
        line = line.strip(SPACES)
        if not line or line.startswith("#"):
            continue
        try:
            found.tests.append(_parse_line(line))
        except _Bad as error:
            found.complaints.append((error.log_id, f"mod_mime_magic: {error}"))
    return found


def signed(number: int, kind: str) -> int:
    """`number` as a signed integer of the type's width (64 bits for what is not shorter)."""
    bits = _BITS.get(kind, 64)
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def _number(text: str) -> tuple[int, str] | None:
    """A decimal, octal or hexadecimal number at the start, and what follows it."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    digits = found[2]
    if digits[:2] in ("0x", "0X"):
        number = int(digits, 16)
    elif digits.startswith("0"):
        digits = digits[: len(digits) - len(digits.lstrip("01234567"))]
        number = int(digits, 8)
    else:
        number = int(digits)
    rest = text[found.start(2) + len(digits) :]
    return (-number if found[1] == "-" else number), rest


def _parse_line(line: str) -> MagicTest:
    rest = line.lstrip(">")
    level = len(line) - len(rest)
    is_indirect = level > 0 and rest.startswith("(")
    offset = _number(rest[1:] if is_indirect else rest)
    if offset is None:
        raise _Bad("AH01521", f"offset {rest} invalid")
    at, rest = offset
    indirect = None
    if is_indirect:
        found = _INDIRECT.match(rest)
        if found is None:
            raise _Bad("AH01523", "missing ')' in indirect offset")
        add = _number(found[3] or "0")
        indirect = Indirect(found[1] or "l", (add[0] if add else 0) * (-1 if found[2] == "-" else 1))
        rest = rest[found.end() :]
    rest = rest.lstrip("0123456789").lstrip(SPACES)
    kind = next((name for name in _TYPES if rest.startswith(name)), None)
    if kind is None:
        raise _Bad("AH01524", f"type {rest} invalid")
    mask, rest = _mask(rest[len(kind) :], kind)
    relation, rest = _relation(rest.lstrip(SPACES), kind)
    value: bytes | int = 0
    if relation != "x":
        value, rest = _value(rest.lstrip(SPACES), kind)
    joins, text = _joins(rest.lstrip(SPACES))
    return MagicTest(level, at, kind, relation, value, text[:_TEXT_LIMIT], mask, indirect, joins)


def _mask(rest: str, kind: str) -> tuple[int, str]:
    if not rest.startswith("&"):
        return -1, rest
    found = _number(rest[1:])
    return (signed(found[0], kind), found[1]) if found else (0, rest[1:])


def _relation(rest: str, kind: str) -> tuple[str, str]:
    first = rest[:1]
    if first in ("<", ">", "&", "^", "=") or (first == "!" and kind != "string"):
        return first, rest[1:]
    if first == "x" and rest[1:2] in tuple(SPACES):
        return "x", rest[1:]
    return "=", rest


def _value(rest: str, kind: str) -> tuple[bytes | int, str]:
    if kind != "string":
        found = _number(rest)
        return (signed(found[0], kind), found[1]) if found else (0, rest)
    raw = _VALUE.match(rest)
    written = raw[0] if raw else ""
    octets = _ESCAPE.sub(_unescape, written).encode("latin-1", "replace")
    return octets[: WINDOW - 1], rest[len(written) :]


def _unescape(found: re.Match[str]) -> str:
    char = found[1]
    if char[0] == "x" and len(char) > 1:
        return chr(int(char[1:], 16))
    if char[0] in "01234567":
        return chr(int(char, 8) & 0xFF)
    return _ESCAPED.get(char, char)


def _joins(text: str) -> tuple[bool, str]:
    for mark in ("\b", "\\b"):
        if text.startswith(mark):
            return True, text[len(mark) :]
    return False, text
