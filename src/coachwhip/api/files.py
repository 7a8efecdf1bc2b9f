"""The only window that hooks have onto the file system; every look through it is recorded.

Paths are absolute `str` with surrogateescape. The implementation (in `request/`) opens regular files only, without blocking on
devices or pipes, and never through a link that the configuration does not allow.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple, Protocol

from coachwhip.api.buckets import OpenFile

__all__ = ["DIRECTORY", "MISSING", "REGULAR", "DirEntry", "FileKind", "FileStat", "Files", "Links", "is_exhausted"]


class FileKind(Enum):
    """What stands at a path (httpd's `finfo.filetype`)."""

    MISSING = "missing"
    REGULAR = "regular"
    DIRECTORY = "directory"
    LINK = "link"
    #: Device, pipe or socket: never served.
    OTHER = "other"


#: The common ones as plain names, see `outcome.py`.
MISSING, REGULAR, DIRECTORY = FileKind.MISSING, FileKind.REGULAR, FileKind.DIRECTORY


class Links(Enum):
    """How symbolic links in a folder are treated (`Options`)."""

    FOLLOW = "FollowSymLinks"
    #: Only if the link and what it leads to have one owner.
    BY_OWNER = "SymLinksIfOwnerMatch"
    NEVER = "none"


class FileStat(NamedTuple):
    """What is known of a file. Times in nanoseconds since 1970, size in bytes."""

    kind: FileKind
    size: int = 0
    mtime_ns: int = 0
    #: Time of the last change of the file's inode; moves with every write, rename or chmod.
    ctime_ns: int = 0
    inode: int = 0
    device: int = 0
    mode: int = 0
    uid: int = -1
    gid: int = -1


class DirEntry(NamedTuple):
    """A name in a folder, with the stat of what it points at (MISSING for a dangling link)."""

    name: str
    stat: FileStat
    is_link: bool = False


class Files(Protocol):
    """Recorded access to files.

    `open`, `read` and `list` reach a file only as the folders on the way allow it by `Options`, as far as the directory walk of this
    request has come; `stat` and `lstat` ask the system as it is.
    """

    def stat(self, path: str) -> FileStat:
        """What stands at `path`, links followed. MISSING if nothing does.

        Raises:
            PermissionError, OSError: as the system says (EACCES, ELOOP, ENAMETOOLONG, …).
        """

    def lstat(self, path: str) -> FileStat:
        """The same without following a final link."""

    def open(self, path: str) -> OpenFile:
        """Open a regular file for sending.

        Raises:
            OSError: missing, not permitted, behind a link that is not to be followed, not a regular file, or too many open files.
        """

    def read(self, path: str, limit: int = 1 << 20) -> bytes:
        """The whole content of a small file of the site (type maps, readme files). Raises OSError, also beyond `limit`."""

    def read_configured(self, path: str, limit: int = 1 << 20) -> bytes:
        """The same for a file that the configuration names (passwords, groups): links on the way are the administrator's own."""

    def holds_more(self, path: str, count: int) -> bool:
        """Whether a folder has more than `count` names, without "." and ".."; it is read no further. Raises OSError."""

    def list(self, path: str, prefix: str = "") -> list[DirEntry]:
        """The entries of a folder whose names begin with `prefix`, without "." and "..", unsorted. Raises OSError."""

    def scan(self, path: str, prefix: str = "") -> AbstractContextManager[Iterator[DirEntry]]:
        """The same one after the other, for folders that may be large: they are looked at while the context lasts."""


def is_exhausted(error: OSError) -> bool:
    """Whether the process or the system has no descriptor left: a condition that passes, and says nothing about the file."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
