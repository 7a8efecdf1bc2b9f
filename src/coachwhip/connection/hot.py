"""The hot path: from the bytes of a request to a kept answer on its way, without a request record.

Requests come in turns: all that has arrived is read, then one look (`look`) takes in what has changed among the files, then each is
answered. An answer is *ready* for a second at most: its bytes carry that second's date, and its files need not be asked. What is ready
goes out by `serve` alone; all else is looked up and made ready by `answer` and `finding.py`, or is for the ordinary path.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from math import inf
from os import close, write
from socket import socket
from time import monotonic
from typing import TypeVar

from coachwhip.api.server import Connection
from coachwhip.connection.finding import MAX_HEAD, Find, Finder, Hit
from coachwhip.connection.lines import Values
from coachwhip.connection.loglines import Planner
from coachwhip.connection.outbox import send_with_file
from coachwhip.connection.peer import Peer, Sending
from coachwhip.connection.shapes import Shape
from coachwhip.connection.states import IDLE
from coachwhip.connection.tally import Tally
from coachwhip.request.replay import Entry, Replay, Table
from coachwhip.util.dates import clf_time, http_date

__all__ = ["HotPath", "New"]

#: Requests in a row that nobody sent before, after which few are looked up by their bytes.
PATIENCE = 64

P = TypeVar("P", bound=Peer)
#: A new connection: the kept answers of the address that it came to, what came with it, its descriptor, its client, and that address.
New = tuple[Table | None, bytes, int, tuple[str, int], tuple[str, int]]
#: An answer that was given, and what is to follow of it, or to be logged.
Given = tuple[Entry, "Sending | None"]


class HotPath:
    """The kept answers of one worker, as its connections ask for them."""

    __slots__ = (
        "_clf", "_finder", "_strangers", "_take_in", "_until", "date", "is_draining", "lines", "now", "replay", "tally",
    )  # fmt: skip

    def __init__(self, replay: Replay, planners: tuple[Planner, ...]) -> None:
        self.replay = replay
        self._finder = Finder()
        self.lines = self._finder.lines
        #: What was given; whoever ends the turn hands its log lines over.
        self.tally = Tally(planners)
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
            self.tally.count(hits, size, latest, last.client_ip)
        return others

    def serve_new(self, arrived: Iterable[New]) -> list[tuple[New, Sending | None]]:
        """Serve at accept: give ready answers to those that want no other, and close them; returns the rest, with what was begun.

        Raises what `look` raises. Costs a look, and for each answer a look-up by the bytes, a `write`, a `close`, adding a line per log.
        """
        self.look()
        now = self.now
        hits = size = 0
        latest: Entry | None = None
        others: list[tuple[New, Sending | None]] = []
        for new in arrived:
            table, data, fd, client, _ = new
            hit: Hit | None = table.by_raw(data) if table is not None else None
            if hit is None or now >= hit.until or client[0] != hit.ready_for or not hit.entry.close or hit.entry.file is not None:
                others.append((new, None))
                continue
            entry = hit.entry
            try:
                sent = write(fd, entry.wire)
            except OSError:
                sent = 0
            if sent != entry.length:
                others.append((new, Sending(entry, hit.values, len(data), sent, self._clf)))
                continue
            close(fd)
            for append, text in hit.lines:
                append(text)
            latest, last = entry, client
            entry.used += 1
            hits += 1
            size += sent
        if latest is not None:
            self.tally.count(hits, size, latest, last[0])
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
        self.tally.log(entry, find.values, info, len(data), sent, self._clf, hit=find.hit)
        info.bytes_out += sent
        return entry, None


def _values(hit: Hit | None, shape: Shape | None, loose: list[bytes] | None) -> Values:
    """What log lines take of a head, by whichever way its answer was found."""
    if hit is not None:
        return hit.values
    return shape.values_with(loose) if shape is not None and loose is not None else {}
