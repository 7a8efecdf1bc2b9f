"""mod_faults -- handlers that misbehave, loaded into the server under test as a module of somebody else's.

    LoadModule faults_module python:faults.foreign

Each is a name for `SetHandler`. Apache has a `reflector` of its own; what else a row needs there is a script.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coachwhip.api import Data, End, Module, Outcome, Request, Startup, phases

#: What its handlers answer is never kept; whatever else is served beside it is kept as ever.
MODULE = Module("faults_module", "mod_faults.c", replayable=True)

GIB = 1 << 30
#: What a worker that grows has not given back.
_KEPT: list[bytes] = []


@MODULE.hook(phases.handler)
def misbehave(r: Request) -> Any:
    """The handlers of the table below."""
    handler = HANDLERS.get(r.handler or "")
    if handler is None:
        return Outcome.DECLINED
    r.record.make_volatile("faults")
    return handler(r)


@MODULE.hook(phases.child_init)
def bend_clock(startup: Startup) -> None:
    """In a worker whose environment names a file in `FAULTS_CLOCK`: the wall clock is wrong by as many seconds as stand there."""
    path = os.environ.get("FAULTS_CLOCK")
    if path:
        right = time.time
        file = Path(path)
        time.time = lambda: right() + float(file.read_text() or 0)


def _say(r: Request, body: bytes) -> Outcome:
    r.set_content_type("text/plain")
    r.send(Data(body), End())
    return Outcome.OK


async def reflect(r: Request) -> Outcome:
    """Give the request's body back."""
    pieces = []
    while r.body is not None and (piece := await r.body.next()):
        pieces.append(piece)
    return _say(r, b"".join(pieces))


async def hang(r: Request) -> Outcome:
    """Answer in ten minutes; the worker's loop is free meanwhile."""
    await asyncio.sleep(600)
    return _say(r, b"late\n")


def stick(r: Request) -> Outcome:
    """Never yield: for a minute the worker does nothing else."""
    time.sleep(60)
    return _say(r, b"late\n")


def hog(r: Request) -> Outcome:
    """Allocate a gibibyte, and touch all of it."""
    block = bytearray(os.urandom(1)) * GIB
    return _say(r, b"%d\n" % len(block))


def grow(r: Request) -> Outcome:
    """Keep 96 MiB more for good, and tell the process that does."""
    _KEPT.append(b"x" * (96 << 20))
    return tell_pid(r)


def tell_pid(r: Request) -> Outcome:
    """The number of the process that answers."""
    return _say(r, b"%d\n" % os.getpid())


HANDLERS: dict[str, Callable[[Request], Any]] = {
    "reflector": reflect,
    "hang": hang,
    "stick": stick,
    "hog": hog,
    "grow": grow,
    "pid": tell_pid,
}
