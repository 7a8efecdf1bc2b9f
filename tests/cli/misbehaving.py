"""A module whose handlers do what handlers must not: `LoadModule misbehaving_module python:misbehaving`.

`t-spin` never gives the loop back, `t-hang` never answers, `t-crash` ends its process with a fault, `t-who` says which process answers.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable

from coachwhip.api import Data, End, Module, Outcome, Request, Result, phases

MODULE = Module("misbehaving_module", "mod_misbehaving.c", replayable=True)


def _say(r: Request, text: str) -> Outcome:
    r.send(Data(text.encode("ascii")))
    r.send(End())
    return Outcome.OK


@MODULE.hook(phases.handler)
def misbehave(r: Request) -> Result | Awaitable[Result]:
    if r.handler == "t-spin":
        while True:
            time.sleep(0.01)
    if r.handler == "t-hang":
        return _hang()
    if r.handler == "t-crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if r.handler == "t-who":
        # A clock was looked at, so that the answer is not kept.
        r.now()
        return _say(r, f"{os.getpid()}\n")
    return Outcome.DECLINED


async def _hang() -> Outcome:
    await asyncio.Event().wait()
    return Outcome.DECLINED
