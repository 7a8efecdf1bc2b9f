"""Workers as the parent sees them: forked, heard, told to go, and buried.

What one of them does is in `birth.py` and `worker.py`; how many there are to be, and which of them must be replaced, in `upkeep.py`.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coachwhip.logs.targets import LogRoom
from coachwhip.mpm.birth import LEAVING, UP, Inheritance, be_worker, stack_file
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.pulse import Pulse
from coachwhip.mpm.scoreboard import Board

__all__ = ["Child", "Children"]

#: A worker that does not go when it is killed is killed again after so many seconds.
AGAIN = 1.0
#: Longest stack dump that is read, in bytes.
DUMP = 64 << 10


@dataclass(slots=True, eq=False)
class Child:
    """A worker process."""

    pid: int
    generation: Generation
    #: Monotonic second of its fork.
    born: float
    #: Where it sits on the scoreboard; 0 if there was no seat left.
    row: int
    #: The reading end of the pipe on which it speaks, and the file for its stacks.
    pipe: int
    stacks: int
    #: Its loop runs.
    is_up: bool = False
    #: It takes no more connections, or was told to take none.
    is_leaving: bool = False
    #: It goes as soon as another has taken its place.
    is_retiring: bool = False
    #: Monotonic second at which it is killed, if it was told to go.
    deadline: float | None = None


class Children:
    """The workers of all generations that have some left."""

    def __init__(self, parent: Inheritance, poll: select.poll) -> None:
        """`poll` is told of the pipes on which workers speak."""
        self._parent = parent
        self._poll = poll
        self._alive: dict[int, Child] = {}
        self._pipes: dict[int, Child] = {}

    def __bool__(self) -> bool:
        return bool(self._alive)

    @property
    def board(self) -> Board:
        """The scoreboard."""
        return self._parent.board

    def all(self) -> list[Child]:
        """Everyone, oldest first."""
        return list(self._alive.values())

    def staying(self, generation: Generation) -> list[Child]:
        """Those of a generation that are to go on serving."""
        return [c for c in self._alive.values() if c.generation is generation and not c.is_leaving and not c.is_retiring]

    def leaving(self) -> list[Child]:
        """Those that were told to go, or go."""
        return [c for c in self._alive.values() if c.is_leaving]

    def pulse(self, child: Child) -> Pulse:
        """What it said of itself last."""
        return self.board.pulses.feel(child.row) if child.row else Pulse()

    # -- coming

    def fork(self, generation: Generation, count: int, logs: Iterable[LogRoom] = ()) -> None:
        """Fork so many workers. `logs`: those of other generations, which they must let go of.

        Raises:
            OSError: the system is out of processes, memory or descriptors; some may have been forked.
        """
        gc.freeze()
        for _ in range(count):
            self._fork(generation, logs)

    def _fork(self, generation: Generation, logs: Iterable[LogRoom]) -> None:
        hear, say = os.pipe()
        stacks = -1
        row = self.board.claim()
        try:
            stacks = stack_file()
            with self._parent.signals.held_back():
                pid = os.fork()
                if pid == 0:
                    os.close(hear)
                    self._let_go()
                    be_worker(self._parent, generation, logs, say, stacks, row)
        except OSError:
            self.board.release(row)
            _close(hear, stacks)
            raise
        finally:
            os.close(say)
        child = Child(pid, generation, time.monotonic(), row, hear, stacks)
        self._alive[pid] = self._pipes[hear] = child
        self._poll.register(hear, select.POLLIN)

    def _let_go(self) -> None:
        """In a child: the others are none of its business."""
        for other in self._alive.values():
            _close(other.pipe, other.stacks)

    def hear(self, pipe: int) -> None:
        """Something is to be read on a worker's pipe."""
        child = self._pipes.get(pipe)
        if child is None:
            return
        said = os.read(pipe, 64)
        if not said:
            # It is dead or dying; the system will say so.
            self._poll.unregister(pipe)
            del self._pipes[pipe]
        child.is_up = child.is_up or UP in said
        child.is_leaving = child.is_leaving or LEAVING in said

    # -- going

    def dismiss(self, children: Iterable[Child], farewell: signal.Signals, wait: float) -> None:
        """Tell workers to go; after `wait` seconds they are killed, with 0 never."""
        for child in children:
            child.is_leaving = True
            if wait:
                child.deadline = time.monotonic() + wait
            _kill(child.pid, farewell)
            # One that is stopped hears nothing else.
            _kill(child.pid, signal.SIGCONT)

    def kill_overdue(self) -> None:
        """Kill those that did not go in time."""
        now = time.monotonic()
        for child in self._alive.values():
            if child.deadline is not None and now >= child.deadline:
                child.deadline = now + AGAIN
                _kill(child.pid, signal.SIGKILL)

    def bury(self, on_other: Callable[[int], None]) -> list[tuple[Child, int, str]]:
        """Those that ended since the last time: (who, status, stacks if it left some). `on_other` gets ids that are no worker's."""
        dead: list[tuple[Child, int, str]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return dead
            if pid == 0:
                return dead
            child = self._alive.pop(pid, None)
            if child is None:
                on_other(pid)
                continue
            dead.append((child, status, _stacks(child)))
            self._forget(child)

    def _forget(self, child: Child) -> None:
        if self._pipes.pop(child.pipe, None) is not None:
            self._poll.unregister(child.pipe)
        _close(child.pipe, child.stacks)
        self.board.release(child.row)

    def end(self) -> None:
        """Kill whoever is left, and bury them: for a parent that cannot go on."""
        for pid in self._alive:
            _kill(pid, signal.SIGKILL)
        for pid in list(self._alive):
            os.waitpid(pid, 0)
            self._forget(self._alive.pop(pid))


def _stacks(child: Child) -> str:
    try:
        return os.pread(child.stacks, DUMP, 0).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
