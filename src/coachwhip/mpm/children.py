"""Workers as the parent sees them: forked, waited for, told to go; and the lifeline that tells them when the parent is gone.

A worker says "up" through a pipe of its own once its loop runs. What it does then is in `worker.py`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from coachwhip.api.log import ModuleLog
from coachwhip.mpm.generation import Generation, StartFailed
from coachwhip.mpm.listeners import Listeners
from coachwhip.mpm.scoreboard import Board
from coachwhip.mpm.worker import Worker, new_loop

__all__ = ["Child", "Children", "Lifeline"]

LOG = ModuleLog("mpm_event")
#: How long a worker may take until it serves, in seconds.
START_WAIT = 30.0
#: How long a worker may go on when its parent is gone, in seconds.
ORPHAN_WAIT = 60.0


class Lifeline:
    """A pipe on which nothing is ever written: only the parent has its other end, so its end of file is the parent's death."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def hold(self, worker: Worker) -> None:
        """In a worker: finish what is begun and end, should the parent die."""
        os.close(self._write)
        worker.loop.add_reader(self._read, self._orphaned, worker)

    def _orphaned(self, worker: Worker) -> None:
        worker.loop.remove_reader(self._read)
        # Nobody is left to kill a worker whose clients never finish.
        worker.loop.call_later(ORPHAN_WAIT, worker.stop)
        worker.drain()


@dataclass(slots=True)
class Child:
    """A worker process."""

    pid: int
    generation: Generation
    born: float
    #: Where it sits on the scoreboard.
    row: int
    #: Monotonic second at which it is killed, if it was told to go.
    deadline: float | None = None
    leaving: bool = False


class Children:
    """The workers of all generations that have some left."""

    def __init__(self, lifeline: Lifeline, listeners: Listeners, blocked: Iterable[signal.Signals]) -> None:
        """`blocked` are the signals that the parent blocks and a worker must not."""
        self._lifeline = lifeline
        self._listeners = listeners
        self._blocked = set(blocked)
        self._alive: dict[int, Child] = {}
        self._board = Board()

    def __bool__(self) -> bool:
        return bool(self._alive)

    def remove(self, pid: int) -> Child | None:
        """Forget a worker that ended; None if it was none."""
        child = self._alive.pop(pid, None)
        if child is not None:
            self._board.release(child.row)
        return child

    def fill(self, generation: Generation, *, wait: bool = False, old: Generation | None = None) -> None:
        """Fork workers until there are as many of this generation as it asks for; `old` is the one whose place it takes.

        Raises:
            StartFailed: with `wait`, one of them ended or said nothing for too long.
        """
        alive = sum(1 for c in self._alive.values() if c.generation is generation and not c.leaving)
        for _ in range(generation.processes - alive):
            up = self._fork(generation, old)
            try:
                if wait and not _says_up(up):
                    raise StartFailed("a worker ended before it served; the error log says why")
            finally:
                os.close(up)

    def dismiss(self, farewell: signal.Signals, wait: float, generation: Generation | None = None) -> None:
        """Tell workers (of one generation, or all) to go; after `wait` seconds they are killed, with 0 never."""
        for child in self._alive.values():
            if generation is not None and child.generation is not generation:
                continue
            child.leaving = True
            if wait:
                child.deadline = time.monotonic() + wait
            _kill(child.pid, farewell)

    def kill_overdue(self, again: float) -> None:
        """Kill those that did not go in time; tried again after so many seconds."""
        now = time.monotonic()
        for child in self._alive.values():
            if child.deadline is not None and now >= child.deadline:
                child.deadline = now + again
                _kill(child.pid, signal.SIGKILL)

    def _fork(self, generation: Generation, old: Generation | None) -> int:
        """Returns the descriptor on which the worker says that it is up."""
        up, say = os.pipe()
        gc.collect()
        gc.freeze()
        row = self._board.claim()
        pid = os.fork()
        if pid == 0:
            self._be_worker(generation, old, say, row)
        gc.unfreeze()
        os.close(say)
        self._alive[pid] = Child(pid, generation, time.monotonic(), row)
        return up

    def _be_worker(self, generation: Generation, old: Generation | None, say: int, row: int) -> NoReturn:
        """In the child: serve, then leave without running what belongs to the parent."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            # What the start says goes elsewhere than what a worker says (daemon.py).
            sys.stderr = sys.__stderr__
            # A listener that nobody accepts from any more must not stay open here: clients would wait in it for ever.
            self._listeners.keep_only(generation.addresses)
            if old is not None and old.logs is not None:
                old.logs.forget()
            generation.drop_privileges()
            loop = new_loop()
            sockets = self._listeners.sockets(generation.addresses)
            worker = Worker(generation.pipeline, sockets, generation.threads, loop, self._board, row, generation.number)
            _install(worker)
            self._lifeline.hold(worker)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._blocked)
            worker.run(lambda: _say_up(say))
            status = 0
        except Exception as error:
            LOG.alert(generation.main, "", "a worker ended: %s: %s", type(error).__name__, error)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _says_up(up: int) -> bool:
    ready, _, _ = select.select([up], [], [], START_WAIT)
    return bool(ready) and os.read(up, 1) == b"+"


def _say_up(say: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(say, b"+")
    os.close(say)


def _install(worker: Worker) -> None:
    """A worker's own signals: TERM stops it, USR1 drains it; the terminal's are the parent's business."""
    worker.loop.add_signal_handler(signal.SIGTERM, worker.stop)
    worker.loop.add_signal_handler(signal.SIGUSR1, worker.drain)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGWINCH):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
