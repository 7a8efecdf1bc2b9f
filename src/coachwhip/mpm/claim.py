"""A generation's pid file: claimed at the start, moved by a reload that names another, dropped at the end."""

from __future__ import annotations

from coachwhip.api.log import ModuleLog
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.pidfile import PidFileError

__all__ = ["claim_pid_file", "drop_pid_file", "move_pid_file"]

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


def drop_pid_file(generation: Generation) -> None:
    """Take the pid file away."""
    if generation.pid_file is not None:
        generation.pid_file.remove()


def move_pid_file(old: Generation, new: Generation) -> None:
    """From where one generation wants it to where another does.

    Raises:
        PidFileError: see `claim_pid_file`; the old one stays.
    """
    if old.pid_file != new.pid_file:
        claim_pid_file(new)
        drop_pid_file(old)
