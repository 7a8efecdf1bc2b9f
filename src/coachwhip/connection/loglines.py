"""Log lines of replayed answers: everything that one answer's lines have in common is filled in once a second, not once a request.

The record of the request that made an answer stands in for the request at hand where a log format looks at more than the client's
address, the second, the size and request fields. Lines are gathered for a turn of the loop and handed over together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from coachwhip.api.headers import HeadersIn
from coachwhip.api.log import LogPlan, LogTarget, LogTemplate
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.shapes import Shape, Values
from coachwhip.request.replay import Entry, tell
from coachwhip.util.escapes import escape_logitem

__all__ = ["LineMaker", "Planner", "Sheets", "plan_logs", "say_again", "stand_in", "tell_cut"]

#: Where looks of log lines go: nowhere.
_UNRECORDED = Record()

#: Makes the plan by which replays of an answer are logged (provider kind "log_plan").
Planner = Callable[[Request], LogPlan | None]


class Sheets(dict[LogTarget, list[bytes]]):
    """The lines of this turn by log."""

    def __missing__(self, target: LogTarget) -> list[bytes]:
        lines = self[target] = []
        return lines

    def hand_over(self) -> None:
        """The turn is over: every log gets its lines."""
        for target, lines in self.items():
            if lines:
                target.write_all(lines)
                lines.clear()


class LineMaker:
    """Makes the lines of one kept answer for one log."""

    __slots__ = ("_client", "_clients", "_fields", "_loose", "_parts", "_second", "_sent", "_shape", "_template", "append")

    def __init__(self, template: LogTemplate, sheets: Sheets) -> None:
        self._template = template
        #: Adds a line to the turn's.
        self.append = sheets[template.target].append
        #: The line in parts, filled in for this second and size; and the parts that stand open: the client's address, request fields.
        self._parts: list[Any] = []
        self._second = b""
        self._sent = -1
        self._clients: list[int] = []
        self._client = ""
        self._fields: list[tuple[int, str]] = []
        #: Whose request fields are filled in as far as they are the same for all heads of that shape, and where which of the others go.
        self._shape: Shape | None = None
        self._loose: list[tuple[int, int]] = []

    def make_loose(self, shape: Shape, loose: list[bytes], client: str, second: bytes, sent: int) -> bytes:
        """As `make`, for a head of that shape with these loose values, where no reader is needed.

        Costs: filling in the client and the loose values that the line takes, and joining.
        """
        if shape is not self._shape or second is not self._second or sent != self._sent:
            self._fill_for(shape, second, sent)
        parts = self._parts
        if client != self._client:
            self._client, octets = client, client.encode("latin-1")
            for at in self._clients:
                parts[at] = octets
        for at, number in self._loose:
            parts[at] = loose[number]
        return b"".join(parts)

    def _fill_for(self, shape: Shape, second: bytes, sent: int) -> None:
        if second is not self._second or sent != self._sent:
            self._fill(second, sent)
        self._shape = shape
        places = {name: number for number, name in shape.logged}
        self._loose = [(at, places[name]) for at, name in self._fields if name in places]
        for at, name in self._fields:
            if name not in places:
                self._parts[at] = _escaped(shape.values.get(name, b"-"))

    def make(self, entry: Entry, values: Values, client: str, second: bytes, sent: int) -> bytes:
        """The line of a replay to `client` in the `second` (as `%t` has it), of `sent` bytes, for a request with these fields."""
        if second is not self._second or sent != self._sent:
            self._fill(second, sent)
        parts = self._parts
        for at in self._clients:
            parts[at] = client.encode("latin-1")
        self._client, self._shape = client, None
        for at, name in self._fields:
            parts[at] = values.get(name, b"-")
        for at, read, original in self._template.readers:
            r = entry.request
            parts[at] = read(r.first if original else r).encode("utf-8", "surrogateescape")
        try:
            return b"".join(parts)
        except TypeError:
            # A value that is text has to be escaped.
            return b"".join(map(_escaped, parts))

    def _fill(self, second: bytes, sent: int) -> None:
        """Fill in what is the same until the next second. Pieces between two that stand open are joined, if no reader needs its place."""
        template = self._template
        pieces = list(template.pieces)
        for at in template.seconds:
            pieces[at] = second
        for at in template.sents:
            pieces[at] = b"%d" % sent
        self._clients, self._fields = list(template.clients), list(template.fields)
        self._parts = pieces if template.readers else self._joined(pieces)
        self._second, self._sent, self._client, self._shape = second, sent, "", None

    def _joined(self, pieces: list[bytes]) -> list[bytes]:
        fields, clients = dict(self._fields), set(self._clients)
        self._clients, self._fields = [], []
        parts = [b""]
        for at, piece in enumerate(pieces):
            if at in clients:
                self._clients.append(len(parts))
            elif at in fields:
                self._fields.append((len(parts), fields[at]))
            else:
                parts[-1] += piece
                continue
            parts += (b"", b"")
        return parts


def _escaped(value: str | bytes) -> bytes:
    """A value as it stands in a log line; it does already if it is `bytes`."""
    return escape_logitem(value.encode("latin-1")).encode("latin-1") if isinstance(value, str) else value


def plan_logs(
    planners: tuple[Planner, ...], sheets: Sheets, entry: Entry, values: Values, info: Connection, sent: int
) -> tuple[bool, tuple[LineMaker, ...]]:
    """How this answer's replays are logged, once for all of them; and whether a line takes what only a reader knows."""
    stand_in(entry, values, info, 0, sent)
    first = entry.request.first
    plans = [plan for make in planners if (plan := make(first)) is not None]
    makers = tuple([LineMaker(template, sheets) for plan in plans for template in plan.lines])
    return any(plan.has_readers for plan in plans), makers


def stand_in(entry: Entry, values: Values, info: Connection, arrived: int, sent: int, started: float = 0.0) -> None:
    """Let the kept record speak for the request at hand, as far as logs look.

    `arrived`, `sent`: bytes on the wire; `started`: wall clock, 0 for now.
    """
    r = entry.request
    first = r.first
    traffic = r.traffic
    traffic.started, traffic.finished = started or time.time(), None
    traffic.bytes_in, traffic.bytes_out = arrived, sent
    traffic.kept_alive = not entry.close
    first.connection = r.connection = info
    raw = tuple([
        (name.encode("latin-1"), value.encode("latin-1") if isinstance(value, str) else value) for name, value in values.items()
    ])
    first.headers_in = r.headers_in = HeadersIn.from_wire(raw, _UNRECORDED)
    first.raw_headers = r.raw_headers = raw
    # A request that the error log speaks of is given a name of its own.
    first.notes.pop("log-id", None)
    tell(r, "hit")
    first.bytes_sent = r.bytes_sent = entry.body_size


def tell_cut(entry: Entry, sent: int) -> Request:
    """Let the record that stands in for a request say that its answer was cut after `sent` bytes."""
    r = entry.request
    first = r.first
    r.traffic.finished, r.traffic.kept_alive = time.time(), False
    first.bytes_sent = r.bytes_sent = min(entry.body_size, max(sent - len(entry.head), 0))
    return first


def say_again(entry: Entry, info: Connection) -> None:
    """Write the error-log lines of the kept answer once more."""
    r = entry.request
    if r.server.errors is not None:
        for said in entry.log:
            r.server.errors.write(said.level, said.module, said.log_id, said.message, connection=info, request=r, error=said.error)
