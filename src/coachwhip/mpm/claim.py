"""A generation's pid file: claimed before its first worker is forked, dropped at its end.

A reload that names another file claims that one too; the generation that does not come, or goes, drops its own.
"""

from __future__ import annotations

from coachwhip.api.log import ModuleLog
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.pidfile import PidFileError

__all__ = ["claim_pid_file", "drop_pid_file"]

LOG = ModuleLog("core")


def claim_pid_file(generation: Generation) -> None:
    """Write the pid file; one that a dead server left behind is overwritten with a warning.

    Raises:
        PidFileError: it cannot be written, or a server that lives has it.
    """
    file = generation.pid_file
    if file is None:
        return
    try:
        pid = file.read()
    except PidFileError:
        pid = 0
    if pid and file.is_running(pid):
        raise PidFileError(f"httpd (pid {pid}) already running")
    if pid is not None:
        LOG.warn(
            generation.main, "AH00098", "pid file %s overwritten -- Unclean shutdown of previous Apache run?", file.path
        )
    file.write()


def drop_pid_file(generation: Generation, *, other: Generation | None = None) -> None:
    """Take the pid file away, unless the `other` generation wants it, by whichever name."""
    file, wanted = generation.pid_file, other.pid_file if other is not None else None
    if file is not None and (wanted is None or not file.is_same(wanted)):
        file.remove()
