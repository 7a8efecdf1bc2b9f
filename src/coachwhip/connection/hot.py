"""The hot path: from the bytes of a request to a kept answer, without a request record.

Two look-ups. The first takes the raw bytes of the whole head: the same client asking the same thing again. The second takes the head
apart line by line (`lines.py`). What is unusual in any way is no hit: the ordinary path judges it.

What it must cost, beyond `recv` and `send`: one look at the queue of file changes, one clock, one look-up (or one per header line), and
one log line.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from fcntl import ioctl
from termios import FIONREAD
from time import monotonic
from typing import Any

from coachwhip.api.log import LogTemplate
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server
from coachwhip.connection.lines import Lines, Unusual
from coachwhip.connection.standin import Planner, plan_logs, say_again, stand_in
from coachwhip.request.replay import Entry, Replay, Table
from coachwhip.request.reply import Reply
from coachwhip.util.dates import clf_time, http_date
from coachwhip.util.escapes import escape_logitem

__all__ = ["HotPath"]

#: Raw heads that are remembered per local address, their size, and the marks of those that were seen once.
MAX_RAW = 4096
MAX_RAW_HEAD = 4096
SECOND_SIGHT = 1 << 14
#: Longer heads go the ordinary way: no limit on fields can be exceeded below this.
MAX_HEAD = 8000

Fields = dict[str, Any]
#: What was written to each log: how, and the line.
Written = list[tuple[Callable[[bytes], None], bytes]]


class Hit:
    """A kept answer under the very bytes that asked for it, with its log lines as they were last written."""

    __slots__ = ("client", "entry", "fields", "lines", "lines_client", "lines_second")

    def __init__(self, entry: Entry, client: str | None, fields: Fields) -> None:
        self.entry = entry
        #: The only client that gets this answer, if addresses count.
        self.client = client
        self.fields = fields
        #: (write, line) for each log, for this client in this second; None if they differ from request to request.
        self.lines: Written | None = None
        self.lines_client = ""
        self.lines_second = b""


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = (
        "_buffer", "_clf", "_fields", "_hit", "_logged", "_planners", "_seen", "_until", "_watch",
        "accesses", "bytes", "date", "entry", "last", "lines", "now", "replay",
    )  # fmt: skip

    def __init__(self, replay: Replay, planners: tuple[Planner, ...]) -> None:
        self.replay = replay
        self.lines = Lines()
        self._planners = planners
        #: Servers whose log lines' request fields are known.
        self._logged: set[Server] = set()
        self._seen = [0] * SECOND_SIGHT
        #: inotify's descriptor (-1 without), and where the system says how much is waiting there.
        self._watch = replay.watcher.fileno()
        self._buffer = array("i", [0])
        #: The second at hand as `Date` and as `%t` have it, and the monotonic time at which it ends.
        self.date = b""
        self._clf = b""
        self._until = 0.0
        #: The latest look-up: when (monotonic), what was found, under which raw bytes or fields.
        self.now = 0.0
        self.entry: Entry | None = None
        self._hit: Hit | None = None
        self._fields: Fields = {}
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

    # -- finding

    def find(self, table: Table, data: bytes, info: Connection, last: bool) -> bytes | None:
        """The bytes of the kept answer to `data`, or None; `entry` is then what it comes from.

        `last`: the connection may not answer another request after this.
        """
        if self._watch >= 0:
            ioctl(self._watch, FIONREAD, self._buffer)
            if self._buffer[0]:
                self.replay.watcher.look()
        now = self.now = monotonic()
        hit: Hit | None = table.raw.get(data)
        if hit is not None and not last and (hit.client is None or hit.client == info.client_ip):
            entry = hit.entry
            self._fields = hit.fields
        else:
            hit = None
            found = self._find_by_lines(table, data, info, last)
            if found is None:
                return None
            entry = found
        if info.keepalives >= entry.last_at:
            # The connection ends with this one (`MaxKeepAliveRequests` of the host that answers).
            return None if last else self.find(table, data, info, True)
        if now >= entry.recheck and not self.replay.is_fresh(entry, now):
            table.raw.pop(data, None)
            return None
        self._hit = hit
        self.entry = entry
        entry.used += 1
        if now >= self._until:
            self._next_second(now)
        if entry.stamp is self.date and entry.left is None:
            return entry.wire
        return entry.wire_for(self.date, entry.last_at - info.keepalives)

    def _next_second(self, now: float) -> None:
        wall = time.time()
        self.date = http_date(int(wall)).encode("ascii")
        self._clf = f"[{clf_time(wall)}]".encode("ascii")
        self._until = now + 1 - wall % 1

    def _find_by_lines(self, table: Table, data: bytes, info: Connection, last: bool) -> Entry | None:
        """Take the head apart by its lines, each known from before or judged now."""
        if len(data) > MAX_HEAD or not data.endswith(b"\r\n\r\n"):
            return None
        try:
            line, fields, logged = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        spec = table.specs.get((line, fields.get("host")))
        if spec is None:
            return None
        if last:
            fields["connection"] = "close"
        # Nothing but a host: the plainest of answers, found without its variant.
        is_plainest = len(fields) == 1 and "host" in fields
        entry = spec.plainest if is_plainest else spec.entries.get(spec.variant(fields, info.client_ip))
        if entry is None:
            return None
        logged |= fields
        self._fields = logged
        mark = hash(data)
        slot = mark % SECOND_SIGHT
        if self._seen[slot] != mark:
            self._seen[slot] = mark
        elif not last and len(data) <= MAX_RAW_HEAD:
            # Seen before: next time these bytes are enough.
            if len(table.raw) >= MAX_RAW:
                table.raw.clear()
            table.raw[data] = Hit(entry, info.client_ip if spec.by_client else None, logged)
        return entry

    # -- what each request writes of its own

    def log(self, info: Connection, arrived: int, sent: int) -> None:
        """Access-log lines, error-log lines and counts of the answer that `find` gave last. `sent`: all its bytes.

        Costs: an append per log if the same bytes came from the same client in the same second, else filling a template.
        """
        self.accesses += 1
        self.bytes += sent
        hit = self._hit
        if hit is not None and hit.lines is not None and hit.lines_second is self._clf and hit.lines_client == info.client_ip:
            for write, line in hit.lines:
                write(line)
            return
        entry = self.entry
        if entry is None:
            return
        plan = entry.plan
        if plan is None:
            plan = entry.plan = plan_logs(self._planners, entry, self._fields, info, sent)
        self.last = entry.request
        if plan.has_readers or entry.log:
            stand_in(entry, self._fields, info, arrived, sent)
        made: Written = [(template.target.write, self._filled(template, entry, info, sent)) for template in plan.lines]
        for write, line in made:
            write(line)
        if entry.log:
            say_again(entry, info)
        elif hit is not None and entry.left is None and not plan.has_readers:
            hit.lines, hit.lines_client, hit.lines_second = made, info.client_ip, self._clf

    def _filled(self, template: LogTemplate, entry: Entry, info: Connection, sent: int) -> bytes:
        """A log line: a copy of the template's pieces with the gaps filled."""
        pieces = list(template.pieces)
        for at in template.clients:
            pieces[at] = info.client_ip.encode("latin-1")
        for at in template.seconds:
            pieces[at] = self._clf
        for at in template.sents:
            pieces[at] = b"%d" % sent
        fields = self._fields
        for at, name in template.fields:
            value = fields.get(name, b"-")
            pieces[at] = value if isinstance(value, bytes) else escape_logitem(value.encode("latin-1")).encode("latin-1")
        for at, read, original in template.readers:
            r = entry.request
            pieces[at] = read(r.first if original else r).encode("utf-8", "surrogateescape")
        return b"".join(pieces)

    # -- keeping

    def offer(self, table: Table, data: bytes, info: Connection, reply: Reply) -> None:
        """A finished answer to `data`, which was no hit: keep it if it may be kept."""
        if len(data) > MAX_HEAD or data.find(b"\r\n\r\n") != len(data) - 4:
            return
        first = reply.request.first
        if first.server not in self._logged:
            self._logged.add(first.server)
            for make in self._planners:
                if (plan := make(first)) is not None:
                    self.lines.care_about(plan.field_names, logged=True)
        try:
            line, fields, _ = self.lines.read(data, table.max_fields)
        except Unusual:
            return
        if reply.close and first.server.core.keep_alive and not _asks_to_close(line, fields):
            # Closed for a reason of this connection's own.
            return
        self.replay.counters.misses += 1
        self.lines.care_about(self.replay.keep(table, line, fields, info.client_ip, reply))


def _asks_to_close(line: bytes, fields: Fields) -> bool:
    """RFC 9112 §9.3: whether the connection ends after this request by the client's own wish."""
    asked = fields.get("connection")
    return asked == "close" or (asked is None and line.endswith(b" HTTP/1.0"))
