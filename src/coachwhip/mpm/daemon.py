"""Leaving the terminal: the command that starts a server returns when the server serves, or has said why it cannot.

What the new process prints to `sys.stderr` until it is up goes through a pipe to whoever gave the command; descriptors 0 to 2 point
nowhere from the start, so that no worker keeps a terminal or somebody's pipe open.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

__all__ = ["StartAbandonedError", "detach"]


class StartAbandonedError(Exception):
    """The command was interrupted: its server must not stay."""


#: Ends the messages: the server is up.
UP = b"\0"


def detach(serve: Callable[[Callable[[], None]], int]) -> int:
    """Run `serve(ready)` in a new session; returns 0 as soon as it has called `ready`, else its exit status."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return 0 if _relay(reader) else _status_of(pid)
    os.close(reader)
    status = 1
    try:
        _leave()
        sys.stderr = open(writer, "w", encoding="utf-8", errors="surrogateescape", buffering=1)  # noqa: SIM115 -- kept
        status = serve(_is_up)
    except Exception as error:
        print(f"httpd: {type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _relay(reader: int) -> bool:
    """Print what the new process says until it is up or gone; whether it is up."""
    with open(reader, "rb", buffering=0) as opened:
        while said := opened.read(4096):
            text, end, _ = said.partition(UP)
            sys.stderr.write(text.decode("utf-8", "surrogateescape"))
            if end:
                return True
    return False


def _status_of(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    return abs(os.waitstatus_to_exitcode(status)) or 1


def _leave() -> None:
    os.setsid()
    # The folder in which the command was given may be unmounted later.
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    if nothing > 2:
        os.close(nothing)


def _is_up() -> None:
    said, sys.stderr = sys.stderr, sys.__stderr__
    try:
        said.write(UP.decode("ascii"))
        said.close()
    except BrokenPipeError:
        raise StartAbandonedError("whoever gave the command has not waited for the server") from None
