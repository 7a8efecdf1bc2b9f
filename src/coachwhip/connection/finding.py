"""Looking a kept answer up where it is not ready: by the bytes of a head, by its shape, by its lines; what is found is remembered.

What is unusual in any way is not found: the ordinary path judges it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coachwhip.api.server import Connection
from coachwhip.connection.judging import MARKS, Unusual
from coachwhip.connection.lines import Lines, Values
from coachwhip.connection.shapes import Key, Shape
from coachwhip.request.replay import Entry, Table
from coachwhip.util.second_sight import SecondSight

__all__ = ["MAX_HEAD", "Find", "Finder", "Hit"]

#: Longer heads are not remembered by their bytes.
MAX_REMEMBERED = 4096
#: Longer heads go the ordinary way: no limit on fields can be exceeded below this.
MAX_HEAD = 8000


class Hit:
    """Where the very bytes of a head lead, perhaps with log lines that are ready."""

    __slots__ = ("client", "entry", "lines", "ready_for", "until", "values")

    def __init__(self, entry: Entry, client: str | None, values: Values) -> None:
        self.entry = entry
        #: The only client that gets this answer, if addresses count.
        self.client = client
        self.values = values
        #: (where to, line) for each log, good for this client until then (monotonic seconds).
        self.lines: Sequence[tuple[Callable[[bytes], None], bytes]] = ()
        self.ready_for = ""
        self.until = 0.0


@dataclass(slots=True)
class Find:
    """A kept answer, the fields that log lines take, and by which bytes it was found, if it was found by them."""

    entry: Entry
    values: Values
    hit: Hit | None = None


class Finder:
    """Finds among the kept answers of one worker."""

    __slots__ = ("_is_second_sight", "lines")

    def __init__(self) -> None:
        self.lines = Lines()
        self._is_second_sight = SecondSight(MARKS)

    def find(self, table: Table, data: bytes, info: Connection, *, by_bytes: bool, is_last: bool) -> Find | None:
        """The kept answer to `data`. `by_bytes`: this look-up is worth trying; `is_last`: the connection may answer no other request."""
        hit: Hit | None = table.by_raw(data) if by_bytes else None
        if hit is not None and (hit.client is None or hit.client == info.client_ip):
            find: Find | None = Find(hit.entry, hit.values, hit)
        else:
            find = self._by_shape(table, data, info)
            if find is not None and by_bytes:
                self.remember(table, data, find, info)
        if find is not None and (is_last or info.keepalives >= find.entry.last_at):
            return self._last(table, data, info)
        return find

    def remember(self, table: Table, data: bytes, find: Find, info: Connection) -> None:
        """Let the bytes of a head lead to what was found, from the second time on."""
        if len(data) <= MAX_REMEMBERED and self._is_second_sight(data):
            table.raw.remember(data, Hit(find.entry, info.client_ip if find.entry.spec.by_client else None, find.values))

    def _last(self, table: Table, data: bytes, info: Connection) -> Find | None:
        """As if the client had asked for the end of the connection."""
        try:
            line, _, values = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        entry = _look_up(table, line, values | {"connection": "close"}, info.client_ip)
        return None if entry is None else Find(entry, values)

    def _by_shape(self, table: Table, data: bytes, info: Connection) -> Find | None:
        """By the request line and all the rest but what differs from client to client; else by its lines."""
        if len(data) > MAX_HEAD:
            return None
        line, _, fields = data.partition(b"\r")
        key: Key = ()
        shape: Shape | None = info.shape
        loose = shape.cut(fields) if shape is not None and shape.is_current else None
        if shape is None or loose is None:
            key, loose = self.lines.shapes.cut(fields)
            shape = info.shape = self.lines.shapes.get(key)
        entry = table.by_head(line + shape.mark) if shape is not None else None
        if shape is not None and entry is not None:
            return Find(entry, shape.values_with(loose))
        return self._by_lines(table, data, info.client_ip, shape, key)

    def _by_lines(self, table: Table, data: bytes, client: str, shape: Shape | None, key: Key) -> Find | None:
        """By its lines, each known from before or judged now. `shape`: its own, if it is known; `key`: what is left of it if not."""
        try:
            line, found, values = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        entry = _look_up(table, line, values, client)
        if entry is None:
            return None
        if not entry.spec.by_client:
            shape = shape or self.lines.shapes.learn(key, found, values, data.count(b"\r\n") - 2)
            if shape is not None and line + shape.mark not in table.heads:
                table.heads.remember(line + shape.mark, entry)
        return Find(entry, values)


def _look_up(table: Table, line: bytes, values: Values, client: str) -> Entry | None:
    """By the values of exactly those fields that the answers to this request line depend on."""
    spec = table.find(line, values.get("host"))
    return None if spec is None else spec.entries.get(spec.variant(values, client))
