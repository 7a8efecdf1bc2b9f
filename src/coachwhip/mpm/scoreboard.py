"""The scoreboard: one row per worker process in memory that parent and workers share.

A worker counts in its own memory and publishes its row about once a second, when it is asked, and when it ends; no request pays for
that. The states of slots are read off the worker's connections at that moment, and the replays that the hot path has counted are taken
then too. Whoever reads (`mod_status`, through `api.scoreboard.Scoreboard`) publishes its own row first and sees those of the others as
they were at most a second ago. The parent hands rows out before it forks and keeps the sums of workers that are gone.
"""

from __future__ import annotations

import json
import mmap
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.request import Request
from coachwhip.api.scoreboard import ProcessInfo, Slot, Totals, WorkerState
from coachwhip.api.server import Server
from coachwhip.connection.hot import HotPath
from coachwhip.connection.serve import ClientConnection
from coachwhip.connection.states import State
from coachwhip.mpm.pulse import Pulses
from coachwhip.mpm.shares import Shares
from coachwhip.util.memory import resident_bytes

__all__ = ["Board", "Rows", "Seat", "WorkerScoreboard"]

#: Longest request line that is shown (characters), as in Apache.
REQUEST_LENGTH = 63
#: Most reasons for not keeping an answer that a row has room for.
REASONS = 20
#: A row has two pages, written in turn, so that a reader never sees one half old and half new. Bytes; untouched ones cost nothing.
PAGE = 64 << 10
ROWS = 256
_HEAD = 8

#: What occupies a slot. Apache's event MPM needs no thread, and so no slot, for the other states.
_LETTERS = {State.NEW: WorkerState.READING, State.READING: WorkerState.READING, State.ANSWERING: WorkerState.WRITING}


@dataclass(slots=True)
class Seat:
    """What one worker publishes."""

    pid: int = 0
    generation: int = 0
    stopping: bool = False
    connections: int = 0
    writing: int = 0
    keep_alive: int = 0
    closing: int = 0
    #: Bytes of memory that it occupies.
    memory: int = 0
    #: In row 0: when a restart let all sums begin anew; 0 if none did.
    restarted: float = 0.0
    #: State letters of all slots, and the fields of those that have anything to tell, by number.
    letters: str = ""
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Fields of `Totals` and `ReplayFigures`.
    totals: dict[str, Any] = field(default_factory=dict)
    replay: dict[str, Any] = field(default_factory=dict)


class Rows:
    """The shared memory: row → the latest `Seat` published there."""

    def __init__(self, rows: int = ROWS) -> None:
        self.count = rows
        self._memory = mmap.mmap(-1, rows * 2 * PAGE)
        #: How often this process wrote; decides which page is next.
        self._turn = 0

    def write(self, row: int, seat: Seat) -> None:
        """Publish; if there is no room, without what the slots did."""
        text = json.dumps(asdict(seat)).encode("ascii")
        if len(text) > PAGE - _HEAD:
            seat.slots = {}
            text = json.dumps(asdict(seat)).encode("ascii")
        self._turn += 1
        at = (2 * row + self._turn % 2) * PAGE
        head = (self._turn & 0xFFFF).to_bytes(2, "little") + len(text).to_bytes(2, "little") + zlib.crc32(text).to_bytes(4, "little")
        self._memory[at + _HEAD : at + _HEAD + len(text)] = text
        self._memory[at : at + _HEAD] = head

    def read(self, row: int) -> Seat | None:
        """The newer page that is whole; None for an empty row."""
        found = [page for page in (self._page(2 * row), self._page(2 * row + 1)) if page is not None]
        if not found:
            return None
        found.sort(key=lambda page: page[0])
        oldest, newest = found[0], found[-1]
        if newest[0] - oldest[0] > 1:
            # The count ran over its two bytes.
            newest = oldest
        return Seat(**json.loads(newest[1]))

    def _page(self, number: int) -> tuple[int, bytes] | None:
        at = number * PAGE
        head = self._memory[at : at + _HEAD]
        size = int.from_bytes(head[2:4], "little")
        text = self._memory[at + _HEAD : at + _HEAD + size]
        if not size or zlib.crc32(text) != int.from_bytes(head[4:], "little"):
            return None
        return int.from_bytes(head[:2], "little"), text

    def clear(self, row: int) -> None:
        """Nobody sits there any more."""
        for page in (2 * row, 2 * row + 1):
            self._memory[page * PAGE : page * PAGE + _HEAD] = bytes(_HEAD)


class Board:
    """The parent's side: who sits where. Row 0 holds the sums of workers that are gone, and since when and which generation they count."""

    def __init__(self, rows: int = ROWS) -> None:
        self.rows = Rows(rows)
        self.pulses = Pulses(rows)
        self.shares = Shares(rows)
        self.restarted = time.time()
        self._free = list(range(rows - 1, 0, -1))

    def claim(self) -> int:
        """A row for a worker that is about to be forked; 0, which is never shown, if there are too many."""
        return self._free.pop() if self._free else 0

    def totals(self) -> Totals:
        """What all workers have published, those that are gone too."""
        return _sum_totals(_that_count(self.rows))

    def begin_anew(self, generation: int) -> None:
        """A restart, as HUP asks for: what workers of generations before this one count is past."""
        self.restarted = time.time()
        self.rows.write(0, Seat(generation=generation, restarted=self.restarted))

    def release(self, row: int) -> None:
        """The worker of this row is gone; what it counted stays in the sums."""
        if row == 0:
            return
        gone, past = self.rows.read(row), self.rows.read(0) or Seat()
        self.pulses.clear(row)
        self.shares.clear(row)
        if gone is not None:
            self.rows.clear(row)
        if gone is not None and gone.generation >= past.generation:
            past.totals = asdict(_sum_totals([past, gone]))
            past.replay = asdict(_sum_replay([past, gone], kept=False))
            self.rows.write(0, past)
        self._free.append(row)


def _that_count(rows: Rows) -> list[Seat]:
    """The sums of those that are gone, and everyone of the generations that count."""
    past = rows.read(0) or Seat()
    seats = [rows.read(row) for row in range(1, rows.count)]
    return [past, *[seat for seat in seats if seat is not None and seat.generation >= past.generation]]


class Live(Protocol):
    """The worker, as its scoreboard looks at it."""

    hot: HotPath
    draining: bool

    @property
    def connections(self) -> Iterable[ClientConnection]:
        """Those that are open."""

    @property
    def lost_lines(self) -> int:
        """Log lines of this worker that no file or program took."""


class WorkerScoreboard:
    """One worker's counters and its view of all rows; implements `api.scoreboard.Scoreboard`."""

    def __init__(self, board: Board, row: int, worker: Live, slots: int, *, generation: int = 0, mpm: str = "event") -> None:
        self._restarted = board.restarted
        self.config_generation = generation + 1
        self.mpm_generation = generation
        self.mpm = mpm
        self._rows = board.rows
        self._row = row
        self._worker = worker
        self._slots = [Slot(WorkerState.READY, os.getpid(), generation=generation) for _ in range(slots)]
        #: The latest request of each slot, not made into text before somebody looks: client, server, its port, and the request line.
        self._latest: list[tuple[str, Server, int, str] | None] = [None] * slots
        self._next = 0

    # -- counting

    def count(self, r: Request, sent: int) -> None:
        """A response of `sent` bytes went out. Slots take turns."""
        finished = r.traffic.finished or time.time()
        self._add(r, r.connection.client_ip, 1, sent, int((finished - r.traffic.started) * 1000), finished)

    def _add(self, r: Request, client: str, accesses: int, sent: int, milliseconds: int, when: float) -> None:
        number = self._next
        self._next = (number + 1) % len(self._slots)
        slot = self._slots[number]
        slot.child_accesses += accesses
        slot.slot_accesses += accesses
        slot.child_bytes += sent
        slot.slot_bytes += sent
        slot.last_used = when
        slot.request_ms = milliseconds
        slot.total_ms += milliseconds
        self._latest[number] = client, r.server, r.connection.local_port, r.the_request

    def _show_latest(self) -> None:
        for number, latest in enumerate(self._latest):
            if latest is not None:
                client, server, port, line = latest
                tail = server.core.see_request_tail and len(line) > REQUEST_LENGTH
                shown = line[-REQUEST_LENGTH:] if tail else line[:REQUEST_LENGTH]
                _show(self._slots[number], client, f"{server.name}:{port}", shown)
                self._latest[number] = None

    def _take_replays(self) -> None:
        """What the hot path has counted since it was last asked, as the work of one slot."""
        hot = self._worker.hot
        tally = hot.tally
        accesses, sent, tally.accesses, tally.bytes = tally.accesses, tally.bytes, 0, 0
        if accesses and tally.last is not None:
            hot.replay.counters.hits += accesses
            # The record is that of a request long ago; the latest look came with the latest request.
            self._add(tally.last, tally.client, accesses, sent, 0, time.time() - (time.monotonic() - hot.now))

    # -- publishing

    def publish(self) -> None:
        """Let the others see this worker as it is now."""
        if self._row:
            self._rows.write(self._row, self._seat())

    def _seat(self) -> Seat:
        self._take_replays()
        self._show_latest()
        connections = list(self._worker.connections)
        states = [connection.state for connection in connections]
        slots = self._slots_at_work([connection for connection in connections if connection.state in _LETTERS])
        times, counters = os.times(), self._worker.hot.replay.counters
        totals = Totals(
            sum(slot.slot_accesses for slot in slots),
            sum(slot.slot_bytes for slot in slots),
            sum(slot.total_ms for slot in slots),
            times.user,
            times.system,
            times.children_user,
            times.children_system,
            self._worker.lost_lines,
        )
        often = sorted(counters.volatile.items(), key=lambda pair: -pair[1])[:REASONS]
        replay = self._worker.hot.replay
        figures = ReplayFigures(
            counters.hits, counters.misses, counters.evictions, counters.stale, replay.count, replay.memory, dict(often)
        )
        return Seat(
            os.getpid(),
            self.mpm_generation,
            self._worker.draining,
            len(states),
            states.count(State.SENDING),
            states.count(State.IDLE),
            states.count(State.LINGERING),
            resident_bytes(),
            0.0,
            "".join(slot.state.value for slot in slots),
            {str(n): _told(slot) for n, slot in enumerate(slots) if slot.slot_accesses or slot.state.is_busy},
            asdict(totals),
            asdict(figures),
        )

    def _slots_at_work(self, busy: list[ClientConnection]) -> list[Slot]:
        """The slots with the states of this moment: busy connections sit in those whose turn is next."""
        stopping = self._worker.draining
        for slot in self._slots:
            slot.state = WorkerState.DEAD if stopping else WorkerState.READY
            slot.connection_accesses = slot.connection_bytes = 0
        for offset, connection in enumerate(busy[: len(self._slots)]):
            slot = self._slots[(self._next + offset) % len(self._slots)]
            slot.state = WorkerState.GRACEFUL if stopping else _LETTERS.get(connection.state, WorkerState.CLOSING)
            info = connection.info
            slot.connection_accesses, slot.connection_bytes = info.keepalives + 1, info.bytes_out
            slot.last_used = connection.started or slot.last_used
            if connection.request_line:
                _show(slot, info.client_ip, f"{info.server.name}:{info.local_port}", connection.request_line[:REQUEST_LENGTH])
        return self._slots

    # -- reading (api.scoreboard.Scoreboard)

    @property
    def restarted(self) -> float:
        """See `Scoreboard`."""
        past = self._rows.read(0)
        return past.restarted if past is not None and past.restarted else self._restarted

    def _seats(self) -> dict[int, Seat]:
        """Everyone who is there, this worker as it is now, by number: the first row is process 0."""
        self.publish()
        found = {row - 1: self._rows.read(row) for row in range(1, self._rows.count)}
        return {number: seat for number, seat in found.items() if seat is not None}

    def slots(self) -> Sequence[Slot]:
        """See `Scoreboard`."""
        found: list[Slot] = []
        for process, seat in self._seats().items():
            for number, letter in enumerate(seat.letters):
                told = seat.slots.get(str(number), {})
                found.append(Slot(WorkerState(letter), seat.pid, process, seat.generation, **told))
        return found

    def processes(self) -> Sequence[ProcessInfo]:
        """See `Scoreboard`."""
        return [_process(number, seat) for number, seat in self._seats().items()]

    def totals(self) -> Totals:
        """See `Scoreboard`."""
        self.publish()
        return _sum_totals(_that_count(self._rows))

    def replay(self) -> ReplayFigures:
        """See `Scoreboard`."""
        self.publish()
        return _sum_replay(_that_count(self._rows))

    def busy_and_idle(self) -> tuple[int, int]:
        """See `Scoreboard`: from what was published, for only the loop's thread may look at this worker's connections."""
        seats = [self._rows.read(row) for row in range(1, self._rows.count)]
        processes = [_process(0, seat) for seat in seats if seat is not None and not seat.stopping]
        return sum(process.busy for process in processes), sum(process.idle for process in processes)

    @property
    def is_stopping(self) -> bool:
        """See `Scoreboard`."""
        return self._worker.draining

    def load(self) -> tuple[float, float, float]:
        """See `Scoreboard`."""
        try:
            return os.getloadavg()
        except OSError:
            return (-1.0, -1.0, -1.0)


def _show(slot: Slot, client: str, vhost: str, request: str) -> None:
    slot.client, slot.protocol, slot.vhost, slot.request = client, "http/1.1", vhost, request


def _told(slot: Slot) -> dict[str, Any]:
    told = asdict(slot)
    for name in ("state", "pid", "process", "generation"):
        del told[name]
    return told


def _process(number: int, seat: Seat) -> ProcessInfo:
    states = [WorkerState(letter) for letter in seat.letters]
    graceful = states.count(WorkerState.GRACEFUL)
    return ProcessInfo(
        seat.pid,
        number,
        seat.generation,
        stopping=seat.stopping,
        accepting=not seat.stopping,
        connections=seat.connections,
        busy=sum(state.is_busy for state in states) - graceful,
        graceful=graceful,
        idle=states.count(WorkerState.READY),
        writing=seat.writing,
        keep_alive=seat.keep_alive,
        closing=seat.closing,
        memory=seat.memory,
    )


def _sum_totals(seats: Iterable[Seat]) -> Totals:
    sums: dict[str, Any] = {}
    for seat in seats:
        for name, value in seat.totals.items():
            sums[name] = sums.get(name, 0) + value
    return Totals(**sums)


def _sum_replay(seats: Iterable[Seat], *, kept: bool = True) -> ReplayFigures:
    """`kept`: with what is in memory now, not only what happened."""
    sums: dict[str, Any] = {}
    reasons: dict[str, int] = {}
    for seat in seats:
        for name, value in seat.replay.items():
            if name == "volatile":
                for reason, count in value.items():
                    reasons[reason] = reasons.get(reason, 0) + count
            elif kept or name not in ("entries", "memory"):
                sums[name] = sums.get(name, 0) + value
    return ReplayFigures(**sums, volatile=reasons)
