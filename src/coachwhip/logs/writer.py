"""Lines for one descriptor: gathered, written whole, never waited for.

A file gets one write for all lines of a turn of the loop. A pipe gets whole lines in pieces that the system writes in one go,
and what it does not take is kept up to a bound; beyond that lines are lost, and counted; the first of them is told, and their
number when the target takes lines again. This file knows neither the loop nor
what lines say.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
from collections.abc import Callable
from typing import Protocol

__all__ = ["Turns", "Writer"]

#: A pipe takes up to this many bytes without mixing them with another process's (POSIX PIPE_BUF on Linux).
ATOMIC = 4096
#: Lines are written before the turn ends when there are this many bytes of them.
ENOUGH = 64 << 10
#: What is kept for a pipe that takes nothing, in bytes.
BOUND = 1 << 20
#: Seconds until a pipe that was full is tried again.
RETRY = 0.1
#: Seconds that a stopping process waits for a full pipe.
LAST_WAIT = 1.0
#: Why lines are lost whose reader is stopped or slow.
_NOT_TAKEN = BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
_LINE_END = ord("\n")


class Turns(Protocol):
    """Whoever calls back: at the end of a turn of the loop, or later."""

    def soon(self, flush: Callable[[], None]) -> bool:
        """Call `flush` when this turn ends; False if there is no loop: the caller writes at once."""

    def later(self, seconds: float, flush: Callable[[], None]) -> None:
        """Call `flush` after a while; nothing happens without a loop."""


class Writer:
    """Implements `api.log.LogTarget` on a descriptor."""

    __slots__ = (
        "_buffered",
        "_failure",
        "_fd",
        "_is_file",
        "_lines",
        "_lock",
        "_lost",
        "_on_failure",
        "_on_loss",
        "_scheduled",
        "_size",
        "_torn",
        "_turns",
        "lost_ever",
        "name",
    )

    def __init__(
        self,
        fd: int,
        name: str,
        *,
        turns: Turns | None = None,
        buffered: bool = False,
        on_loss: Callable[[Writer, int], None] | None = None,
        on_failure: Callable[[Writer, OSError], None] | None = None,
    ) -> None:
        """Own `fd`. Without `turns` each line is written at once; `buffered` keeps lines until there are `ATOMIC` bytes."""
        self.name = name
        self._fd = fd
        self._turns = turns
        self._buffered = buffered
        #: Called with the number of lines that were lost, when the target takes lines again.
        self._on_loss = on_loss
        #: Called with the reason when the target stops taking lines: once, until it has taken some again.
        self._on_failure = on_failure
        self._failure: OSError | None = None
        self._is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._size = 0
        self._lost = 0
        #: Lines lost since the target was opened.
        self.lost_ever = 0
        #: What was written last broke off in the middle of a line.
        self._torn = False
        self._scheduled = False

    @property
    def lost(self) -> int:
        """Lines lost since the last report."""
        return self._lost

    def fileno(self) -> int:
        """The descriptor."""
        return self._fd

    def write(self, line: bytes) -> None:
        """Add one line, its end included. Never raises and never waits."""
        if self._size + len(line) > BOUND:
            self._lose(1, _NOT_TAKEN)
            self._tell_failure()
            return
        if self._buffered and self._size + len(line) > ATOMIC:
            self.flush()
        self._lines.append(line)
        self._size += len(line)
        if not self._scheduled or self._size >= ENOUGH:
            self._see_to_it()

    def write_all(self, lines: list[bytes]) -> None:
        """The lines of a whole turn: written now if it is a file in which nothing is amiss, else as `write` has it.

        Costs one `write` of the system then.
        """
        if not self._is_file or self._buffered or self._lines or self._torn or self._lost or self._fd < 0:
            for line in lines:
                self.write(line)
            return
        self._write_bytes(b"".join(lines))
        self._tell_failure()

    def _see_to_it(self) -> None:
        """Lines were added: write them now, or when the turn ends."""
        if self._scheduled and self._size < ENOUGH:
            return
        if self._buffered:
            return
        if self._turns is None or self._size >= ENOUGH:
            self.flush()
        elif self._turns.soon(self._on_turn):
            self._scheduled = True
        else:
            self.flush()

    def _on_turn(self) -> None:
        self._scheduled = False
        self.flush()

    def flush(self) -> None:
        """Write what there is, as far as the target takes it."""
        if self._fd < 0:
            return
        with self._lock:
            lost_before = self._lost
            lines, self._lines = self._lines, []
            self._size = 0
            left = self._write_file(lines) if self._is_file else self._write_pipe(lines)
            if left:
                self._lines[:0] = left
                self._size += sum(map(len, left))
        if left:
            if self._turns is not None and not self._scheduled:
                self._scheduled = True
                self._turns.later(RETRY, self._on_turn)
        elif lines and 0 < lost_before == self._lost:
            self._report()
        self._tell_failure()

    def _lose(self, lines: int, reason: OSError) -> None:
        """Count; the reason of the first of them is to be told."""
        if not self._lost:
            self._failure = reason
        self._lost += lines
        self.lost_ever += lines

    def _report(self) -> None:
        lost, self._lost = self._lost, 0
        if self._on_loss is not None:
            self._on_loss(self, lost)

    def _tell_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None and self._on_failure is not None:
            self._on_failure(self, failure)

    def _write_file(self, lines: list[bytes]) -> list[bytes]:
        self._write_bytes(b"\n" * self._torn + b"".join(lines))
        return []

    def _write_bytes(self, data: bytes) -> None:
        """Write to a file; a full disk costs lines, never requests."""
        try:
            while data:
                count = os.write(self._fd, data)
                self._torn = data[count - 1] != _LINE_END
                data = data[count:]
        except OSError as error:
            self._lose(data.count(b"\n"), error)

    def _write_pipe(self, lines: list[bytes]) -> list[bytes]:
        """Write whole lines in pieces that cannot be torn; returns those that were not taken."""
        at = 0
        while at < len(lines):
            end = at + 1
            size = len(lines[at])
            while end < len(lines) and size + len(lines[end]) <= ATOMIC:
                size += len(lines[end])
                end += 1
            piece = b"".join(lines[at:end])
            try:
                count = os.write(self._fd, piece)
            except BlockingIOError:
                return lines[at:]
            except OSError as error:
                self._lose(len(lines) - at, error)
                return []
            if count < len(piece):
                return [piece[count:], *lines[end:]]
            at = end
        return []

    def replace(self, fd: int) -> None:
        """Write to another file from now on, of the same kind; it is read under the same descriptor, and `fd` is given back."""
        self.finish()
        os.dup2(fd, self._fd, inheritable=False)
        os.close(fd)

    def close(self) -> None:
        """Write what there is, wait a moment for a pipe that is full, and give the descriptor back."""
        self.finish()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def abandon(self) -> None:
        """Give the descriptor back in a process that has no business with it: what is kept is another's to write."""
        self._lines.clear()
        self._size = 0
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def finish(self) -> None:
        """`flush` for the end of a process: a pipe that is full gets a moment to take the rest, and what was lost is told."""
        if self._fd < 0:
            return
        self.flush()
        if self._lines:
            self._wait_for_reader()
        if self._lines:
            self._lose(len(self._lines), _NOT_TAKEN)
            self._lines.clear()
            self._size = 0
            self._tell_failure()
        if self._lost:
            self._report()

    def _wait_for_reader(self) -> None:
        waiting = select.poll()
        waiting.register(self._fd, select.POLLOUT)
        while self._lines and waiting.poll(LAST_WAIT * 1000):
            before = self._size
            self.flush()
            if self._size >= before:
                return
