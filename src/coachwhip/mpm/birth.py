"""What happens in a worker between its fork and its first connection, and after its last.

Everything of the parent's that it must not keep is let go of here. `children.py` forks; `worker.py` serves.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import NoReturn

from coachwhip.api.log import ModuleLog
from coachwhip.logs.targets import LogRoom
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.lifeline import Lifeline
from coachwhip.mpm.listeners import Listeners
from coachwhip.mpm.policy import Policy
from coachwhip.mpm.scoreboard import Board
from coachwhip.mpm.signals import Signals
from coachwhip.mpm.worker import Worker, new_loop

__all__ = ["DRAIN", "FINISH", "LEAVING", "UP", "Inheritance", "be_worker", "stack_file"]

LOG = ModuleLog("mpm_event")
#: What a worker says on its pipe: its loop runs; it takes no more connections, by its own decision.
UP = b"+"
LEAVING = b"-"
#: Signals to a worker: drain, and cut what makes no progress; drain, and wait as long as it takes.
DRAIN = signal.SIGUSR1
FINISH = signal.SIGUSR2
#: How long a request may make no progress in a worker that drains, in seconds, if the configuration does not say.
PATIENCE = 30.0


class Inheritance:
    """What the parent has that a worker needs."""

    def __init__(self, signals: Signals, lifeline: Lifeline, listeners: Listeners, board: Board) -> None:
        self.signals = signals
        self.lifeline = lifeline
        self.listeners = listeners
        self.board = board


def stack_file() -> int:
    """A file in memory for a worker's stacks, should it die by a fault or be stuck; the parent reads it then."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stacks", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def be_worker(
    parent: Inheritance, generation: Generation, others: Iterable[LogRoom], say: int, stacks: int, row: int
) -> NoReturn:
    """In the child, with signals held back: serve, then leave without running what belongs to the parent.

    `others`: logs of other generations; `say`: the pipe to the parent; `stacks`: see `stack_file`; `row`: its seat on the scoreboard.
    """
    status = 1
    try:
        parent.signals.forget()
        # What the start says goes elsewhere than what a worker says (daemon.py).
        sys.stderr = sys.__stderr__
        faulthandler.enable(stacks, all_threads=True)
        for logs in others:
            logs.forget()
        # A listener that nobody accepts from any more must not stay open here: clients would wait in it for ever.
        parent.listeners.keep_only(generation.addresses)
        generation.drop_privileges()
        gc.enable()
        worker = Worker(
            generation.pipeline,
            parent.listeners.sockets(generation.addresses),
            generation.policy,
            new_loop(),
            parent.board,
            row,
            generation.number,
            on_leaving=lambda: _say(say, LEAVING),
        )
        _hear(worker, generation.policy, generation.graceful_timeout or PATIENCE)
        parent.lifeline.hold(worker)
        worker.run(lambda: _runs(say))
        status = 0
    except Exception as error:
        LOG.alert(generation.main, "", "a worker ended: %s: %s", type(error).__name__, error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _runs(say: int) -> None:
    """The loop runs: only now does it hear signals, so only now may those come that were sent meanwhile."""
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    _say(say, UP)


def _say(pipe: int, word: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, word)


def _hear(worker: Worker, policy: Policy, patience: float) -> None:
    """A worker's own signals."""
    asked: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: worker.stop,
        # Others serve what waits; of prefork's workers each may have one connection only.
        DRAIN: lambda: worker.drain(patience, takes_waiting=not policy.is_prefork),
        FINISH: worker.drain,
    }
    for number, action in asked.items():
        worker.loop.add_signal_handler(number, action)
