"""A small file that processes rewrite for one another: always whole, with the time that has passed since.

For periodic work and for handlers whose answers are volatile; what an answer may be replayed from goes through `api.files`.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable

__all__ = ["Storage"]

#: Most bytes that are read.
LIMIT = 1 << 20


class Storage:
    """The file at a path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> tuple[str, float]:
        """Its text, and the seconds since it was written; "" if there is none. Raises OSError."""
        try:
            with open(self.path, "rb") as opened:
                age = max(0.0, time.time() - os.fstat(opened.fileno()).st_mtime)
                return opened.read(LIMIT).decode("ascii", "replace"), age
        except FileNotFoundError:
            return "", 0.0

    def update(self, change: Callable[[str, float], str]) -> None:
        """Write what `change` makes of what `read` gives; nothing that another process or thread updates meanwhile is lost.

        What waits for its turn has a file of its own beside it (`.lock`), for this one is another after each time; nobody but the
        user of the processes may open that, and so keep them waiting. Raises OSError.
        """
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.replace(change(*self.read()))
        finally:
            os.close(lock)

    def _open_lock(self) -> int:
        name, flags = f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(name, flags, 0o600)
        except PermissionError:
            # Of a `User` that the server had before. Who may write the file anew may do so with this one.
            os.unlink(name)
            return os.open(name, flags, 0o600)

    def replace(self, text: str) -> None:
        """Write it anew: readers see the old text or the new one. Raises OSError."""
        fd, made = tempfile.mkstemp(prefix=os.path.basename(self.path) + ".tmp.", dir=os.path.dirname(self.path) or ".")
        try:
            with os.fdopen(fd, "wb") as opened:
                opened.write(text.encode("ascii", "replace"))
                os.fchmod(fd, 0o444)
            os.replace(made, self.path)
        except OSError:
            os.unlink(made)
            raise
