"""Signs of life: what each worker says of itself about once a second, in memory that it shares with the parent.

The parent decides by it who is overloaded, too large, or silent for so long that it must be stuck. What people see is on the
scoreboard. A record is small and written in one go; one that is read half old and half new is wrong for a second at most.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

__all__ = ["Pulse", "Pulses"]

_RECORD = struct.Struct("<ddQIII")
SIZE = 64


@dataclass(frozen=True, slots=True)
class Pulse:
    """One sign of life."""

    #: When it was given: seconds of the monotonic clock, which all processes of a machine share. 0: never.
    beat: float = 0.0
    #: Share of a processor that the process used since the sign before, 0 to about 1.
    share: float = 0.0
    #: Resident memory in bytes.
    memory: int = 0
    #: Threads at work or asked for (of prefork: 1 while there is a connection).
    busy: int = 0
    #: Open connections, and those of them with a request at hand.
    connections: int = 0
    at_work: int = 0


class Pulses:
    """The shared memory: row → the latest `Pulse`. Rows are those of the scoreboard."""

    def __init__(self, rows: int) -> None:
        self._memory = mmap.mmap(-1, rows * SIZE)

    def give(self, row: int, pulse: Pulse) -> None:
        """In a worker: say this of oneself."""
        _RECORD.pack_into(
            self._memory, row * SIZE, pulse.beat, pulse.share, pulse.memory, pulse.busy, pulse.connections, pulse.at_work
        )

    def feel(self, row: int) -> Pulse:
        """The latest of a row."""
        return Pulse(*_RECORD.unpack_from(self._memory, row * SIZE))

    def clear(self, row: int) -> None:
        """Nobody sits there any more."""
        self._memory[row * SIZE : (row + 1) * SIZE] = bytes(SIZE)
