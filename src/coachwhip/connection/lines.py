"""Header lines that were validated before: a head taken apart by one dict look-up per line.

A line is judged once, by regular expressions at least as strict as the ordinary parser, and remembered by its bytes. Only the fields
that a kept answer or a log line depends on are given back; of the others it is enough to know that they are plain. Whatever is
unusual in any way is for the ordinary path to judge.
"""

from __future__ import annotations

import re

__all__ = ["Lines", "Unusual"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512
MAX_REQUEST_LINE = 4000

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: A field value that needs no second thought (RFC 9110 §5.5): visible octets or Latin-1, blanks between them, not empty.
_VALUE = re.compile(rb"[ \t]*[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*")
#: One that stands in a log line as it is: nothing to escape, no blanks around it.
_LOGGABLE = re.compile(rb" ?([\x21\x23-\x5b\x5d-\x7e](?:[\x20\x21\x23-\x5b\x5d-\x7e]*[\x21\x23-\x5b\x5d-\x7e])?)")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21\x22\x24-\x7e]* HTTP/1\.[01]")
#: Fields that make a request one for the ordinary path, whatever they say.
UNUSUAL = frozenset({
    "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection",
})  # fmt: skip
_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}

#: Lower-case name, and the value: `str` where answers depend on it, `bytes` ready for a log line where only logs do.
Field = tuple[str, "str | bytes"]
_UNKNOWN = ("", "")


class Unusual(Exception):
    """This head is for the ordinary path."""


class Lines:
    """What is known of request lines and header lines."""

    __slots__ = ("_known", "_logged", "_names", "_request_lines", "_spellings")

    def __init__(self) -> None:
        #: Line → its field, or None where nothing depends on it.
        self._known: dict[bytes, Field | None] = {}
        #: Names as clients spell them → lower case, None where nothing depends on the field.
        self._spellings: dict[bytes, str | None] = {}
        self._request_lines: set[bytes] = set()
        self._names = {"host", "connection"}
        self._logged: set[str] = set()

    def care_about(self, names: frozenset[str] | tuple[str, ...], *, logged: bool = False) -> None:
        """Answers (or, `logged`, log lines) depend on these fields too from now on. Lower-case names."""
        known = self._logged if logged else self._names
        if not known.issuperset(names):
            known.update(names)
            self._known.clear()
            self._spellings.clear()

    def read(self, head: bytes, limit: int) -> tuple[bytes, dict[str, str | bytes]]:
        """Request line and the fields that count, of a head that ends with an empty line; at most `limit` fields.

        Costs: a split, and one look-up per line. Raises Unusual.
        """
        lines = head[:-4].split(b"\r\n")
        if len(lines) > limit:
            raise Unusual
        rest = iter(lines)
        first = next(rest)
        if first not in self._request_lines:
            self._learn_request_line(first)
        fields: dict[str, str | bytes] = {}
        known = self._known.get
        for line in rest:
            field = known(line, _UNKNOWN)
            if field is _UNKNOWN:
                field = self._learn(line)
            if field is not None:
                name, value = field
                if name in fields:
                    raise Unusual
                fields[name] = value
        return first, fields

    def _learn_request_line(self, line: bytes) -> None:
        if len(line) > MAX_REQUEST_LINE or _REQUEST.fullmatch(line) is None:
            raise Unusual
        if len(self._request_lines) >= MAX_LINES:
            self._request_lines.clear()
        self._request_lines.add(line)

    def _learn(self, line: bytes) -> Field | None:
        """Judge a line that was not seen before. Costs a look-up of its name and one regular expression."""
        at = line.find(b":")
        if at < 0:
            raise Unusual
        name = self._spellings.get(line[:at], "")
        if name == "":
            name = self._learn_name(line[:at])
        field: Field | None = None
        if name is not None:
            field = self._field(name, line, at + 1)
        elif _VALUE.fullmatch(line, at + 1) is None:
            raise Unusual
        if len(line) <= MAX_LINE:
            if len(self._known) >= MAX_LINES:
                self._known.clear()
            self._known[line] = field
        return field

    def _learn_name(self, spelling: bytes) -> str | None:
        if _TOKEN.fullmatch(spelling) is None:
            raise Unusual
        name = spelling.decode("ascii").lower()
        if name in UNUSUAL:
            raise Unusual
        if len(self._spellings) >= MAX_LINES:
            self._spellings.clear()
        kept = self._spellings[spelling] = name if name in self._names or name in self._logged else None
        return kept

    def _field(self, name: str, line: bytes, start: int) -> Field:
        if name not in self._names:
            plain = _LOGGABLE.fullmatch(line, start)
            if plain is not None:
                return name, plain[1]
        if _VALUE.fullmatch(line, start) is None:
            raise Unusual
        text = line[start:].strip(b" \t").decode("latin-1")
        if name != "connection":
            return name, text
        asked = _CONNECTION.get(text.lower())
        if asked is None:
            raise Unusual
        return name, asked
