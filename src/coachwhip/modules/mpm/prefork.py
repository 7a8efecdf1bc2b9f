"""mpm_prefork -- the directives of the prefork MPM.

They are read and checked; the process that serves is the one of the event MPM.
"""

from __future__ import annotations

from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.modules.mpm.common import COMMON_ROWS, ONE_WORKER, mpm_row
from coachwhip.modules.mpm.limits import PREFORK, correct_at_start

SERVER_ROWS = (
    mpm_row("MinSpareServers", "min_spare_servers", help="least idle processes", differs=ONE_WORKER),
    mpm_row("MaxSpareServers", "max_spare_servers", help="most idle processes", differs=ONE_WORKER),
)

MODULE = Module("mpm_prefork_module", "prefork.c", server_config=ServerMpm, replayable=True, directives=COMMON_ROWS + SERVER_ROWS)
correct_at_start(MODULE, PREFORK)
