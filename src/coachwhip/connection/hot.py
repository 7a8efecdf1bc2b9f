"""The hot path: from the bytes of a request to a kept answer, without a request record.

Requests come in turns: all that has arrived is read, then one look (`look`) takes in what has changed among the files, then each is
answered. Three look-ups: by the raw bytes of the whole head, when the same client asks the same thing again; by the request line and the
rest without what differs from client to client; by the request line and the header lines that count (`lines.py`). What is unusual in any
way is no hit: the ordinary path judges it.

What a request must cost here, beyond its `read` and `write`: a look-up, or one per header line, and adding a log line.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from fcntl import ioctl
from os import write
from termios import FIONREAD
from time import monotonic

from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.judging import SecondSight, Unusual
from coachwhip.connection.lines import Lines, Values
from coachwhip.connection.loglines import Planner, Sheets, plan_logs, say_again, stand_in, tell_cut
from coachwhip.connection.shapes import Key, Shape, Shapes
from coachwhip.request.replay import Entry, Replay, Table
from coachwhip.util.dates import clf_time, http_date

__all__ = ["MAX_HEAD", "HotPath", "Sending"]

#: Longer heads are not remembered by their bytes.
MAX_REMEMBERED = 4096
#: Requests in a row that nobody sent before, after which few are looked up by their bytes.
PATIENCE = 64
#: Longer heads go the ordinary way: no limit on fields can be exceeded below this.
MAX_HEAD = 8000


class Hit:
    """Where a short cut leads; if it is by the very bytes of a head, with the log lines as they were last written."""

    __slots__ = ("client", "entry", "lines", "lines_client", "lines_second", "values")

    def __init__(self, entry: Entry, client: str | None, values: Values) -> None:
        self.entry = entry
        #: The only client that gets this answer, if addresses count.
        self.client = client
        self.values = values
        #: (where to, line) for each log, for this client in this second; () if they differ from request to request.
        self.lines: tuple[tuple[Callable[[bytes], None], bytes], ...] = ()
        self.lines_client = ""
        self.lines_second = b""


class Sending:
    """A kept answer that the socket has not taken whole: what its log line will say when it is out, or cut."""

    __slots__ = ("arrived", "entry", "file", "hit", "rest", "second", "sent", "started", "values")

    def __init__(self, hit: Hit | None, entry: Entry, values: Values, arrived: int, sent: int, wire: bytes, second: bytes) -> None:
        self.hit = hit
        self.entry = entry
        self.values = values
        #: Bytes of the request, bytes of the answer that went out so far, and what is to follow: bytes, and behind them a file.
        self.arrived = arrived
        self.sent = sent
        self.rest = wire[sent:]
        self.file = entry.file if entry.file is None or sent <= len(wire) else entry.file.after(sent - len(wire))
        #: When it began: the second as `%t` has it, and the wall clock.
        self.second = second
        self.started = time.time()


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = (
        "_buffer", "_clf", "_entry", "_hit", "_is_second_sight", "_planners", "_strangers", "_until", "_values", "_watch",
        "accesses", "bytes", "date", "is_draining", "last", "lines", "now", "replay", "sent", "shapes", "sheets", "wire",
    )  # fmt: skip

    def __init__(self, replay: Replay, planners: tuple[Planner, ...]) -> None:
        self.replay = replay
        self.lines = Lines()
        self.shapes = Shapes(self.lines.judge)
        #: Log lines of this turn; whoever ends the turn hands them over.
        self.sheets = Sheets()
        self._planners = planners
        self._is_second_sight = SecondSight()
        #: Requests in a row that were not found by their bytes.
        self._strangers = 0
        #: inotify's descriptor (-1 without), and where the system says how much is waiting there.
        self._watch = replay.watcher.fileno()
        self._buffer = array("i", [0])
        #: When the turn began (monotonic); the second at hand as `Date` and as `%t` have it, and when it ends.
        self.now = 0.0
        self.date = b""
        self._clf = b""
        self._until = 0.0
        #: Set when the worker drains: every connection ends with its next answer.
        self.is_draining = False
        #: The latest find: the bytes that go out, and how many of them are out; whose they are, what was found by raw bytes, and the
        #: fields that log lines take.
        self.wire = b""
        self.sent = 0
        self._entry: Entry | None = None
        self._hit: Hit | None = None
        self._values: Values = {}
        #: Replays and their bytes since the scoreboard last asked, and the latest of them.
        self.accesses = 0
        self.bytes = 0
        self.last: Request | None = None

    def table_of(self, info: Connection) -> Table | None:
        """The kept answers of the address that a connection came to; None if its limits want every head judged in full."""
        core = info.base_server.core
        if not core.strict or core.limit_request_line < 4096 or core.limit_request_field_size < MAX_HEAD:
            return None
        return self.replay.table(info.local_ip, info.local_port, info.is_tls, core.limit_request_fields or MAX_HEAD)

    def look(self) -> None:
        """Take in what has changed, and the time: after the requests of a turn were read, before the first of them is answered.

        Costs: a question to the system, and a clock.
        """
        if self._watch >= 0:
            ioctl(self._watch, FIONREAD, self._buffer)
            if self._buffer[0]:
                self.replay.watcher.look()
        now = self.now = monotonic()
        if now >= self._until:
            wall = time.time()
            self.date = http_date(int(wall)).encode("ascii")
            self._clf = f"[{clf_time(wall)}]".encode("ascii")
            self._until = now + 1 - wall % 1

    def answer(self, table: Table, data: bytes, info: Connection, fd: int) -> Entry | None:
        """Begin to send the kept answer to `data`; `sent` bytes of `wire` are out then, 0 if a file follows it. None if there is none.

        Costs: finding it, and a `write`.
        """
        entry = self.find_last(table, data, info) if self.is_draining else self.find(table, data, info)
        self.sent = 0
        if entry is not None and entry.file is None:
            try:
                self.sent = write(fd, self.wire)
            except OSError:
                # There is no room now, or nobody is there any more: the connection goes on, and finds out.
                self.sent = 0
        return entry

    # -- finding

    def find(self, table: Table, data: bytes, info: Connection) -> Entry | None:
        """The kept answer to `data`, or None; `wire` is then what goes out, as far as it is in memory."""
        # Where nobody repeats himself to the letter, that is tried only now and then.
        by_bytes = self._strangers < PATIENCE or not self._strangers & 15
        hit: Hit | None = table.raw.get(data) if by_bytes else None
        if hit is not None and (hit.client is None or hit.client == info.client_ip):
            self._strangers = 0
            entry = hit.entry
            self._values = hit.values
        else:
            hit = None
            self._strangers += 1
            found = self._find_by_shape(table, data, info)
            if found is None:
                return None
            entry = found
            if by_bytes and len(data) <= MAX_REMEMBERED and self._is_second_sight(data):
                table.raw.remember(data, Hit(entry, info.client_ip if entry.spec.by_client else None, self._values))
        self._hit = hit
        self._entry = entry
        if self.now < entry.until and info.keepalives < entry.last_at:
            self.wire = entry.wire
            return entry
        if info.keepalives >= entry.last_at:
            return self.find_last(table, data, info)
        return entry if self._is_renewed(entry, info) else None

    def find_last(self, table: Table, data: bytes, info: Connection) -> Entry | None:
        """As `find`, on a connection that may not answer another request after this."""
        try:
            line, _, values = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        self._hit, self._values = None, values
        entry = self._entry = self._look_up(table, line, values | {"connection": "close"}, info.client_ip)
        if entry is None or info.keepalives >= entry.last_at or not self._is_renewed(entry, info):
            return None
        return entry

    def _is_renewed(self, entry: Entry, info: Connection) -> bool:
        """Ask the files if it is time, and write the date anew; False if the answer would be another one now."""
        if self.now >= entry.recheck and not self.replay.is_fresh(entry, self.now):
            return False
        self.wire = entry.wire_for(self.date, entry.last_at - info.keepalives)
        if entry.left is None:
            entry.until = min(entry.recheck, self._until)
        return True

    def _find_by_shape(self, table: Table, data: bytes, info: Connection) -> Entry | None:
        """By the request line and all the rest but what differs from client to client; else by its lines."""
        if len(data) > MAX_HEAD or not table.specs:
            return None
        end = data.find(b"\r")
        # A client's heads are all of one shape, mostly.
        shape: Shape | None = info.shape
        loose = shape.cut(data, end) if shape is not None and shape.version == self.lines.judge.version else None
        key: Key = ()
        if shape is None or loose is None:
            key, loose = self.shapes.cut(data, end)
            shape = info.shape = self.shapes.get(key)
        if shape is not None and shape.count <= table.max_fields:
            hit: Hit | None = table.heads.get((data[:end], *shape.numbers))
            if hit is not None:
                self._values = shape.values_with(loose)
                return hit.entry
        return self._find_by_lines(table, data, info.client_ip, shape or key)

    def _find_by_lines(self, table: Table, data: bytes, client: str, shape: Shape | Key) -> Entry | None:
        """Take the head apart by its lines, each known from before or judged now. `shape`: what is known of its shape."""
        try:
            line, found, values = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        entry = self._look_up(table, line, values, client)
        if entry is None:
            return None
        self._values = values
        if not entry.spec.by_client:
            if isinstance(shape, tuple):
                shape = self.shapes.learn(shape, found, values, data.count(b"\r\n") - 2) or shape
            if isinstance(shape, Shape) and (line, *shape.numbers) not in table.heads:
                table.heads.remember((line, *shape.numbers), Hit(entry, None, values))
        return entry

    @staticmethod
    def _look_up(table: Table, line: bytes, values: Values, client: str) -> Entry | None:
        """By the values of exactly those fields that the answers to this request line depend on."""
        spec = table.specs.get((line, values.get("host")))
        return None if spec is None else spec.entries.get(spec.variant(values, client))

    # -- what each request writes of its own

    def begin(self, entry: Entry, arrived: int) -> Sending:
        """The answer that was found last is not out yet; whoever sends the rest calls `finish` or `cut` then."""
        return Sending(self._hit, entry, self._values, arrived, self.sent, self.wire, self._clf)

    def finish(self, sending: Sending, info: Connection, size: int) -> None:
        """As `log`, for an answer of `size` bytes that is out by now."""
        self._hit, self._entry, self._values = sending.hit, sending.entry, sending.values
        self.log(info, sending.arrived, size, sending)
        self.sheets.hand_over()

    def cut(self, sending: Sending, info: Connection, size: int) -> Request:
        """Count an answer that was cut after `size` bytes; returns the record that logs are to look at."""
        entry = sending.entry
        self.accesses += 1
        self.bytes += size
        self.last = entry.request
        stand_in(entry, sending.values, info, sending.arrived, size, sending.started)
        return tell_cut(entry, size)

    def log(self, info: Connection, arrived: int, sent: int, sending: Sending | None = None) -> None:
        """Log lines and counts of the answer that was found last, which went out whole. `arrived`, `sent`: bytes.

        Costs: adding a line per log if the same bytes came from the same client in the same second, else making it.
        """
        self.accesses += 1
        self.bytes += sent
        entry = self._entry
        if entry is None:
            return
        entry.used += 1
        hit = self._hit
        second = self._clf if sending is None else sending.second
        if hit is not None and hit.lines_second is second and hit.lines_client == info.client_ip:
            for append, line in hit.lines:
                append(line)
            return
        if entry.logging is None:
            entry.logging = plan_logs(self._planners, self.sheets, entry, self._values, info, sent)
        has_readers, makers = entry.logging
        self.last = entry.request
        if has_readers or entry.log:
            stand_in(entry, self._values, info, arrived, sent, 0.0 if sending is None else sending.started)
        if hit is None:
            for maker in makers:
                maker.append(maker.make(entry, self._values, info.client_ip, second, sent))
        else:
            lines = tuple([(maker.append, maker.make(entry, self._values, info.client_ip, second, sent)) for maker in makers])
            for append, line in lines:
                append(line)
            if entry.left is None and not has_readers and not entry.log:
                hit.lines, hit.lines_client, hit.lines_second = lines, info.client_ip, second
        if entry.log:
            say_again(entry, info)
