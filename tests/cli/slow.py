"""A module whose handlers keep a thread: `LoadModule slow_module python:slow`.

`t-sleep` does so for as many seconds as the query says, `t-eat` takes as many bytes.
"""

from __future__ import annotations

import os
import time

from coachwhip.api import Data, End, Module, Outcome, Request, Result, phases

MODULE = Module("slow_module", "mod_slow.c")


@MODULE.hook(phases.handler, blocking=True)
def take_long(r: Request) -> Result:
    if r.handler == "t-sleep":
        time.sleep(float(r.args or "1"))
        text = f"{os.getpid()}\n"
    elif r.handler == "t-eat":
        text = f"{len(bytearray(int(r.args or '1')))}\n"
    else:
        return Outcome.DECLINED
    r.send(Data(text.encode("ascii")))
    r.send(End())
    return Outcome.OK
