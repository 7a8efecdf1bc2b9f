"""The scoreboard of a server that does not run, for pages about live counters where a request is only explained."""

from __future__ import annotations

from collections.abc import Sequence

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.scoreboard import ProcessInfo, Slot, Totals

__all__ = ["NobodyAtWork"]


class NobodyAtWork:
    """Implements `api.Scoreboard`: nothing has happened yet."""

    config_generation = 1
    mpm_generation = 0
    mpm = "event"
    restarted = 0.0
    is_stopping = False

    def slots(self) -> Sequence[Slot]:
        """None."""
        return ()

    def processes(self) -> Sequence[ProcessInfo]:
        """None."""
        return ()

    def totals(self) -> Totals:
        """All zero."""
        return Totals()

    def replay(self) -> ReplayFigures:
        """All zero."""
        return ReplayFigures()

    def busy_and_idle(self) -> tuple[int, int]:
        """None of either."""
        return 0, 0

    def load(self) -> tuple[float, float, float]:
        """Not asked for."""
        return -1.0, -1.0, -1.0
