"""The hot path: from the bytes of a request to a kept answer, without a request record.

Two look-ups. The first takes the raw bytes of the whole head: the same client asking the same thing again. The second takes the head
apart by looking each line up among lines that were validated before; only fields that some answer depends on are kept. Whatever is
unusual in any way (a body, an upgrade, a repeated field, a line that is not plainly valid) is no hit: the ordinary path judges it.

What it must cost, beyond `recv` and `send`: one look at the queue of file changes, one or about fifteen dict look-ups, one log line.
"""

from __future__ import annotations

import re
import time
from array import array
from collections.abc import Callable
from fcntl import ioctl
from termios import FIONREAD
from time import monotonic

from coachwhip.api.headers import HeadersIn
from coachwhip.api.log import LogPiece, LogPlan
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server
from coachwhip.request.replay import Entry, Replay, Table
from coachwhip.request.reply import Reply
from coachwhip.util.dates import http_date

__all__ = ["Hit", "HotPath", "Lines"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512
MAX_HEAD = 8000
MAX_RAW = 4096
MAX_RAW_HEAD = 4096
SECOND_SIGHT = 1 << 14

#: A field line that needs no second thought: a token, a colon, visible octets or Latin-1 (RFC 9110 §5.5), no empty value.
_PLAIN = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*")
#: GET or HEAD, a plain path, HTTP/1.1 or 1.0.
_REQUEST = re.compile(rb"(?:GET|HEAD) /[\x21-\x22\x24-\x7e]* HTTP/1\.[01]")
#: Fields that make a request one for the ordinary path, whatever they say.
_UNUSUAL = frozenset({"content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "http2-settings", "proxy-connection"})
#: Where looks of log lines go: nowhere.
_UNRECORDED = Record()

#: Makes the plan by which replays of an answer are logged (provider kind "log_plan").
Planner = Callable[[Request], LogPlan | None]

_CONNECTION = {"keep-alive": "keep-alive", "close": "close"}


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


class Hit:
    """A kept answer under the very bytes that asked for it, with its log lines as they were last written."""

    __slots__ = ("client", "entry", "fields", "lines", "lines_client", "lines_stamp")

    def __init__(self, entry: Entry, client: str | None, fields: dict[str, str]) -> None:
        self.entry = entry
        #: The only client that gets this answer, if addresses count.
        self.client = client
        #: Request fields that log lines read.
        self.fields = fields
        #: The log lines for this client in this second; None if they differ from request to request.
        self.lines: list[tuple[Callable[[bytes], None], bytes]] | None = None
        self.lines_client = ""
        self.lines_stamp = b""


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = ("_buffer", "_logged", "_planners", "_seen", "_watch", "accesses", "bytes", "date", "last", "lines", "monotonic", "replay", "until")

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
        #: The second at hand as `Date` has it, and the monotonic time at which it ends.
        self.date = b""
        self.until = 0.0
        #: When the latest request was looked up, monotonic.
        self.monotonic = 0.0
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

    def find(self, table: Table, data: bytes, info: Connection, last: bool) -> tuple[bytes, Hit] | None:
        """The bytes of the kept answer to `data`, or None. `last`: the connection may not answer another request after this.

        Costs for bytes that came before: one ioctl, one clock, one dict look-up. For others, a look-up per header line more.
        """
        if self._watch >= 0:
            ioctl(self._watch, FIONREAD, self._buffer)
            if self._buffer[0]:
                self.replay.watcher.look()
        now = self.monotonic = monotonic()
        hit = table.raw.get(data)
        if hit is None or last or (hit.client is not None and hit.client != info.client_ip):
            hit = self._find_by_lines(table, data, info, last)
            if hit is None:
                return None
        entry = hit.entry
        if now >= entry.recheck and not self.replay.is_fresh(entry, now):
            table.raw.pop(data, None)
            return None
        if now >= self.until:
            self._next_second(now)
        if entry.stamp is self.date and entry.left is None:
            return entry.wire, hit
        return entry.wire_for(self.date, info.base_server.core.max_keep_alive_requests - info.keepalives), hit

    def _next_second(self, now: float) -> None:
        wall = time.time()
        self.date = http_date(int(wall)).encode("ascii")
        self.until = now + 1 - wall % 1

    def _find_by_lines(self, table: Table, data: bytes, info: Connection, last: bool) -> Hit | None:
        """Take the head apart by its lines, each known from before or judged now."""
        if not data.endswith(b"\r\n\r\n") or len(data) > MAX_HEAD:
            return None
        try:
            line, fields = self.lines.read(data, table.max_fields)
        except Unusual:
            return None
        spec = table.find(line, fields.get("host"))
        if spec is None:
            return None
        if last:
            fields["connection"] = "close"
        entry = spec.entries.get(spec.variant(fields, info.client_ip))
        if entry is None:
            return None
        hit = Hit(entry, info.client_ip if spec.by_client else None, fields)
        if not last:
            self._remember(table, data, hit)
        return hit

    def _remember(self, table: Table, data: bytes, hit: Hit) -> None:
        """Keep the raw bytes if they were seen before."""
        mark = hash(data)
        slot = mark % SECOND_SIGHT
        if self._seen[slot] != mark:
            self._seen[slot] = mark
        elif len(data) <= MAX_RAW_HEAD:
            if len(table.raw) >= MAX_RAW:
                table.raw.clear()
            table.raw[data] = hit

    # -- what each request writes of its own

    def log(self, hit: Hit, info: Connection, arrived: int, sent: int) -> None:
        """Access-log lines, error-log lines, counts. `sent`: bytes of the whole answer.

        Costs for the same bytes from the same client in the same second: a comparison and one append per log.
        """
        self.accesses += 1
        self.bytes += sent
        if hit.lines is not None and hit.lines_stamp is self.date and hit.lines_client == info.client_ip:
            for write, line in hit.lines:
                write(line)
            return
        self._log_afresh(hit, info, arrived, sent)

    def _log_afresh(self, hit: Hit, info: Connection, arrived: int, sent: int) -> None:
        entry = hit.entry
        r = entry.request
        first = r.first
        self.last = first
        plans = entry.plans
        if plans is None:
            plans = entry.plans = self._plan(first)
        if not plans and not entry.log:
            return
        self._stand_in(hit, first, info, arrived, sent)
        made: list[tuple[Callable[[bytes], None], bytes]] = []
        for plan in plans:
            for target, pieces in plan.lines:
                line = _filled(pieces, first, r)
                target.write(line)
                made.append((target.write, line))
        if entry.log and r.server.errors is not None:
            for said in entry.log:
                r.server.errors.write(said.level, said.module, said.log_id, said.message, connection=info, request=r)
        elif entry.left is None and all(plan.is_steady for plan in plans):
            hit.lines, hit.lines_client, hit.lines_stamp = made, info.client_ip, self.date

    def _learn_log_fields(self, first: Request) -> None:
        """The logs of this server read request fields; from now on they are kept for log lines."""
        if first.server not in self._logged:
            self._logged.add(first.server)
            self._plan(first)

    def _plan(self, first: Request) -> tuple[LogPlan, ...]:
        plans = tuple([plan for make in self._planners if (plan := make(first)) is not None])
        for plan in plans:
            self.lines.care_about(tuple(plan.fields))
        return plans

    def _stand_in(self, hit: Hit, first: Request, info: Connection, arrived: int, sent: int) -> None:
        """Let the record of the kept answer speak for the request at hand, as far as logs look."""
        entry = hit.entry
        r = entry.request
        scratch = first.scratch
        scratch["started"] = time.time()
        scratch.pop("finished", None)
        scratch["bytes_in"] = arrived
        scratch["bytes_out"] = sent
        first.connection = r.connection = info
        first.headers_in = r.headers_in = HeadersIn(hit.fields.items(), _UNRECORDED)
        first.notes["replay"] = "hit"
        first.bytes_sent = r.bytes_sent = sent - len(entry.head)

    # -- keeping

    def offer(self, table: Table, data: bytes, info: Connection, reply: Reply) -> None:
        """A finished answer to `data`, which was no hit: keep it if it may be kept."""
        if len(data) > MAX_HEAD or data.find(b"\r\n\r\n") != len(data) - 4:
            return
        try:
            line, fields = self.lines.read(data, table.max_fields)
        except Unusual:
            return
        if reply.close and not _asks_to_close(line, fields):
            # Closed for a reason of this connection's own.
            return
        self._learn_log_fields(reply.request.first)
        self.replay.counters.misses += 1
        self.lines.care_about(self.replay.keep(table, line, fields, info.client_ip, reply))


def _filled(pieces: tuple[LogPiece, ...], first: Request, final: Request) -> bytes:
    """A log line from its plan."""
    return b"".join(
        [p if isinstance(p, bytes) else p[0](first if p[1] else final).encode("utf-8", "surrogateescape") for p in pieces]
    )
