"""How long a connection may take for what it is doing: one deadline, moved as stages change and bytes arrive.

Only the monotonic clock counts. `mod_reqtimeout` gives the limits of reading; without it `TimeOut` holds for each wait.
"""

from __future__ import annotations

from enum import Enum

from coachwhip.api.server import Connection
from coachwhip.api.timeouts import StageClock

__all__ = ["Clock", "Stage"]

#: A client that was sent everything may take this long to close, in seconds: without a byte, and in all (Apache's figures).
LINGER_SILENCE = 2.0
LINGER_TOTAL = 30.0


class Stage(Enum):
    """What the connection is doing."""

    HEADER = "header"
    BODY = "body"
    SEND = "send"
    IDLE = "idle"
    LINGER = "linger"


class Clock:
    """The deadline of one connection. Times are seconds of the monotonic clock."""

    __slots__ = ("_account", "_deadline", "_info", "_keep_alive", "_sent", "_stage", "_total")

    def __init__(self, info: Connection, now: float) -> None:
        self._info = info
        self._keep_alive = info.base_server.core.keep_alive_timeout
        self._stage = Stage.HEADER
        self._sent = 0
        self._total = 0.0
        self._deadline = 0.0
        #: What `mod_reqtimeout` keeps of the head or body that is being read.
        self._account: StageClock | None = None
        self.enter(Stage.HEADER, now)

    def enter(self, stage: Stage, now: float) -> None:
        """A stage begins."""
        core = self._info.server.core
        self._stage = stage
        self._account = None
        if stage is Stage.IDLE:
            self._deadline = now + core.keep_alive_timeout
        elif stage is Stage.LINGER:
            self._deadline, self._total = now + LINGER_SILENCE, now + LINGER_TOTAL
        else:
            self._deadline = now + core.timeout
            limits = self._info.timeouts
            if limits is not None and stage is not Stage.SEND:
                self._account = StageClock(limits.header if stage is Stage.HEADER else limits.body, now)

    def rest(self, now: float) -> None:
        """One request was answered, the next is waited for; `enter(Stage.IDLE)` when it is that already."""
        self._deadline = now + self._keep_alive

    def received(self, count: int, now: float) -> None:
        """Bytes arrived."""
        if self._stage is Stage.LINGER:
            self._deadline = min(now + LINGER_SILENCE, self._total)
        elif self._stage in (Stage.HEADER, Stage.BODY):
            self._deadline = now + self._info.server.core.timeout
            if self._account is not None:
                self._account.received(count)

    def progressed(self, sent: int, now: float) -> None:
        """The total number of bytes sent is now this."""
        if self._stage is Stage.SEND and sent != self._sent:
            self._sent = sent
            self._deadline = now + self._info.server.core.timeout

    def expired(self, now: float) -> bool:
        """Whether the deadline has passed."""
        return now >= self._deadline or (self._account is not None and self._account.is_over(now))
