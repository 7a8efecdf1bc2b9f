"""mpm_worker -- the directives of the worker MPM."""

from __future__ import annotations

from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.modules.mpm.common import COMMON_ROWS, THREAD_ROWS
from coachwhip.modules.mpm.limits import WORKER, correct_at_start

MODULE = Module("mpm_worker_module", "worker.c", server_config=ServerMpm, replayable=True, directives=COMMON_ROWS + THREAD_ROWS)
correct_at_start(MODULE, WORKER)
