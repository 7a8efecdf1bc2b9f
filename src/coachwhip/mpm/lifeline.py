"""The lifeline: a pipe on which nothing is ever written. Only the parent has its other end, so its end of file is the parent's death.

Each worker has a thread that waits for it, because a loop that is stuck would never notice, and would keep the listeners from a new
parent.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from coachwhip.mpm.worker import Worker

__all__ = ["Lifeline"]

#: How long a worker may go on when its parent is gone, in seconds: nobody is left to kill it if its clients never finish.
ORPHAN_WAIT = 30
#: How long its loop may take to notice, in seconds.
NOTICE_WAIT = 1.0


class Lifeline:
    """Made by the parent before it forks."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def hold(self, worker: Worker) -> None:
        """In a worker: finish what is begun and end, should the parent die."""
        os.close(self._write)
        noticed = threading.Event()

        def drain() -> None:
            noticed.set()
            worker.drain(ORPHAN_WAIT)

        threading.Thread(target=self._wait, args=(worker, drain, noticed), name="lifeline", daemon=True).start()

    def _wait(self, worker: Worker, drain: Callable[[], None], noticed: threading.Event) -> None:
        os.read(self._read, 1)
        # The system's own clock ends this process, whatever its threads do.
        signal.alarm(ORPHAN_WAIT)
        try:
            worker.loop.call_soon_threadsafe(drain)
        except RuntimeError:
            return
        if not noticed.wait(NOTICE_WAIT):
            os._exit(1)
