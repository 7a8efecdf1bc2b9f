"""How many connections each worker has, in memory that all share: so that nobody takes more than his share.

All workers accept from the same listeners. Left alone, whoever is awake first takes everything that comes at once, and keeps it for as
long as the connections live. So a worker that has more than others looks away for a moment; if what came is still there then, nobody
else wants it. README.md has the figures.
"""

from __future__ import annotations

import mmap

__all__ = ["ALONE", "LOOK_AWAY", "Shares"]

#: For how long a worker with more than its share leaves a listener to the others, in seconds.
LOOK_AWAY = 0.002
#: Room for any number.
ALONE = 1 << 30


class Shares:
    """The shared memory. Rows are those of the scoreboard; a worker that does not accept has none."""

    def __init__(self, rows: int) -> None:
        #: Connections and one more; 0 where nobody accepts.
        self._counts = memoryview(mmap.mmap(-1, 4 * rows)).cast("I")

    def set(self, row: int, connections: int) -> None:
        """The worker of this row accepts, and has so many."""
        self._counts[row] = connections + 1

    def clear(self, row: int) -> None:
        """The worker of this row takes no more."""
        self._counts[row] = 0

    def room(self, row: int) -> int:
        """How many connections more this worker may have than it has, so that it has little more than any other that accepts.

        `ALONE` if there is no other; 0 or less if it has enough.
        """
        others = [count for other, count in enumerate(self._counts) if count and other != row]
        if not others:
            return ALONE
        least = min(others)
        return least + 2 + (least >> 4) - self._counts[row]
