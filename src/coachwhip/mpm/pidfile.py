"""`PidFile`: where the parent's process id stands while it lives, and how a later command finds the parent by it.

Knows files and process ids; what is said to people about them is the caller's business.
Source: Apache manual, `PidFile`, "Stopping and Restarting Apache HTTP Server".
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field

from coachwhip.util.notes import asked_at

__all__ = ["PidFile", "PidFileError"]

_CONTENT = re.compile(rb"[ \t]*([0-9]{1,9})(?:[ \t\r\n].*)?", re.ASCII | re.DOTALL)


class PidFileError(Exception):
    """The file cannot be read or written, or what is in it is not a process id."""


@dataclass(frozen=True, slots=True)
class PidFile:
    """One pid file by its absolute path."""

    path: str
    #: The configuration lines that ask for it.
    places: tuple[object, ...] = field(default=(), compare=False)

    def read(self) -> int | None:
        """The process id in the file; None if there is no file.

        Raises:
            PidFileError: it cannot be read, or has no process id in it.
        """
        try:
            with open(self.path, "rb") as opened:
                content = opened.read(64)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PidFileError(f"({error.errno}){error.strerror}: AH00058: Error retrieving pid file {self.path}") from None
        found = _CONTENT.fullmatch(content)
        # A signal to 0 would go to everyone in the caller's own process group.
        if found is None or int(found[1]) < 1:
            raise PidFileError(
                f"AH00058: Error retrieving pid file {self.path}\nAH00059: Remove it before continuing if it is corrupted."
            )
        return int(found[1])

    def is_running(self, pid: int) -> bool:
        """Whether this process lives and is another one than this: a container that starts again gives the same numbers."""
        if pid == os.getpid():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return not _is_zombie(pid)

    def is_stale(self) -> bool:
        """Whether a server left it behind that did not end as it should."""
        try:
            pid = self.read()
        except PidFileError:
            return False
        return pid is not None and not self.is_running(pid)

    def write(self) -> None:
        """Put this process's id there, as a whole file or not at all.

        Raises:
            PidFileError: the folder is missing or may not be written to; the line that asks for it is noted.
        """
        with asked_at(self.places):
            self._write()

    def _write(self) -> None:
        folder, name = os.path.split(self.path)
        try:
            fd, made = tempfile.mkstemp(prefix=f"{name}.", dir=folder)
            try:
                os.write(fd, b"%d\n" % os.getpid())
                os.fchmod(fd, 0o644)
                os.replace(made, self.path)
            except OSError:
                os.unlink(made)
                raise
            finally:
                os.close(fd)
        except OSError as error:
            raise PidFileError(f"({error.errno}){error.strerror}: AH00099: could not create {self.path}") from None

    def is_same(self, other: PidFile) -> bool:
        """Whether both names lead to one file."""
        return os.path.realpath(self.path) == os.path.realpath(other.path)

    def remove(self) -> None:
        """Take it away if it is still this process's."""
        try:
            if self.read() == os.getpid():
                os.unlink(self.path)
        except (OSError, PidFileError):
            return


def _is_zombie(pid: int) -> bool:
    """Whether it has ended and nobody took notice, which is usual where process 1 is no init. Known on Linux only."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as opened:
            state = opened.read().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state == b"Z"
