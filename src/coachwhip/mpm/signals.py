"""Signals of the parent: what each one asks for, and how the parent hears of them while it waits for other things too.

Two tables: Apache's signals for `coachwhip httpd`, gunicorn's for `coachwhip serve`. Handlers do nothing; the numbers arrive on a pipe.
A terminal sends WINCH too, to whoever is in its foreground when it is resized, which must not stop a server. The system tells what
comes from it and what from a process to those who wait for a signal, so WINCH has no handler where it can be waited for (Linux).
Source: Apache manual, "Stopping and Restarting Apache HTTP Server"; gunicorn's documentation, "Signal Handling".
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from types import FrameType

__all__ = ["APACHES", "GUNICORNS", "Signals", "Wish"]


class Wish(Enum):
    """What somebody asks the parent to do; the value is how the log speaks of it."""

    STOP = "shutting down"
    GRACEFUL_STOP = "shutting down gracefully"
    RESTART = "Attempting to restart"
    GRACEFUL = "Doing graceful restart"
    REOPEN_LOGS = "Reopening the logs"
    HAND_OVER = "Handing over to a new server"
    MORE = "One worker more"
    FEWER = "One worker fewer"


Table = Mapping[signal.Signals, Wish]

APACHES: Table = {
    signal.SIGTERM: Wish.STOP,
    signal.SIGINT: Wish.STOP,
    signal.SIGWINCH: Wish.GRACEFUL_STOP,
    signal.SIGUSR1: Wish.GRACEFUL,
    signal.SIGHUP: Wish.RESTART,
}
GUNICORNS: Table = {
    signal.SIGTERM: Wish.GRACEFUL_STOP,
    signal.SIGINT: Wish.STOP,
    signal.SIGQUIT: Wish.STOP,
    signal.SIGHUP: Wish.GRACEFUL,
    signal.SIGUSR1: Wish.REOPEN_LOGS,
    signal.SIGUSR2: Wish.HAND_OVER,
    signal.SIGTTIN: Wish.MORE,
    signal.SIGTTOU: Wish.FEWER,
}
#: Those that would end or stop a process that knows nothing of them, and mean nothing here: a window was resized, say.
_IGNORED = (
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGPIPE,
)


class Signals:
    """The signals of one process that waits for them; `fileno` is readable when there are some."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._heard: set[int] = {signal.SIGCHLD, *table}
        #: Whether WINCH stays blocked, and is looked for at every turn.
        self._waits = signal.SIGWINCH in table and hasattr(signal, "sigtimedwait")
        if self._waits:
            self._heard.remove(signal.SIGWINCH)
        #: What a worker hears too: it must not be lost before the worker listens.
        self._held = {*self._heard, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        """The end of the pipe on which their numbers arrive."""
        return self._read

    def install(self) -> None:
        """Hear them from now on."""
        if self._waits:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
        for number in _IGNORED:
            if number not in self.table:
                signal.signal(number, signal.SIG_IGN)
        for heard in self._heard:
            signal.signal(heard, _heard)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)

    def take(self) -> list[Wish]:
        """What was asked for since the last time, in order."""
        try:
            numbers = os.read(self._read, 4096)
        except BlockingIOError:
            numbers = b""
        wishes = [self.table[signal.Signals(number)] for number in numbers if number in self.table]
        if self._waits and _somebody_sent(signal.SIGWINCH):
            wishes.append(self.table[signal.SIGWINCH])
        return wishes

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Nothing is delivered meanwhile: what comes between a fork and `forget` must not be heard twice."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._held)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._held)

    def forget(self) -> None:
        """In a child, with signals held back: leave the parent's pipe alone. What the terminal sends is the parent's business."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _heard(number: int, frame: FrameType | None) -> None:
    """Being called at all has written the number to the pipe."""


def _somebody_sent(number: signal.Signals) -> bool:
    """Whether this signal, which is blocked, has come from a process since the last time. Several of the same are one."""
    found = signal.sigtimedwait({number}, 0)
    # Positive codes are the system's own (sigaction(2)).
    return found is not None and found.si_code <= 0
