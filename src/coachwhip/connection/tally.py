"""What replayed answers leave behind: counts for the scoreboard, and lines for the logs."""

from __future__ import annotations

from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.finding import Hit
from coachwhip.connection.lines import Values
from coachwhip.connection.loglines import Planner, Sheets, plan_logs, say_again, stand_in, tell_cut
from coachwhip.connection.peer import Sending
from coachwhip.request.replay import Entry

__all__ = ["Tally"]


class Tally:
    """The replays of one worker."""

    __slots__ = ("_planners", "accesses", "bytes", "client", "last", "sheets")

    def __init__(self, planners: tuple[Planner, ...]) -> None:
        self._planners = planners
        #: Log lines of this turn; whoever ends the turn hands them over.
        self.sheets = Sheets()
        #: Replays and their bytes since the scoreboard last asked; what the last of them was, and the address of its client.
        self.accesses = 0
        self.bytes = 0
        self.last: Request | None = None
        self.client = ""

    def count(self, accesses: int, size: int, last: Entry, client: str) -> None:
        """Add answers of `size` bytes together, the last of which was this one for that client."""
        self.accesses += accesses
        self.bytes += size
        self.last, self.client = last.request, client

    def log(
        self, entry: Entry, values: Values, info: Connection, arrived: int, sent: int, second: bytes,
        *, hit: Hit | None = None, started: float = 0.0,
    ) -> None:  # fmt: skip
        """Count and log an answer that went out whole; a `hit` by bytes has its lines ready from then on."""
        self.count(1, sent, entry, info.client_ip)
        entry.used += 1
        if entry.forms is None:
            has_readers, entry.forms = plan_logs(self._planners, self.sheets, entry, values, info, sent)
            entry.is_plain = not has_readers and not entry.log
        if not entry.is_plain:
            stand_in(entry, values, info, arrived, sent, started)
            say_again(entry, info)
        lines = [(filler.append, filler.fill(form, entry, values, info.client_ip, second, sent)) for filler, form in entry.forms]
        for append, line in lines:
            append(line)
        if hit is not None and entry.is_plain:
            hit.lines, hit.ready_for, hit.until = lines, info.client_ip, entry.until

    def finish(self, sending: Sending, info: Connection, size: int) -> None:
        """An answer of `size` bytes is out by now, later than the turn that began it: count and log it."""
        self.log(sending.entry, sending.values, info, sending.arrived, size, sending.second, started=sending.started)
        self.sheets.pass_on()

    def cut(self, sending: Sending, info: Connection, size: int) -> Request:
        """Count an answer that was cut after `size` bytes; returns the record that logs are to look at."""
        entry = sending.entry
        self.count(1, size, entry, info.client_ip)
        stand_in(entry, sending.values, info, sending.arrived, size, sending.started)
        say_again(entry, info)
        return tell_cut(entry, size)
