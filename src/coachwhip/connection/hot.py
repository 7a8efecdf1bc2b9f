"""The hot path: from the bytes of a request to a kept answer, without a request record.

Two look-ups. The first takes the raw bytes of the whole head: the same client asking the same thing again. The second takes the head
apart by looking each line up among lines that were validated before; only fields that some answer depends on are kept. Whatever is
unusual in any way (a body, an upgrade, a repeated field, a line that is not plainly valid) is no hit: the ordinary path judges it.

What it must cost, beyond `recv` and `send`: one look at the queue of file changes, one or about fifteen dict look-ups, one log line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from coachwhip.request.replay import Entry, Replay, Spec, Table
from coachwhip.request.reply import Reply
from coachwhip.util.dates import http_date

if TYPE_CHECKING:
    from coachwhip.api.server import Connection

__all__ = ["HotPath", "Lines"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512
MAX_HEAD = 8000
MAX_RAW = 4096
SECOND_SIGHT = 1 << 14

#: A field line that needs no second thought: a token, a colon, visible octets or Latin-1 (RFC 9110 §5.5), no empty value.
_PLAIN = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21-\x22\x24-\x7e]* HTTP/1\.[01]")
#: Fields that make a request one for the ordinary path, whatever they say.
_UNUSUAL = frozenset({"content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection"})
_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}


def _no_log(entry: Entry, info: Connection, data: bytes, sent: int) -> None:
    """Nothing is logged."""


def _asks_to_close(line: bytes, fields: dict[str, str]) -> bool:
    """RFC 9112 §9.3: whether the connection ends after this request by the client's own wish."""
    asked = fields.get("connection")
    return asked == "close" or (asked is None and line.endswith(b" HTTP/1.0"))


class Unusual(Exception):
    """This head is for the ordinary path."""


class Lines:
    """Header lines by their bytes: None where no answer depends on the field, else (name, value)."""

    __slots__ = ("_known", "names", "request_lines")

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, str] | None] = {}
        #: Lower-case names of all fields that any kept answer depends on.
        self.names: set[str] = {"host", "connection"}
        self.request_lines: dict[bytes, bool] = {}

    def care_about(self, names: tuple[str, ...]) -> None:
        """Answers depend on these fields too from now on."""
        if not self.names.issuperset(names):
            self.names.update(names)
            self._known.clear()

    def learn(self, line: bytes) -> tuple[str, str] | None:
        """Judge a line that was not seen before.

        Raises:
            Unusual: the ordinary path has to judge it.
        """
        found = _PLAIN.fullmatch(line)
        if found is None or len(line) > MAX_LINE:
            if found is not None and found[1].decode("ascii").lower() not in self.names | _UNUSUAL and len(line) < 8000:
                return None
            raise Unusual
        name = found[1].decode("ascii").lower()
        if name in _UNUSUAL:
            raise Unusual
        value: tuple[str, str] | None = None
        if name in self.names:
            text = found[2].decode("latin-1")
            if name == "connection":
                plain = _CONNECTION.get(text.lower())
                if plain is None:
                    raise Unusual
                text = plain
            value = (name, text)
        if len(self._known) >= MAX_LINES:
            self._known.clear()
        self._known[line] = value
        return value

    def read(self, head: bytes, limit: int) -> tuple[bytes, dict[str, str]]:
        """Request line and the fields that count.

        Raises:
            Unusual: the ordinary path has to judge it.
        """
        lines = head[:-4].split(b"\r\n")
        first = lines[0]
        if first not in self.request_lines:
            if _REQUEST.fullmatch(first) is None or len(first) > 4000:
                raise Unusual
            if len(self.request_lines) >= MAX_LINES:
                self.request_lines.clear()
            self.request_lines[first] = True
        if len(lines) > limit:
            raise Unusual
        fields: dict[str, str] = {}
        known = self._known
        for line in lines[1:]:
            pair = known.get(line, 0)
            if pair is None:
                continue
            if pair == 0:
                pair = self.learn(line)
                if pair is None:
                    continue
            name, value = pair  # type: ignore[misc]
            if name in fields:
                raise Unusual
            fields[name] = value
        return first, fields


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = ("_date", "_raw", "_seen", "_second", "lines", "log", "replay")

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.lines = Lines()
        self._raw: dict[tuple[Table, bytes], tuple[Entry, bool]] = {}
        self._seen = [0] * SECOND_SIGHT
        self._second = 0
        self._date = b""
        #: Writes the log lines of a replayed answer: (entry, connection, raw head, bytes sent).
        self.log: Callable[[Entry, Connection, bytes, int], None] = _no_log

    def table_of(self, info: Connection) -> Table | None:
        """The kept answers of the address that a connection came to; None if its limits want every head judged in full."""
        core = info.base_server.core
        if not core.strict or core.limit_request_line < 4096 or core.limit_request_field_size < MAX_HEAD:
            return None
        return self.replay.table(info.local_ip, info.local_port, info.is_tls, core.limit_request_fields or MAX_HEAD)

    @staticmethod
    def is_plain(data: bytes) -> bool:
        """Whether these bytes can be one whole head, short enough that no limit on single fields can be exceeded."""
        return len(data) <= MAX_HEAD and data.endswith(b"\r\n\r\n") and data.count(b"\r\n\r\n") == 1

    def find(self, table: Table | None, data: bytes, info: Connection, last: bool) -> Entry | None:
        """The kept answer to `data`, or None. `last`: the connection may not answer another request after this.

        `data` is all that has arrived.
        """
        if table is None or not data.endswith(b"\r\n\r\n") or len(data) > MAX_HEAD:
            return None
        replay = self.replay
        replay.settle()
        now = time.monotonic()
        known = self._raw.get((table, data))
        if known is not None and not last:
            entry, by_client = known
            if (not by_client or entry.variant[-1] == info.client_ip) and replay.is_fresh(entry, now):
                return entry
            del self._raw[table, data]
        try:
            line, fields = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        spec = table.find(line, fields.get("host"))
        if spec is None:
            return None
        if last:
            fields["connection"] = "close"
        found = spec.entries.get(spec.variant(fields, info.client_ip))
        if found is None or not replay.is_fresh(found, now):
            return None
        if not last:
            self._remember(table, data, found, spec)
        return found

    def wire(self, entry: Entry, info: Connection, limit: int) -> bytes:
        """The bytes of an answer, with today's date and this connection's count."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = http_date(second).encode("ascii")
        return entry.wire_for(self._date, limit - info.keepalives)

    def offer(self, table: Table | None, data: bytes, info: Connection, reply: Reply) -> None:
        """A finished answer to `data`, which was no hit: keep it if it may be kept."""
        if table is None:
            return
        try:
            line, fields = self.lines.read(data, table.max_fields)
        except Unusual:
            return
        if reply.close and not _asks_to_close(line, fields):
            # Closed for a reason of this connection's own.
            return
        self.replay.counters.misses += 1
        self.lines.care_about(self.replay.keep(table, line, fields, info.client_ip, reply))

    def _remember(self, table: Table, data: bytes, entry: Entry, spec: Spec) -> None:
        """Keep the raw bytes if they were seen before."""
        mark = hash(data)
        slot = mark % SECOND_SIGHT
        if self._seen[slot] != mark:
            self._seen[slot] = mark
            return
        if len(data) > 4096:
            return
        if len(self._raw) >= MAX_RAW:
            self._raw.clear()
        self._raw[table, data] = (entry, spec.by_client)
