"""Whether logs could be opened and their programs run, asked without opening or running any.

The server itself finds out too, and serves on; but whoever tells a running server to read its configuration again should hear of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from coachwhip.logs.targets import LogRoom, is_standard, not_opened, program_argv
from coachwhip.logs.writer import Writer

__all__ = ["Rehearsal"]


class Rehearsal(LogRoom):
    """All targets of a generation that will not be: every line that comes is thrown away."""

    def open(self, target: str, *, buffered: bool = False, at_once: bool = False) -> Writer:
        """See `Logs`."""
        if target.startswith("|"):
            return self.open_program(target, turns=False)
        path = os.path.join(self.server_root, target)
        try:
            _check_file(path)
        except OSError as error:
            raise not_opened(path, error) from error
        return self._nowhere(target)

    def open_error_file(self, path: str) -> Writer:
        """Look for its folder and what has its name. Raises OSError."""
        _check_file(path)
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


def _check_file(path: str) -> None:
    """Raise the OSError that opening it would end in: no such folder, a folder of that name.

    Permissions are not asked for: the server may be allowed what this process is not. What a standard descriptor is, is another's here.
    """
    if is_standard(path):
        return
    with contextlib.suppress(PermissionError):
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = 0
            # It would be made.
            os.stat(os.path.join(os.path.dirname(os.path.realpath(path)), ""))
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
