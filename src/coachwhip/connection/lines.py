"""A head taken apart: by cutting out what differs from client to client, or by one dict look-up per line among lines judged before.

A line is judged when it is met for the first time, and remembered from the second time on, so that a client who never says the same thing
twice fills nothing. What is remembered says whether kept answers depend on the line, whether log lines take it, or neither. Whatever
is unusual in any way is for the ordinary path to judge, which is never laxer than this one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

__all__ = ["MAX_LOOSE", "Field", "Lines", "Unusual", "Values"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512
MAX_REQUEST_LINE = 4000
#: Places for marks of lines that were met once; a power of two.
MARKS = 1 << 14

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21\x22\x24-\x7e]* HTTP/1\.[01]")
#: What a line may consist of: visible octets, Latin-1, blanks (RFC 9110 §5.5). What else there is becomes a line feed by `translate`.
_PLAIN = bytes([octet if octet == 9 or 0x20 <= octet != 0x7F else 10 for octet in range(256)])
#: The same for octets that stand in a log line as they are: printable ASCII without quote and backslash.
_LOGGABLE = bytes([octet if 0x20 <= octet < 0x7F and octet not in b'"\\' else 10 for octet in range(256)])
#: Fields that differ from client to client, and the spellings of each that are known at the most.
LOOSE = ("cookie", "user-agent", "referer")
MAX_SPELLINGS = 2
MAX_LOOSE = len(LOOSE) * MAX_SPELLINGS
#: Fields that make a request one for the ordinary path, whatever they say.
UNUSUAL = frozenset({
    "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection",
})  # fmt: skip
_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}

#: A line that something depends on: its number, its lower-case name, and its value: `str`, or `bytes` ready for a log line.
#: The number is 0 if only log lines take it, else of this line alone, or -1 while the line is not remembered.
Field = tuple[int, str, "str | bytes"]
Values = dict[str, "str | bytes"]


class Unusual(Exception):
    """This head is for the ordinary path."""


class Lines(dict[bytes, "Field | None"]):
    """The lines that are known, None where nothing depends on one; a line that is not known is judged where it is looked up."""

    __slots__ = ("_logged", "_marks", "_names", "_numbers", "_request_lines", "_spellings", "loose")

    def __init__(self) -> None:
        super().__init__()
        #: Names as clients spell them → lower case; "" where nothing depends on the field.
        self._spellings: dict[bytes, str] = {}
        self._request_lines: set[bytes] = set()
        self._names = {"host", "connection"}
        self._logged: set[str] = set()
        self._numbers = itertools.count(1)
        self._marks = [0] * MARKS
        #: What a line of a loose field on which no answer depends begins with, and the field's name if log lines take it, else "".
        self.loose: list[tuple[bytes, str]] = []

    def care_about(self, names: Iterable[str], *, logged: bool = False) -> None:
        """Answers (or, `logged`, log lines) depend on these fields too from now on. Lower-case names."""
        known = self._logged if logged else self._names
        if not known.issuperset(names):
            known.update(names)
            self.clear()
            self._spellings.clear()
            self.loose.clear()

    def cut(self, head: bytes) -> tuple[bytes, bytes, Values]:
        """Request line, the head behind it without the lines of loose fields, and what log lines take of those.

        What is cut out holds no line end but the one before it, so whether there are empty lines, and where, is still seen in what is
        left: if that is the rest of one whole head, so is all of it.
        Costs: a search and a pass over the value for each loose field. Raises Unusual.
        """
        end = head.find(b"\r")
        line, rest = head[:end], head[end:]
        logged: Values = {}
        for start, name in self.loose:
            at = rest.find(start)
            if at < 0:
                continue
            end = rest.find(b"\r", at + 2)
            value = rest[at + len(start) : end]
            if end < 0 or b"\n" in value.translate(_LOGGABLE if name else _PLAIN):
                raise Unusual
            rest = rest[:at] + rest[end:]
            if name:
                if not value or name in logged:
                    raise Unusual
                logged[name] = value.strip(b" ")
        return line, rest, logged

    def read(self, head: bytes, limit: int) -> tuple[bytes, list[Field], Values]:
        """Request line, the fields that anything depends on, in order and by name; at most `limit` fields.

        The request line is judged by `check_request_line`, if it is not one that an answer is kept for.
        Costs: a split, and one look-up per line. Raises Unusual.
        """
        lines = head.split(b"\r\n")
        if not 3 <= len(lines) <= limit + 3 or lines.pop() or lines.pop():
            raise Unusual
        first = lines.pop(0)
        found: list[Field] = list(filter(None, map(self.__getitem__, lines)))
        values = {name: value for _, name, value in found}
        if len(values) != len(found):
            raise Unusual
        return first, found, values

    def check_request_line(self, line: bytes) -> None:
        """Judge a request line. Raises Unusual."""
        if line in self._request_lines:
            return
        if len(line) > MAX_REQUEST_LINE or _REQUEST.fullmatch(line) is None:
            raise Unusual
        if len(self._request_lines) >= MAX_LINES:
            self._request_lines.clear()
        self._request_lines.add(line)

    def __missing__(self, line: bytes) -> Field | None:
        """Judge a line that is not remembered. Costs a look-up of its name and a pass over it."""
        spelling, colon, value = line.partition(b":")
        name = self._spellings.get(spelling)
        if name is None:
            name = self._learn_name(spelling)
        if not colon or b"\n" in line.translate(_PLAIN):
            raise Unusual
        is_known = len(line) <= MAX_LINE and self._is_second_sight(line)
        field = self._field(name, value.strip(b" \t"), is_known) if name else None
        if is_known:
            if len(self) >= MAX_LINES:
                self.clear()
            self[line] = field
        return field

    def _is_second_sight(self, line: bytes) -> bool:
        mark = hash(line)
        slot = mark & (MARKS - 1)
        if self._marks[slot] == mark:
            return True
        self._marks[slot] = mark
        return False

    def _learn_name(self, spelling: bytes) -> str:
        if _TOKEN.fullmatch(spelling) is None:
            raise Unusual
        name = spelling.decode("ascii").lower()
        if name in UNUSUAL:
            raise Unusual
        if len(self._spellings) >= MAX_LINES:
            self._spellings.clear()
        if name in LOOSE and name not in self._names:
            start = b"\r\n%b: " % spelling
            if sum(known.lower() == start.lower() for known, _ in self.loose) < MAX_SPELLINGS:
                self.loose.append((start, name if name in self._logged else ""))
        kept = self._spellings[spelling] = name if name in self._names or name in self._logged else ""
        return kept

    def _field(self, name: str, value: bytes, is_known: bool) -> Field:
        if name not in self._names:
            return 0, name, value if value and b"\n" not in value.translate(_LOGGABLE) else value.decode("latin-1")
        if not value:
            raise Unusual
        text = value.decode("latin-1")
        if name == "connection":
            asked = _CONNECTION.get(text.lower())
            if asked is None:
                raise Unusual
            text = asked
        return next(self._numbers) if is_known else -1, name, text
