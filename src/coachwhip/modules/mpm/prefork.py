"""mpm_prefork -- the directives of the prefork MPM."""

from __future__ import annotations

from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.modules.mpm.common import COMMON_ROWS, mpm_row

SERVER_ROWS = (
    mpm_row("MinSpareServers", "min_spare_servers", help="least idle processes"),
    mpm_row("MaxSpareServers", "max_spare_servers", help="most idle processes"),
)

MODULE = Module("mpm_prefork_module", "prefork.c", server_config=ServerMpm, replayable=True, directives=COMMON_ROWS + SERVER_ROWS)
