"""mod_systemd -- shows in `systemctl status` how much the server has done.

That the service is up, reads its configuration again, or ends is told by `mpm/systemd.py` whether this module is loaded or not: a
service that is waited for must answer. Loading it brings the counts, unless `ExtendedStatus` is off. Source: Apache manual, mod_systemd.
"""

from __future__ import annotations

from coachwhip.api import Module, Outcome, Startup, phases

MODULE = Module("systemd_module", "mod_systemd.c", replayable=True)


@MODULE.hook(phases.post_config)
def ask_for_counts(startup: Startup) -> Outcome:
    """`ExtendedStatus` is on unless a line says otherwise, once this module is loaded."""
    startup.options["service_counts"] = startup.main.core.extended_status is not False
    return Outcome.OK
