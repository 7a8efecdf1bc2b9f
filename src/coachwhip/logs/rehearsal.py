"""Whether the programs of logs could be run, asked without running them or opening any file.

The server itself finds out too, and serves on; but whoever tells a running server to read its configuration again should hear of it.
"""

from __future__ import annotations

import os

from coachwhip.logs.targets import LogRoom, program_argv
from coachwhip.logs.writer import Writer

__all__ = ["Rehearsal"]


class Rehearsal(LogRoom):
    """All targets of a generation that will not be: every line that comes is thrown away."""

    def open(self, target: str, *, buffered: bool = False, at_once: bool = False) -> Writer:
        """See `Logs`; only a program can be refused."""
        if target.startswith("|"):
            return self.open_program(target, turns=False)
        return self._nowhere(target)

    def open_error_file(self, path: str) -> Writer:
        """Of files nothing is asked: the server may be allowed what the asking process is not."""
        return self._nowhere(path)

    def open_program(self, target: str, *, turns: bool, buffered: bool = False) -> Writer:
        """Look for the program. One without a folder before its name is looked for where the server runs, which is not here.

        Raises:
            LogTargetError: it is not there, or is not executable.
        """
        argv = program_argv(target)
        if not argv or argv[0].startswith("/"):
            self.check_program(target, argv)
        return self._nowhere(target)

    def _nowhere(self, name: str) -> Writer:
        return self._keep(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), name, turns=False)
