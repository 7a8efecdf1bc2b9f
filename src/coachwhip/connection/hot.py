"""The hot path: from the bytes of a request to a kept answer on its way, without a request record.

Requests come in turns: all that has arrived is read, then one look (`look`) takes in what has changed among the files, then each is
answered. An answer is *ready* for a second at most: its bytes carry that second's date, and its files need not be asked. What is ready
goes out by `serve` alone; all else is looked up and made ready by `answer` and `finding.py`, or is for the ordinary path.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from math import inf
from os import write
from socket import socket
from time import monotonic
from typing import TypeVar

from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.finding import MAX_HEAD, Find, Finder, Hit
from coachwhip.connection.lines import Values
from coachwhip.connection.loglines import Planner, Sheets, plan_logs, say_again, stand_in, tell_cut
from coachwhip.connection.outbox import send_with_file
from coachwhip.connection.peer import Peer, Sending
from coachwhip.connection.shapes import Shape
from coachwhip.connection.states import IDLE
from coachwhip.request.replay import Entry, Replay, Table
from coachwhip.util.dates import clf_time, http_date

__all__ = ["HotPath"]

#: Requests in a row that nobody sent before, after which few are looked up by their bytes.
PATIENCE = 64

P = TypeVar("P", bound=Peer)
#: An answer that was given, and what is to follow of it, or to be logged.
Given = tuple[Entry, "Sending | None"]


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = (
        "_clf", "_finder", "_planners", "_strangers", "_take_in", "_until",
        "accesses", "bytes", "client", "date", "is_draining", "last", "lines", "now", "replay", "sheets",
    )  # fmt: skip

    def __init__(self, replay: Replay, planners: tuple[Planner, ...]) -> None:
        self.replay = replay
        self._finder = Finder()
        self.lines = self._finder.lines
        #: Log lines of this turn; whoever ends the turn hands them over.
        self.sheets = Sheets()
        self._planners = planners
        #: Requests in a row that were not found by their bytes.
        self._strangers = 0
        #: Lets go of what is kept and has changed.
        self._take_in = replay.watcher.look
        #: When the turn began (monotonic); the second at hand as `Date` and as `%t` have it, and when it ends.
        self.now = 0.0
        self.date = b""
        self._clf = b""
        self._until = 0.0
        #: Set when the worker drains: every connection ends with its next answer.
        self.is_draining = False
        #: Replays and their bytes since the scoreboard last asked; what the last of them was, and the address of its client.
        self.accesses = 0
        self.bytes = 0
        self.last: Request | None = None
        self.client = ""

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
        self._take_in()
        now = self.now = monotonic()
        if now >= self._until:
            wall = time.time()
            self.date = http_date(int(wall)).encode("ascii")
            self._clf = f"[{clf_time(wall)}]".encode("ascii")
            self._until = now + 1 - wall % 1
            self.replay.new_second(self._until)

    def serve(self, arrived: Iterable[tuple[P, bytes | None]]) -> list[tuple[P, bytes | None]]:
        """Give the kept answers to what was read in this turn; returns those that none is for. Raises what `look` raises.

        `arrived`: who asks, and what for; b"" is the end of input, None the loss of the connection.
        Costs a look, and for each answer that is ready: a look-up by the bytes, or else `Shape.cut` and a look-up; a `write`; adding a
        line per log. Whatever else is needed costs a call of `answer`.
        """
        self.look()
        # Nothing is ready while the worker drains: each answer is to be its connection's last.
        now = self.now if not self.is_draining else inf
        second = self._clf
        strangers = self._strangers
        hits = size = 0
        hit: Hit | None
        latest: Entry | None = None
        others: list[tuple[P, bytes | None]] = []
        shape: Shape | None = None
        for peer, data in arrived:
            table = peer.table
            if table is None or data is None or peer.state is not IDLE:
                others.append((peer, data))
                continue
            try:
                info = peer.info
                # Where nobody repeats himself to the letter, that is tried only now and then.
                if strangers >= PATIENCE and strangers & 63:
                    by_bytes, hit = False, None
                else:
                    by_bytes, hit = True, table.by_raw(data)
                loose: list[bytes] | None = None
                entry: Entry | None = None
                if hit is not None:
                    strangers = 0
                    if now < hit.until and info.client_ip == hit.ready_for:
                        entry = hit.entry
                elif not data:
                    others.append((peer, data))
                    continue
                else:
                    strangers += 1
                    # A client's heads are all of one shape, mostly.
                    shape = info.shape
                    if shape is not None and shape.is_current:
                        line, _, fields = data.partition(b"\r")
                        loose = shape.cut(fields)
                        if loose is not None:
                            entry = table.by_head(line + shape.mark)
                            if entry is not None and (now >= entry.until or not entry.is_plain):
                                entry = None
                if entry is None or info.keepalives >= entry.last_at:
                    given = self.answer(table, data, info, peer.fd, peer.socket, by_bytes=by_bytes)
                    if given is None:
                        others.append((peer, data))
                    else:
                        peer.replayed(*given)
                    continue
                fd = peer.fd
                try:
                    sent = write(fd, entry.wire) if entry.file is None else send_with_file(peer.socket, fd, entry.wire, entry.file)
                except OSError:
                    # There is no room now, or nobody is there any more: the connection goes on, and finds out.
                    sent = 0
                if sent != entry.length:
                    peer.replayed(entry, Sending(entry, _values(hit, shape, loose), len(data), sent, second))
                    continue
                if hit is not None:
                    for append, text in hit.lines:
                        append(text)
                elif shape is not None and loose is not None:
                    if by_bytes:
                        self._finder.remember(table, data, Find(entry, shape.values_with(loose)), info)
                    for filler, form in entry.forms:
                        filler.append(filler.fill_loose(form, shape, loose, info.client_ip, second, sent))
                latest, last = entry, info
                entry.used += 1
                hits += 1
                size += sent
                info.bytes_out += sent
                if entry.close:
                    peer.replayed(entry, None)
                else:
                    # As `replayed` does it, at the cost of no call.
                    info.keepalives += 1
                    peer.clock.deadline = now + entry.keep_alive
            except Exception as error:
                peer.fault(error)
        self._strangers = strangers
        if latest is not None:
            self.last, self.client = latest.request, last.client_ip
        self.accesses += hits
        self.bytes += size
        return others

    def answer(
        self, table: Table, data: bytes, info: Connection, fd: int, sock: socket | None, *, by_bytes: bool = True
    ) -> Given | None:
        """Give the kept answer to `data`, made ready first if it has to be; None if there is none.

        `sock`: the connection's, if there is one yet; without it no file is sent, and an answer is logged only if it is the last.
        `by_bytes`: looking it up by its bytes is worth trying.
        """
        if not table.specs:
            return None
        find = self._finder.find(table, data, info, by_bytes=by_bytes, is_last=self.is_draining)
        if find is None:
            return None
        entry = find.entry
        if info.keepalives >= entry.last_at or (self.now >= entry.recheck and not self.replay.is_fresh(entry)):
            return None
        entry.renew(self.date, entry.last_at - info.keepalives)
        if entry.left is None:
            entry.until = min(entry.recheck, self._until)
        try:
            sent = write(fd, entry.wire) if entry.file is None else send_with_file(sock, fd, entry.wire, entry.file)
        except OSError:
            sent = 0
        if sent != entry.length or (sock is None and not entry.close):
            return entry, Sending(entry, find.values, len(data), sent, self._clf)
        self._log(entry, find.values, info, len(data), sent, self._clf, hit=find.hit)
        info.bytes_out += sent
        return entry, None

    # -- what follows later

    def finish(self, sending: Sending, info: Connection, size: int) -> None:
        """An answer of `size` bytes is out by now: count and log it."""
        self._log(sending.entry, sending.values, info, sending.arrived, size, sending.second, started=sending.started)
        self.sheets.hand_over()

    def cut(self, sending: Sending, info: Connection, size: int) -> Request:
        """Count an answer that was cut after `size` bytes; returns the record that logs are to look at."""
        entry = sending.entry
        self.accesses += 1
        self.bytes += size
        self.last, self.client = entry.request, info.client_ip
        stand_in(entry, sending.values, info, sending.arrived, size, sending.started)
        say_again(entry, info)
        return tell_cut(entry, size)

    def _log(
        self, entry: Entry, values: Values, info: Connection, arrived: int, sent: int, second: bytes,
        *, hit: Hit | None = None, started: float = 0.0,
    ) -> None:  # fmt: skip
        """Log lines and counts of an answer that went out whole; a `hit` by bytes has its lines ready from then on."""
        self.accesses += 1
        self.bytes += sent
        self.last, self.client = entry.request, info.client_ip
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


def _values(hit: Hit | None, shape: Shape | None, loose: list[bytes] | None) -> Values:
    """What log lines take of a head, by whichever way its answer was found."""
    if hit is not None:
        return hit.values
    return shape.values_with(loose) if shape is not None and loose is not None else {}
