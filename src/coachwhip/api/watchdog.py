"""Periodic work: what a module offers as provider ("watchdog", NAME), and the threads and the lock behind it.

`mod_watchdog` runs what is offered: in a thread of its own, beside the loop, so a step may wait for files and for the network. It must
not touch requests or connections. Source: Apache manual, mod_watchdog; httpd's ap_watchdog interface.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from coachwhip.api.server import Startup

__all__ = ["OneOfAll", "Place", "Rounds", "Watchdog"]


class Place(Enum):
    """Where a watchdog makes its rounds.

    Never in the parent, which httpd's interface offers too: it is root, and every fork would copy what a thread there is in the middle
    of. In 2.4.71 heartbeat, heartmonitor and proxy_hcheck start none there.
    """

    #: In every worker.
    EACH_WORKER = "each worker"
    #: In one worker; should that one end, another goes on.
    ONE_WORKER = "one worker"


class Watchdog(Protocol):
    """Periodic work. The class is the provider; it is made where, and when, its rounds begin."""

    place: ClassVar[Place]

    def __init__(self, startup: Startup) -> None:
        """The rounds begin here."""

    @classmethod
    def is_needed(cls, startup: Startup) -> bool:
        """Whether the configuration gives it anything to do."""

    def step(self, now: float) -> None:
        """One round, `WatchdogInterval` after the one before. `now`: seconds of the monotonic clock."""

    def stop(self) -> None:
        """The rounds end here, because the worker does."""


class OneOfAll:
    """A lock that one process of all those forked from here can hold, until it lets go or ends."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._fd = os.dup(file.fileno())
        os.set_inheritable(self._fd, False)
        weakref.finalize(self, os.close, self._fd)

    def try_take(self) -> bool:
        """Whether it is this process's now. Locks of this kind belong to a process, not to the descriptor that it inherited."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def give_back(self) -> None:
        """Let another process have it."""
        fcntl.lockf(self._fd, fcntl.LOCK_UN)


class Rounds:
    """The rounds of one watchdog in this worker, in a thread."""

    def __init__(
        self,
        make: Callable[[], Watchdog],
        interval: float,
        *,
        lock: OneOfAll | None,
        ends: Callable[[], bool],
        on_error: Callable[[Exception], None],
    ) -> None:
        """`interval` in seconds; `lock`: only while it is held; `ends`: asked before each round; errors of a round end that round."""
        self._make, self._interval, self._lock = make, interval, lock
        self._ends, self._on_error = ends, on_error
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Start."""
        self._thread.start()

    def end(self, patience: float) -> None:
        """Stop; wait so many seconds for the round at hand."""
        self._over.set()
        self._thread.join(patience)

    def _run(self) -> None:
        watchdog: Watchdog | None = None
        while not self._over.wait(self._interval) and not self._ends():
            if watchdog is None and self._lock is not None and not self._lock.try_take():
                continue
            try:
                watchdog = watchdog or self._make()
                watchdog.step(time.monotonic())
            except Exception as error:
                self._on_error(error)
        if watchdog is not None:
            watchdog.stop()
        if self._lock is not None:
            self._lock.give_back()
