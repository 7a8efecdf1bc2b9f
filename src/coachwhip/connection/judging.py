"""What a header line means for kept answers, judged once: is it valid, and who depends on it.

Whatever is unusual in any way is for the ordinary path to judge, which is never laxer than this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LOGGABLE", "MARKS", "Judge", "Unusual"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_NAMES = 8192
MAX_REQUEST_LINE = 4000
#: Places for marks of what was met once; a power of two.
MARKS = 1 << 14

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21\x22\x24-\x7e]* HTTP/1\.[01]")
#: Tables for `translate` that leave what is good as it is and turn all else into something else.
#: What a line may consist of: visible octets, Latin-1, blanks (RFC 9110 §5.5).
PLAIN = bytes([octet if octet == 9 or 0x20 <= octet != 0x7F else octet ^ 1 for octet in range(256)])
#: What stands in a log line as it is: printable ASCII without quote and backslash.
LOGGABLE = bytes([octet if 0x20 <= octet < 0x7F and octet not in b'"\\' else octet ^ 1 for octet in range(256)])
#: Fields that differ from client to client, as clients spell them.
LOOSE = (b"User-Agent", b"user-agent", b"Cookie", b"cookie", b"Referer", b"referer")
#: Fields that make a request one for the ordinary path, whatever they say.
UNUSUAL = frozenset({
    "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection",
})  # fmt: skip
_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}


class Unusual(Exception):
    """This head is for the ordinary path."""


class Judge:
    """Knows which fields anything depends on."""

    __slots__ = ("_logged", "_names", "_request_lines", "_spellings")

    def __init__(self) -> None:
        self._names = {"host", "connection"}
        self._logged: set[str] = set()
        #: Names as clients spell them → lower case; "" where nothing depends on the field.
        self._spellings: dict[bytes, str] = {}
        self._request_lines: set[bytes] = set()

    def care_about(self, names: Iterable[str], *, logged: bool) -> bool:
        """Answers (or, `logged`, log lines) depend on these fields too from now on; returns whether that is new. Lower-case names."""
        known = self._logged if logged else self._names
        if known.issuperset(names):
            return False
        known.update(names)
        self._spellings.clear()
        return True

    @property
    def loose(self) -> list[bytes]:
        """Spellings of fields that differ from client to client, and on which no answer depends."""
        return [spelling for spelling in LOOSE if spelling.decode("ascii").lower() not in self._names]

    def check_request_line(self, line: bytes) -> None:
        """Judge a request line. Raises Unusual."""
        if line in self._request_lines:
            return
        if len(line) > MAX_REQUEST_LINE or _REQUEST.fullmatch(line) is None:
            raise Unusual
        if len(self._request_lines) >= MAX_NAMES:
            self._request_lines.clear()
        self._request_lines.add(line)

    def field(self, line: bytes) -> tuple[str, str | bytes] | None:
        """Lower-case name and value of the field in a line; None if nothing depends on it.

        The value is `str` if answers depend on it, else `bytes` if it may stand in a log line as it is. Costs a look-up of the name and
        a pass over the line. Raises Unusual.
        """
        spelling, colon, value = line.partition(b":")
        name = self._spellings.get(spelling)
        if name is None:
            name = self._learn(spelling)
        if not colon or line.translate(PLAIN) != line:
            raise Unusual
        if not name:
            return None
        value = value.strip(b" \t")
        if name not in self._names:
            return name, value if value and value.translate(LOGGABLE) == value else value.decode("latin-1")
        text: str | None = value.decode("latin-1")
        if name == "connection":
            text = _CONNECTION.get(value.decode("latin-1").lower())
        if not text:
            raise Unusual
        return name, text

    def _learn(self, spelling: bytes) -> str:
        if _TOKEN.fullmatch(spelling) is None:
            raise Unusual
        name = spelling.decode("ascii").lower()
        if name in UNUSUAL:
            raise Unusual
        if len(self._spellings) >= MAX_NAMES:
            self._spellings.clear()
        kept = self._spellings[spelling] = name if name in self._names or name in self._logged else ""
        return kept

    def counts(self, name: str) -> bool:
        """Whether answers depend on a field."""
        return name in self._names
