"""A module of which one worker dies before it serves: `LoadModule stillborn_module python:stillborn`."""

from __future__ import annotations

import os
import signal

from coachwhip.api import Module, Startup, phases

MODULE = Module("stillborn_module", "mod_stillborn.c", replayable=True)
#: A pipe that all workers inherit, with one octet in it: whoever gets that dies.
TAKE, GIVE = os.pipe()
os.set_blocking(TAKE, False)
os.write(GIVE, b"+")


@MODULE.hook(phases.child_init)
def die_first(startup: Startup) -> None:
    try:
        os.read(TAKE, 1)
    except BlockingIOError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
