"""A module of `async` handlers that wait: `LoadModule waiting_module python:waiting`.

`t-wait` answers when `t-go` was asked for, `t-read` when it has the whole body; `t-begun` says how many of both have begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from coachwhip.api import Data, End, Module, Outcome, Request, Result, phases

MODULE = Module("waiting_module", "mod_waiting.c")
_go = asyncio.Event()
_begun: list[str] = []


def _say(r: Request, text: str) -> Outcome:
    r.send(Data(text.encode("ascii")))
    r.send(End())
    return Outcome.OK


async def _wait(r: Request) -> Outcome:
    _begun.append(r.uri)
    await _go.wait()
    return _say(r, "waited\n")


async def _read(r: Request) -> Outcome:
    _begun.append(r.uri)
    count = 0
    while r.body is not None and (piece := await r.body.next()):
        count += len(piece)
    return _say(r, f"{count}\n")


@MODULE.hook(phases.handler)
def answer(r: Request) -> Result | Awaitable[Result]:
    if r.handler == "t-wait":
        return _wait(r)
    if r.handler == "t-read":
        return _read(r)
    if r.handler == "t-go":
        _go.set()
        return _say(r, "gone\n")
    if r.handler == "t-begun":
        return _say(r, f"{len(_begun)}\n")
    return Outcome.DECLINED
