"""A module whose first worker dies before it serves: `LoadModule stillborn_module python:stillborn`."""

from __future__ import annotations

import os
import signal

from coachwhip.api import Module, Startup, phases

MODULE = Module("stillborn_module", "mod_stillborn.c", replayable=True)


@MODULE.hook(phases.child_init)
def die_first(startup: Startup) -> None:
    try:
        os.close(os.open(os.path.join(startup.server_root, "first"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
