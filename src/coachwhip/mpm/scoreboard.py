"""The scoreboard of a single process: plain counters, no shared memory. Implements `api.scoreboard.Scoreboard`.

A process model with several workers puts shared memory behind the same contract.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from coachwhip.api.request import Request
from coachwhip.api.scoreboard import ProcessInfo, Slot, Totals, WorkerState

__all__ = ["ProcessScoreboard"]

#: Longest request line that is kept (bytes), as in Apache.
REQUEST_LENGTH = 63


class ProcessScoreboard:
    """Slots of one process. `extended` False: states and nothing else."""

    def __init__(self, slots: int, *, mpm: str = "event", extended: bool = True, generation: int = 0) -> None:
        self.restarted = time.time()
        self.config_generation = generation + 1
        self.mpm_generation = generation
        self.mpm = mpm
        self._extended = extended
        pid = os.getpid()
        self._slots = [Slot(WorkerState.READY, pid, generation=generation) for _ in range(slots)]
        self._next = 0

    def set_state(self, slot: int, state: WorkerState) -> None:
        """A slot does something else now."""
        self._slots[slot].state = state

    def count(self, r: Request, sent: int, *, slot: int | None = None, milliseconds: int = 0) -> None:
        """A response of `sent` bytes went out; without a slot they take turns."""
        if not self._extended:
            return
        if slot is None:
            slot = self._next
            self._next = (slot + 1) % len(self._slots)
        kept = self._slots[slot]
        kept.child_accesses += 1
        kept.slot_accesses += 1
        kept.connection_accesses = r.connection.keepalives + 1
        kept.connection_bytes = r.connection.bytes_out
        kept.child_bytes += sent
        kept.slot_bytes += sent
        kept.last_used = time.time()
        kept.request_ms = milliseconds
        kept.total_ms += milliseconds
        kept.client = r.connection.client_ip
        kept.protocol = "http/1.1"
        kept.vhost = f"{r.server.name}:{r.connection.local_port}"
        tail = r.server.core.see_request_tail and len(r.the_request) > REQUEST_LENGTH
        kept.request = r.the_request[-REQUEST_LENGTH:] if tail else r.the_request[:REQUEST_LENGTH]

    def slots(self) -> Sequence[Slot]:
        """See `Scoreboard`."""
        return self._slots

    def processes(self) -> Sequence[ProcessInfo]:
        """See `Scoreboard`."""
        busy = sum(slot.state.is_busy and slot.state is not WorkerState.GRACEFUL for slot in self._slots)
        graceful = sum(slot.state is WorkerState.GRACEFUL for slot in self._slots)
        idle = sum(slot.state is WorkerState.READY for slot in self._slots)
        return [ProcessInfo(os.getpid(), busy=busy, graceful=graceful, idle=idle)]

    def totals(self) -> Totals:
        """See `Scoreboard`."""
        times = os.times()
        return Totals(
            sum(slot.slot_accesses for slot in self._slots),
            sum(slot.slot_bytes for slot in self._slots),
            sum(slot.total_ms for slot in self._slots),
            times.user,
            times.system,
            times.children_user,
            times.children_system,
        )

    def load(self) -> tuple[float, float, float]:
        """See `Scoreboard`."""
        try:
            return os.getloadavg()
        except OSError:
            return (-1.0, -1.0, -1.0)
