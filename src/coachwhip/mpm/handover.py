"""Handing over to a new process image: the old parent runs the new program with the listeners already open, and goes when that serves.

The old one serves until the new one says that it does, and for ever if the new one ends before. What is handed over stands in one
environment variable. A service manager and the sockets that it has bound go with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys

from coachwhip.mpm.listeners import ListenAddress, Listeners
from coachwhip.mpm.systemd import ServiceManager

__all__ = ["Successor", "inherit", "say_serving"]

_VARIABLE = "COACHWHIP_HANDED_OVER"
#: Signals that a program must not inherit as ignored or caught.
_DEFAULTED = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]


class Successor:
    """The new program, as the old parent sees it. `pipe` is readable when it serves or has ended."""

    def __init__(self, listeners: Listeners, manager: ServiceManager) -> None:
        """Run the command line of this process again.

        Raises:
            OSError: it cannot be run.
        """
        self.pipe, say = os.pipe()
        bound = listeners.bound()
        handed = manager.handed.sockets
        told = {
            "parent": os.getpid(),
            "say": say,
            "listeners": [[address.host, address.port, sock.fileno()] for address, sock in bound.items()],
            "handed": [[name, sock.fileno()] for name, sock in handed],
        }
        descriptors = [say, *(sock.fileno() for sock in (*bound.values(), *(sock for _, sock in handed)))]
        try:
            for fd in descriptors:
                os.set_inheritable(fd, True)
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *sys.orig_argv[1:]],
                {**os.environ, **manager.environ, _VARIABLE: json.dumps(told)},
                setsigmask=[],
                setsigdef=_DEFAULTED,
            )
        except OSError:
            os.close(self.pipe)
            raise
        finally:
            for fd in descriptors:
                os.set_inheritable(fd, False)
            os.close(say)

    def serves(self) -> bool:
        """To be asked once, when the pipe is readable: whether it serves; else it has ended."""
        said = os.read(self.pipe, 1)
        os.close(self.pipe)
        return bool(said)


def inherit(listeners: Listeners, manager: ServiceManager) -> int | None:
    """In the new program: take over what was handed over, if anything was. Returns the descriptor for `say_serving`."""
    told = json.loads(os.environ.pop(_VARIABLE, "{}"))
    # Whoever was started by a server's child has the variable too, but not the descriptors.
    if told.get("parent") != os.getppid():
        return None
    say: int = told["say"]
    os.set_inheritable(say, False)
    for host, port, fd in told["listeners"]:
        listeners.adopt(ListenAddress(host, port), _adopted(fd))
    manager.handed.sockets += [(name, _adopted(fd)) for name, fd in told["handed"]]
    return say


def _adopted(fd: int) -> socket.socket:
    os.set_inheritable(fd, False)
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock


def say_serving(say: int) -> None:
    """Tell the old parent that it may go; it may be gone already."""
    with contextlib.suppress(BrokenPipeError):
        os.write(say, b"+")
    os.close(say)
