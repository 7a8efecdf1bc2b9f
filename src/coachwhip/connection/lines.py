"""A head taken apart by one dict look-up per line, among lines that were validated before.

One pass over the whole head says that it holds nothing but plain octets and line ends; after that only names are judged, once for
each spelling. Only the fields that a kept answer or a log line depends on are given back. Whatever is unusual in any way
is for the ordinary path to judge, which is never laxer than this one.
"""

from __future__ import annotations

import re

__all__ = ["Lines", "Unusual"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512
MAX_REQUEST_LINE = 4000

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21\x22\x24-\x7e]* HTTP/1\.[01]")
#: What a plain head consists of: visible octets, Latin-1, blanks, line ends (RFC 9110 §5.5).
_PLAIN = bytes([*range(0x20, 0x7F), *range(0x80, 0x100), 0x09, 0x0D, 0x0A])
#: A value that stands in a log line as it is: nothing in it has to be escaped.
_LOGGABLE = re.compile(rb"[\x20\x21\x23-\x5b\x5d-\x7e]+")
#: Fields that make a request one for the ordinary path, whatever they say.
UNUSUAL = frozenset({
    "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection",
})  # fmt: skip
_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}

#: Whether answers depend on it, lower-case name, and the value: `str`, or `bytes` ready for a log line.
Field = tuple[bool, str, "str | bytes"]
Fields = dict[str, "str | bytes"]
_UNKNOWN: Field = (False, "", "")


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

    def read(self, head: bytes, limit: int) -> tuple[bytes, Fields, Fields]:
        """Request line, the fields that answers depend on, and those that only logs take; at most `limit` fields.

        Costs: a pass, a split, and one look-up per line. Raises Unusual.
        """
        lines = head[:-4].split(b"\r\n")
        ends = len(lines) + 1
        if ends > limit + 2 or head.count(b"\r") != ends or head.count(b"\n") != ends or head.translate(None, _PLAIN):
            raise Unusual
        rest = iter(lines)
        first = next(rest)
        if first not in self._request_lines:
            self._learn_request_line(first)
        fields: Fields = {}
        logged: Fields = {}
        known = self._known.get
        for line in rest:
            field = known(line, _UNKNOWN)
            if field is _UNKNOWN:
                field = self._learn(line)
            if field is not None:
                matters, name, value = field
                into = fields if matters else logged
                if name in into:
                    raise Unusual
                into[name] = value
        return first, fields, logged

    def _learn_request_line(self, line: bytes) -> None:
        if len(line) > MAX_REQUEST_LINE or _REQUEST.fullmatch(line) is None:
            raise Unusual
        if len(self._request_lines) >= MAX_LINES:
            self._request_lines.clear()
        self._request_lines.add(line)

    def _learn(self, line: bytes) -> Field | None:
        """Judge a line of plain octets that was not seen before. Costs a look-up of its name."""
        at = line.find(b":")
        if at < 0:
            raise Unusual
        name = self._spellings.get(line[:at], "")
        if name == "":
            name = self._learn_name(line[:at])
        field = None if name is None else self._field(name, line[at + 1 :].strip(b" \t"))
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

    def _field(self, name: str, value: bytes) -> Field:
        if name not in self._names:
            return False, name, value if _LOGGABLE.fullmatch(value) else value.decode("latin-1")
        if not value:
            raise Unusual
        text = value.decode("latin-1")
        if name == "connection":
            asked = _CONNECTION.get(text.lower())
            if asked is None:
                raise Unusual
            text = asked
        return True, name, text
