"""What a search must not do to the machine, and what no case may do to the server: the limits around a check.

* CPU time of a case, measured on its thread: another program's load does not count.
* Memory: the address space is limited, so an allocation without bound fails; what a case has in use at once is measured exactly
  whenever the process has more in use than ever before.
* Files and names: an audit hook of the interpreter refuses whatever leaves the places allowed, and look-ups of host names.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import sysconfig
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.target import Check, Fault

__all__ = ["SLOW", "Fence", "Guard", "Slow", "highest", "limit_memory", "resident"]

#: CPU seconds that a case may take.
SLOW = 0.1
#: Octets that a case may have in use at once.
PEAK = 8 << 20
#: Octets of address space beyond what the process has when a search begins.
HEADROOM = 256 << 20


def limit_memory() -> None:
    """From here on this process gets no more than `HEADROOM` beyond what it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def resident() -> int:
    """Octets of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Fence:
    """Refuses to open or list what is outside of some folders, host name look-ups and new processes; an audit hook stays for good.

    What Python itself has to read is let through. `opened` gets the path of every file that was opened inside.
    """

    def __init__(self, *folders: Path) -> None:
        self._inside = tuple(f"{folder}/" for folder in folders)
        paths = sysconfig.get_paths()
        own = {paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"], str(Path(__file__).parent.parent)}
        self._python = tuple(f"{path}/" for path in own)
        self.opened: list[str] = []
        sys.addaudithook(self._judge)

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir"):
            self._judge_path(arguments[0])
        elif event == "socket.getaddrinfo":
            raise socket.gaierror(socket.EAI_NONAME, "no names are looked up here")
        elif event in ("os.fork", "os.exec", "subprocess.Popen", "socket.connect"):
            raise PermissionError(f"{event} in a search")

    def _judge_path(self, path: object) -> None:
        if not isinstance(path, (str, bytes)):
            return
        name = os.fsdecode(path)
        if f"{name}/".startswith(self._inside):
            self.opened.append(name)
        elif name.startswith("/") and not name.startswith((*self._python, "/proc/self/")):
            raise PermissionError(13, "outside of the fence", name)


class Slow(Fault):
    """A case that takes too long."""


def highest() -> int:
    """The most octets of memory that this process ever had in use."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


class Guard:
    """A check within its limits."""

    def __init__(self, check: Check, clock: Callable[[], float] = time.thread_time, memory: Callable[[], int] = highest) -> None:
        self._check = check
        self._clock = clock
        self._memory = memory
        self._highest = memory()
        #: The slowest case: CPU seconds, and its bytes.
        self.slowest: tuple[float, bytes] = (0.0, b"")

    def run(self, data: bytes) -> str:
        """Run a case. Raises what the check raises, Slow, and Fault for what is large."""
        started = self._clock()
        kind = self._check(data)
        taken = self._clock() - started
        if taken > self.slowest[0]:
            self.slowest = (taken, data)
            if taken > SLOW:
                self._complain_if_slow(data, taken)
        memory = self._memory()
        if memory > self._highest:
            self._highest = memory
            self._complain_if_large(data)
        return kind

    def _complain_if_large(self, data: bytes) -> None:
        # Memory has never been so much in use before: measured exactly, it may be this case or what is left of others.
        tracemalloc.start()
        try:
            self._check(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if peak > PEAK:
            raise Fault(f"{peak >> 10} KiB in use at once")

    def _complain_if_slow(self, data: bytes, taken: float) -> None:
        # The collector may have run just then, so the case has to be slow each time.
        for _ in range(3):
            started = self._clock()
            self._check(data)
            taken = min(taken, self._clock() - started)
        self.slowest = (taken, data)
        if taken > SLOW:
            raise Slow(f"{taken * 1000:.0f} ms of CPU")
