"""How long a connection may take for what it is doing: one deadline, moved as stages change and bytes arrive.

Only the monotonic clock counts. `mod_reqtimeout` gives the limits of reading; without it `TimeOut` holds for each wait. Whoever owns
the connections looks at the deadlines twice a second, so a time-out comes up to that much late and never early.
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


_HEADER, _BODY, _SEND, _IDLE, _LINGER = Stage


class Clock:
    """The deadline of one connection. Times are seconds of the monotonic clock."""

    __slots__ = ("_account", "_last", "deadline", "stage")

    def __init__(self, info: Connection, now: float) -> None:
        #: When patience ends. Set from outside only to go on resting (`Stage.IDLE`) after one more request.
        self.deadline = 0.0
        self.enter(Stage.HEADER, info, now)

    def enter(self, stage: Stage, info: Connection, now: float) -> None:
        """A stage begins; `info.server` says what holds for it."""
        core = info.server.core
        self.stage = stage
        #: What `mod_reqtimeout` keeps of the head or body that is being read.
        self._account: StageClock | None = None
        #: The end of the stage, whatever arrives.
        self._last = 0.0
        if stage is _IDLE:
            self.deadline = now + core.keep_alive_timeout
        elif stage is _LINGER:
            self.deadline, self._last = now + LINGER_SILENCE, now + LINGER_TOTAL
        else:
            limits = info.timeouts
            if limits is not None and stage is not _SEND:
                self._account = StageClock(limits.header if stage is _HEADER else limits.body, now)
            self._wait(core.timeout, now)

    def received(self, count: int, info: Connection, now: float) -> None:
        """Bytes arrived."""
        if self.stage is _LINGER:
            self.deadline = min(now + LINGER_SILENCE, self._last)
        elif self.stage is _HEADER or self.stage is _BODY:
            if self._account is not None:
                self._account.received(count)
            self._wait(info.server.core.timeout, now)

    def _wait(self, seconds: float, now: float) -> None:
        """Let this wait end after so many seconds, or when what is read has taken too long as a whole."""
        left = self._account.left(now) if self._account is not None else None
        self.deadline = now + (seconds if left is None or seconds < left else left)

    def progressed(self, info: Connection, now: float) -> None:
        """Bytes were taken by the client's side."""
        if self.stage is _SEND:
            self.deadline = now + info.server.core.timeout

    def expired(self, now: float) -> bool:
        """Whether the deadline has passed."""
        return now >= self.deadline
