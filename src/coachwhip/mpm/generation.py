"""A generation: what one reading of the configuration asks of the process model.

Made by `launch.py`; a reload makes the next one. Nothing here acts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from coachwhip.api.log import ModuleLog
from coachwhip.api.server import Server
from coachwhip.logs.targets import LogRoom
from coachwhip.mpm.listeners import ListenAddress, Queue
from coachwhip.mpm.pidfile import PidFile
from coachwhip.mpm.policy import Policy
from coachwhip.mpm.privileges import current_umask
from coachwhip.request.pipeline import Pipeline

__all__ = ["Generation", "StartFailed", "announce", "note", "warn"]

#: MPM → its log, and the id of the line with which each generation begins.
_LOGS = {mpm: ModuleLog(f"mpm_{mpm}") for mpm in ("event", "worker", "prefork")}
_BEGINS = {"event": "AH00489", "worker": "AH00292", "prefork": "AH00163"}
CORE_LOG = ModuleLog("core")


class StartFailed(Exception):
    """A worker ended before it served; its last words are in the error log."""


@dataclass(slots=True)
class Generation:
    """One generation, and how to do with it what the parent must not know."""

    pipeline: Pipeline
    addresses: list[ListenAddress]
    #: None: nobody is to find this server by a file.
    pid_file: PidFile | None = None
    policy: Policy = field(default_factory=Policy)
    #: How its listening sockets are set.
    queue: Queue = field(default_factory=Queue)
    #: Counts from 0 with every reload.
    number: int = 0
    #: Called in each worker before it serves: give up privileges.
    drop_privileges: Callable[[], None] = lambda: None
    #: For how long requests may be finished after a graceful stop or reload, in seconds; 0: not said.
    graceful_timeout: float = 0.0
    #: Seconds of silence after which a worker is taken for stuck.
    silence: float = 30.0
    #: Whether it says nothing of its own coming and going: whoever started it on a terminal knows.
    is_quiet: bool = False
    #: The umask under which it was made, and under which its workers are forked.
    umask: int = field(default_factory=current_umask)
    #: The log files and programs that it opened.
    logs: LogRoom | None = None

    @property
    def main(self) -> Server:
        """The main server, whose error log the process model writes to."""
        return self.pipeline.startup.main


def announce(generation: Generation, what: str) -> None:
    """The two lines with which every generation begins in the error log."""
    note(generation, _BEGINS[generation.policy.mpm], f"{generation.pipeline.software} configured -- {what}")
    if not generation.is_quiet:
        CORE_LOG.notice(generation.main, "AH00094", "Command line: '%s'", " ".join(sys.argv))


def warn(generation: Generation, log_id: str, text: str) -> None:
    """One line about what a generation asks for and does not get."""
    _LOGS[generation.policy.mpm].warn(generation.main, log_id, "%s", text)


def note(generation: Generation, log_id: str, text: str) -> None:
    """One line about the life of the server."""
    if not generation.is_quiet:
        _LOGS[generation.policy.mpm].notice(generation.main, log_id, "%s", text)
