"""mpm_prefork -- the directives of the prefork MPM: one connection per process at a time."""

from __future__ import annotations

from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.modules.mpm.common import COMMON_ROWS, mpm_row
from coachwhip.modules.mpm.limits import PREFORK, correct_at_start

SERVER_ROWS = (
    mpm_row("MinSpareServers", "min_spare_servers", help="least idle processes"),
    mpm_row("MaxSpareServers", "max_spare_servers", help="most idle processes"),
)

MODULE = Module("mpm_prefork_module", "prefork.c", server_config=ServerMpm, replayable=True, directives=COMMON_ROWS + SERVER_ROWS)
correct_at_start(MODULE, PREFORK)
