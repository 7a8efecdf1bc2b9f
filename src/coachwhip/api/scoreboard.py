"""What is known of the workers at this moment: the contract between the process model, which counts, and `mod_status`, which shows.

Reading it makes an answer volatile. Times are seconds of the wall clock unless they say otherwise, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.request import Request

__all__ = ["ProcessInfo", "Scoreboard", "Slot", "Totals", "WorkerState", "wants_counters"]


class WorkerState(Enum):
    """What a worker slot is doing; the value is its letter on the scoreboard."""

    READY = "_"
    STARTING = "S"
    READING = "R"
    WRITING = "W"
    KEEPALIVE = "K"
    LOGGING = "L"
    DNS = "D"
    CLOSING = "C"
    GRACEFUL = "G"
    IDLE_KILL = "I"
    DEAD = "."

    @property
    def is_busy(self) -> bool:
        """Whether it counts as busy."""
        return self not in (WorkerState.READY, WorkerState.STARTING, WorkerState.IDLE_KILL, WorkerState.DEAD)


@dataclass(slots=True)
class Slot:
    """One worker slot. With `ExtendedStatus Off` only the state is kept."""

    state: WorkerState = WorkerState.DEAD
    pid: int = 0
    #: Number of its process (`ProcessInfo.number`), and the generation that the process belongs to.
    process: int = 0
    generation: int = 0
    #: Requests on the connection at hand, of this process, and in this slot since the start.
    connection_accesses: int = 0
    child_accesses: int = 0
    slot_accesses: int = 0
    connection_bytes: int = 0
    child_bytes: int = 0
    slot_bytes: int = 0
    #: Processor time of the slot, seconds.
    cpu: float = 0.0
    #: When the latest request began.
    last_used: float = 0.0
    #: Milliseconds of the latest request, and of all.
    request_ms: int = 0
    total_ms: int = 0
    client: str = ""
    protocol: str = ""
    vhost: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One worker process."""

    pid: int
    #: Its place on the board, which it keeps as long as it lives; and the generation that it belongs to.
    number: int = 0
    generation: int = 0
    stopping: bool = False
    accepting: bool = True
    connections: int = 0
    busy: int = 0
    graceful: int = 0
    idle: int = 0
    wait_io: int = 0
    writing: int = 0
    keep_alive: int = 0
    closing: int = 0
    #: Bytes of memory that it occupies.
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums since the start. Processor times in seconds."""

    accesses: int = 0
    bytes: int = 0
    duration_ms: int = 0
    cpu_user: float = 0.0
    cpu_system: float = 0.0
    children_user: float = 0.0
    children_system: float = 0.0
    #: Log lines that no file or program took.
    lost_lines: int = 0


class Scoreboard(Protocol):
    """The counters of all workers."""

    #: Which configuration and which process generation is at work.
    config_generation: int
    mpm_generation: int
    #: "event", "worker" or "prefork".
    mpm: str

    @property
    def restarted(self) -> float:
        """When the server was started, or last restarted other than gracefully; sums begin there."""

    def slots(self) -> Sequence[Slot]:
        """All slots, dead ones included, in order."""

    def processes(self) -> Sequence[ProcessInfo]:
        """The processes that are alive."""

    def totals(self) -> Totals:
        """Sums over all slots."""

    def replay(self) -> ReplayFigures:
        """What replay did and keeps, over all workers."""

    def busy_and_idle(self) -> tuple[int, int]:
        """How many slots of the serving processes are busy, and idle, a second ago at most; for threads beside the loop."""

    @property
    def is_stopping(self) -> bool:
        """Whether this worker finishes what it has begun and ends."""

    def load(self) -> tuple[float, float, float]:
        """The machine's load averages; -1 where the system has none."""


def wants_counters(r: Request) -> bool:
    """Whether a request for a handler that shows the board asks to be shown it (GET, HEAD). Its answer is never kept."""
    r.record.make_volatile("live counters")
    r.allowed.add("GET")
    return r.method in ("GET", "HEAD")
