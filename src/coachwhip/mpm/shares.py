"""How many connections each worker has, in memory that all share: so that nobody takes more than his share.

All workers accept from the same listeners. Left alone, whoever is awake first takes everything that comes at once, and keeps it for as
long as the connections live. So a worker that has more than others looks away for a moment; if what came is still there then, nobody
else wants it. README.md has the figures.
"""

from __future__ import annotations

import mmap

__all__ = ["LOOK_AWAY", "Shares"]

#: For how long a worker with more than its share leaves a listener to the others, in seconds.
LOOK_AWAY = 0.002


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

    def has_enough(self, row: int) -> bool:
        """Whether this worker has more than another that accepts, by more than a little."""
        counts = self._counts.tolist()
        least = min([count for count in counts if count], default=0)
        return counts[row] > least + 1 + (least >> 4)
