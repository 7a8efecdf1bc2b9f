"""Reading `Accept`, `Accept-Language` and their kin as Apache reads them: leniently, to the letter of its quirks.

Pure: text in, entries out. Also used for the fields of type maps and for the content type of a file, which share the grammar.
Not an RFC 9110 parser: white space ends an item as a comma does, `qs` is `q`, a bad quality is 1. Qualities are
single-precision, since products of them are compared for equality.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

__all__ = ["CGI_TYPE", "PSEUDO_HTML", "Entry", "parse_entries", "parse_entry", "parse_languages", "single", "take_token"]

#: The type that a file with a handler but without a type has.
CGI_TYPE = "application/x-httpd-cgi"
#: Types that count as HTML, and the level each has if it names none.
PSEUDO_HTML = {"text/html": 2.0, "text/x-server-parsed-html": 2.0, "text/x-server-parsed-html3": 3.0}

SPACES = " \t\n\v\f\r"
_SINGLE = struct.Struct("f")
_UPPER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_QUALITY = re.compile(r"[ \t\n\v\f\r]*0?(?:\.([0-9]{0,3}))?")
_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,9})")
_ATTRIBUTE = re.compile(r"[^ \t\n\v\f\r=]*")
_PLAIN_VALUE = re.compile(r"[^ \t\n\v\f\r]*")
_QUOTED_VALUE = re.compile(r'[^\n\r"]*')


def single(number: float) -> float:
    """`number` rounded to single precision."""
    return float(_SINGLE.unpack(_SINGLE.pack(number))[0])


def lower(text: str) -> str:
    """ASCII letters in lower case, all else as it is."""
    return text.translate(_UPPER)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item: its name in lower case, and the parameters that negotiation knows."""

    name: str
    quality: float = 1.0
    level: float = 0.0
    charset: str = ""


def take_token(text: str, at: int, *, with_spaces: bool = False) -> tuple[str, int]:
    """The token that begins at `at`, and where the next non-blank character is (ap_get_token).

    It ends at `;`, `,` and, unless `with_spaces`, at white space; quoted stretches are skipped over.
    """
    end = len(text)
    while at < end and text[at] in SPACES:
        at += 1
    start = at
    while at < end and text[at] not in ";," and (with_spaces or text[at] not in SPACES):
        at += 1
        if text[at - 1] == '"':
            closing = text.find('"', at)
            at = end if closing < 0 else closing + 1
    token = text[start:at]
    while at < end and text[at] in SPACES:
        at += 1
    return token, at


def parse_quality(text: str) -> float:
    """A quality value, from thousandths; what does not begin as one is 1."""
    if not text:
        return 1.0
    found = _QUALITY.match(text)
    if found is None or found.end() == len(text) - len(text.lstrip(SPACES)):
        return 1.0
    return single(int((found[1] or "").ljust(3, "0")) / 1000)


def parse_entry(text: str, at: int = 0) -> tuple[Entry, int]:
    """The item that begins at `at`, and where the next one begins."""
    name, at = take_token(text, at)
    name = lower(name)
    quality, level, charset = 1.0, PSEUDO_HTML.get(name, 0.0), ""
    while at < len(text) and text[at] == ";":
        parameter, at = take_token(text, at + 1, with_spaces=True)
        attribute, value = _split(parameter)
        if value is None:
            continue
        if attribute in ("q", "qs"):
            quality = parse_quality(value)
        elif attribute == "level":
            number = _INTEGER.match(value)
            level = single(int(number[1])) if number else 0.0
        elif attribute == "charset":
            charset = value
    if at < len(text) and text[at] == ",":
        at += 1
    return Entry(name, quality, level, charset), at


def _split(parameter: str) -> tuple[str, str | None]:
    """Attribute and value in lower case; the value is None without an equals sign (or blank) behind the attribute."""
    attribute = _ATTRIBUTE.match(parameter)
    cut = attribute.end() if attribute else 0
    if cut == len(parameter):
        return lower(parameter), None
    value = parameter[cut:].lstrip(SPACES + "=")
    shape = _PLAIN_VALUE
    if value.startswith('"'):
        value, shape = value[1:], _QUOTED_VALUE
    found = shape.match(value)
    return lower(parameter[:cut]), lower(found[0] if found else value)


def parse_entries(field: str | None) -> list[Entry] | None:
    """All items of a field, in order; None if there is no such field."""
    if field is None:
        return None
    entries: list[Entry] = []
    at = 0
    while at < len(field):
        entry, at = parse_entry(field, at)
        entries.append(entry)
    return entries


def parse_languages(text: str) -> tuple[str, ...]:
    """The language tags of a type map's `Content-Language`, in lower case."""
    tags: list[str] = []
    at = 0
    while at < len(text):
        tag, at = take_token(text, at)
        tags.append(lower(tag))
        if at < len(text) and text[at] in ",;":
            at += 1
    return tuple(tags)
