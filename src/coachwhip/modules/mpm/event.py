"""mpm_event -- the directives of the event MPM."""

from __future__ import annotations

import re

from coachwhip.api.directives import DirectiveContext
from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.values import refuse
from coachwhip.modules.mpm.common import COMMON_ROWS, NO_CEILING, THREAD_ROWS, mpm_row
from coachwhip.modules.mpm.limits import EVENT, correct_at_start


def _factor(context: DirectiveContext, word: str) -> float:
    if not re.fullmatch(r"[ \t]*[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?:[eE][+-]?[0-9])?", word, re.ASCII):
        raise refuse("error parsing value")
    value = float(word)
    if value <= 0:
        raise refuse("AsyncRequestWorkerFactor argument must be a positive number")
    return value


_FACTOR = mpm_row(
    "AsyncRequestWorkerFactor",
    "async_request_worker_factor",
    _factor,
    help="connections beside the busy ones, per idle thread",
    differs=NO_CEILING,
)

MODULE = Module("mpm_event_module", "event.c", server_config=ServerMpm, replayable=True, directives=COMMON_ROWS + THREAD_ROWS + (_FACTOR,))
correct_at_start(MODULE, EVENT)
