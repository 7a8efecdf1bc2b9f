"""Log lines of replayed answers: everything that one answer's lines have in common is filled in once a second, not once a request.

The record of the request that made an answer stands in for the request at hand where a log format looks at more than the client's
address, the second, the size and request fields. Lines are gathered for a turn of the loop and handed over together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from coachwhip.api.headers import HeadersIn
from coachwhip.api.log import LogGaps, LogPlan, LogTarget, LogTemplate
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.shapes import Shape, Values
from coachwhip.request.replay import Entry, tell
from coachwhip.util.escapes import escape_logitem

__all__ = ["Forms", "LineFiller", "Planner", "Sheets", "plan_logs", "say_again", "stand_in", "tell_cut"]

#: Where looks of log lines go: nowhere.
_UNRECORDED = Record()

#: Makes the plan by which replays of an answer are logged (provider kind "log_plan").
Planner = Callable[[Request], LogPlan | None]
#: The lines of one answer: of each what fills it, and its form.
Forms = tuple[tuple["LineFiller", bytes], ...]
#: Kinds of lines that are remembered; beyond them they are forgotten and come again.
MAX_FILLERS = 1024


class Sheets(dict[LogTarget, list[bytes]]):
    """The lines of this turn by log."""

    __slots__ = ("_fillers",)

    def __init__(self) -> None:
        super().__init__()
        self._fillers: dict[tuple[LogTarget, LogGaps], LineFiller] = {}

    def __missing__(self, target: LogTarget) -> list[bytes]:
        lines = self[target] = []
        return lines

    def filler(self, template: LogTemplate) -> LineFiller:
        """What fills a line: one for all lines of a log that have the same gaps, so that an answer brings no more than a form."""
        key = template.target, template.gaps
        filler = self._fillers.get(key)
        if filler is None:
            if len(self._fillers) >= MAX_FILLERS:
                self._fillers.clear()
            filler = self._fillers[key] = LineFiller(template.gaps, self[template.target].append)
        return filler

    def hand_over(self) -> None:
        """The turn is over: every log gets its lines, and writes them."""
        for target, lines in self.items():
            if lines:
                target.write_all(lines)
                lines.clear()

    def pass_on(self) -> None:
        """Something has ended outside a turn: every log gets its lines, and writes them with what others give it meanwhile."""
        for target, lines in self.items():
            for line in lines:
                target.write(line)
            lines.clear()


class LineFiller:
    """Fills the gaps in the lines that one log gets of many answers, lines that differ in their forms alone."""

    __slots__ = ("_client", "_filling", "_gaps", "_loose", "_second", "_shape", "append")

    def __init__(self, gaps: LogGaps, append: Callable[[bytes], None]) -> None:
        #: Adds a line to the turn's.
        self.append = append
        self._gaps = gaps
        #: What is filled in; and for which client, second and shape that is good, where loose values aside.
        self._filling: list[Any] = [b""] * gaps.count
        self._client = ""
        self._second = b""
        self._shape: Shape | None = None
        #: Which gap takes which of the loose values.
        self._loose: list[tuple[int, int]] = []

    def fill_loose(self, form: bytes, shape: Shape, loose: list[bytes], client: str, second: bytes, sent: int) -> bytes:
        """As `fill`, for a head of that shape with these loose values, where no reader is needed.

        Costs: putting the loose values that the line takes into their places, and formatting.
        """
        if shape is not self._shape or second is not self._second:
            self._fill_for(shape, second)
        filling = self._filling
        if client != self._client:
            self._client, octets = client, client.encode("latin-1")
            for at in self._gaps.clients:
                filling[at] = octets
        for at, number in self._loose:
            filling[at] = loose[number]
        for at in self._gaps.sents:
            filling[at] = b"%d" % sent
        return form % tuple(filling)

    def _fill_for(self, shape: Shape, second: bytes) -> None:
        self._shape, self._second = shape, second
        for at in self._gaps.seconds:
            self._filling[at] = second
        places = {name: number for number, name in shape.logged}
        self._loose = [(at, places[name]) for at, name in self._gaps.fields if name in places]
        for at, name in self._gaps.fields:
            if name not in places:
                self._filling[at] = _escaped(shape.values.get(name, b"-"))

    def fill(self, form: bytes, entry: Entry, values: Values, client: str, second: bytes, sent: int) -> bytes:
        """The line of a replay to `client` in the `second` (as `%t` has it), of `sent` bytes, for a request with these fields."""
        filling = self._filling
        self._client, self._shape = client, None
        octets = client.encode("latin-1")
        for at in self._gaps.clients:
            filling[at] = octets
        for at in self._gaps.seconds:
            filling[at] = second
        for at in self._gaps.sents:
            filling[at] = b"%d" % sent
        for at, name in self._gaps.fields:
            filling[at] = values.get(name, b"-")
        for at, read, original in self._gaps.readers:
            r = entry.request
            filling[at] = read(r.first if original else r).encode("utf-8", "surrogateescape")
        try:
            return form % tuple(filling)
        except TypeError:
            # A value that is text has to be escaped.
            return form % tuple(map(_escaped, filling))


def _escaped(value: str | bytes) -> bytes:
    """A value as it stands in a log line; it does already if it is `bytes`."""
    return escape_logitem(value.encode("latin-1")).encode("latin-1") if isinstance(value, str) else value


def plan_logs(
    planners: tuple[Planner, ...], sheets: Sheets, entry: Entry, values: Values, info: Connection, sent: int
) -> tuple[bool, Forms]:
    """How this answer's replays are logged, once for all of them; and whether a line takes what only a reader knows."""
    stand_in(entry, values, info, 0, sent)
    first = entry.request.first
    plans = [plan for make in planners if (plan := make(first)) is not None]
    forms = tuple([(sheets.filler(template), template.form) for plan in plans for template in plan.lines])
    return any(plan.has_readers for plan in plans), forms


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
