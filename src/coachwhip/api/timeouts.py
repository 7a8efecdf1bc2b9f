"""How long a client may take for each stage of a request: limits as modules set them, and the account that is kept of a stage.

Sans I/O: the connection feeds a `StageClock` with monotonic times and byte counts, and asks when to give up.
Source: Apache manual, mod_reqtimeout.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReadLimit", "ReadLimits", "StageClock"]


@dataclass(frozen=True, slots=True)
class ReadLimit:
    """The limit of one stage. `initial` 0: none."""

    #: Seconds from the start of the stage.
    initial: float
    #: Seconds that the stage may last however much arrives; None: no such end.
    maximum: float | None = None
    #: Bytes that buy one second more; None: time is not extended.
    rate: int | None = None


NO_LIMIT = ReadLimit(0)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The limits of a connection (`Connection.timeouts`). The TLS handshake, request heads, request bodies."""

    handshake: ReadLimit = NO_LIMIT
    header: ReadLimit = ReadLimit(20, 40, 500)
    body: ReadLimit = ReadLimit(20, None, 500)


class StageClock:
    """One stage of one request: begins at a time, is extended by what arrives, is over at its deadline.

    The head's stage begins with the first request at the start of the connection, with later ones at their first byte.
    """

    __slots__ = ("_deadline", "_latest", "_rate")

    def __init__(self, limit: ReadLimit, now: float) -> None:
        self._deadline = now + limit.initial if limit.initial else None
        self._latest = now + limit.maximum if limit.maximum is not None else None
        self._rate = limit.rate

    def received(self, count: int) -> None:
        """`count` bytes came; they extend the stage, never beyond its maximum."""
        if self._deadline is None or not self._rate:
            return
        self._deadline += count / self._rate
        if self._latest is not None and self._deadline > self._latest:
            self._deadline = self._latest

    def left(self, now: float) -> float | None:
        """Seconds until the client is given up (answer 408 and close), not below 0; None without a limit."""
        return None if self._deadline is None else max(0.0, self._deadline - now)
