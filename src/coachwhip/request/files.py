"""The file layer: the one place where the server looks at and opens files for a request, and records that it did.

Only regular files are ever opened, with O_NONBLOCK so that a pipe or a device cannot hold the loop; what was opened is checked again
by `fstat`. Where `Options` restricts links, files are reached as `reach.py` does it. It knows nothing of requests beyond their `Record`.
"""

from __future__ import annotations

import errno
import os
import stat as st
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from coachwhip.api.files import DIRECTORY, MISSING, REGULAR, DirEntry, FileKind, FileStat, Links
from coachwhip.api.record import Look, Record, Seen
from coachwhip.request.reach import LOOK, LinkRefused, reach

__all__ = ["RecordedFiles", "RegularFile", "TooLarge", "is_settled_time", "signature", "signature_of"]

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_FOLDER_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_DIRECTORY
NOTHING = FileStat(MISSING)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_PASSING = (Look.STAT, Look.LSTAT)
#: The most bytes that are asked for in one read.
MAX_READ = 1 << 20
#: An answer made from more looks than this is not kept, for each is a watch and some memory; the listing of a large folder is such a one.
MAX_LOOKS = 2000


class TooLarge(OSError):
    """A file that is read whole is larger than its reader allows."""


class RegularFile:
    """An open regular file; closed when the last response that uses it is done, at the latest with the object."""

    __slots__ = ("_fd", "size", "stat")

    def __init__(self, fd: int, stat: FileStat) -> None:
        self._fd = fd
        self.stat = stat
        self.size = stat.size

    def fileno(self) -> int:
        """The descriptor, -1 after `close`."""
        return self._fd

    def read_at(self, offset: int, count: int) -> bytes:
        """See `api.OpenFile`."""
        data = os.pread(self._fd, count if count <= MAX_READ else MAX_READ, offset)
        if len(data) == count or not data:
            return data
        pieces = [data]
        while (count := count - len(data)) > 0:
            offset += len(data)
            data = os.pread(self._fd, min(count, MAX_READ), offset)
            if not data:
                break
            pieces.append(data)
        return b"".join(pieces)

    def close(self) -> None:
        """Give the descriptor back."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


_KIND_BITS = 0o170000
_KINDS = {st.S_IFREG: REGULAR, st.S_IFDIR: DIRECTORY, st.S_IFLNK: FileKind.LINK}
_OTHER = FileKind.OTHER
_FOLLOW = Links.FOLLOW
_STAT, _LSTAT, _READ = Look.STAT, Look.LSTAT, Look.READ
_make = tuple.__new__


def _from(result: os.stat_result) -> FileStat:
    mode, inode, device, _, uid, gid, size = result[:7]
    kind = _KINDS.get(mode & _KIND_BITS, _OTHER)
    # Not by the constructor of the named tuple, which is a Python function that takes as long as the `stat` itself.
    return _make(FileStat, (kind, size, result.st_mtime_ns, result.st_ctime_ns, inode, device, mode, uid, gid))


def signature(result: os.stat_result, look: Look) -> tuple[int, ...]:
    """What must stay the same for a look at a file to stay true: identity, times (nanoseconds) and size.

    Of a folder that is only passed through: identity and who may enter. Names that come and go in it change its times all day.
    """
    if st.S_ISDIR(result.st_mode) and look in _PASSING:
        return (result.st_ino, result.st_dev, 0, 0, result.st_mode, result.st_uid, result.st_gid)
    return (result.st_ino, result.st_dev, result.st_mtime_ns, result.st_ctime_ns, result.st_size)


def signature_of(stat: FileStat, look: Look) -> tuple[int, ...]:
    """The same `signature`, from what the record says that was seen."""
    if stat.kind is DIRECTORY and look in _PASSING:
        return (stat.inode, stat.device, 0, 0, stat.mode, stat.uid, stat.gid)
    return (stat.inode, stat.device, stat.mtime_ns, stat.ctime_ns, stat.size)


#: A time stamp this old, in seconds, is older than the file system's clock tick: another change would move it.
TICK = 0.05
#: The same where time stamps are whole seconds, as on ext3 and ext4 with small inodes; FAT counts in twos.
COARSE_TICK = 2.05


def is_settled_time(seen: object, looked: float) -> bool:
    """Whether a signature was so old when it was `looked` at (wall-clock seconds) that no later change can carry the same times."""
    if not isinstance(seen, tuple):
        return True
    latest = max(seen[2], seen[3])
    tick = TICK if latest % 1_000_000_000 else COARSE_TICK
    return bool(looked - latest / 1e9 > tick)


class RecordedFiles:
    """Implements `api.Files` on the real file system, for one request: what its walk said about links is kept here."""

    __slots__ = ("_early", "_record", "links")

    def __init__(self, record: Record) -> None:
        self._record = record
        #: What `open_early` has opened, and where.
        self._early: tuple[str, RegularFile] | None = None
        #: See `reach.LinkRules`; set by the directory walk. Empty: links are followed on every way, so the system may walk it in one go.
        self.links: dict[str, Links] = {}

    def restrict(self, folder: str, rule: Links) -> None:
        """Treat links in `folder` (with a slash at its end) and below so from now on."""
        if self.links or rule is not _FOLLOW:
            links = {**self.links, folder: rule}
            self.links = links if any(one is not _FOLLOW for one in links.values()) else {}

    def _note(self, path: str, look: Look, seen: Seen) -> None:
        files = self._record.files
        if len(files) < MAX_LOOKS:
            files[path, look] = seen
        else:
            self._record.make_volatile("too many files")

    def lstat(self, path: str) -> FileStat:
        """What stands at `path` itself."""
        return self.stat(path, _LSTAT, os.lstat)

    def stat(self, path: str, look: Look = _STAT, ask: Callable[[str], os.stat_result] = os.stat) -> FileStat:
        """What stands at `path`, links followed; or by another `look`, which is to `ask` the system so."""
        if "\0" in path:
            return NOTHING
        try:
            found = _from(ask(path))
        except OSError as error:
            self._note(path, look, None if error.errno in _ABSENT else error.errno)
            if error.errno in _ABSENT:
                return NOTHING
            raise
        self._note(path, look, found)
        return found

    def look(self, path: str, last: Links | None = None) -> FileStat:
        """What stands at `path` if it is reached by the rules. `last`: the rule for its last step.

        Raises:
            LinkRefused: there is a link on the way that ends it.
            OSError: as the system says.
        """
        if not self.links:
            return self.stat(path)
        try:
            fd, link = reach(path, LOOK, self.links, last)
        except LinkRefused:
            # The link, and what it leads to: whether that is there, and whose it is.
            self.lstat(path)
            with suppress(OSError):
                self.stat(path)
            raise
        except OSError as error:
            self._note(path, Look.LSTAT, None if error.errno in _ABSENT else error.errno)
            if error.errno in _ABSENT:
                return NOTHING
            raise
        try:
            found = _from(os.fstat(fd))
        finally:
            os.close(fd)
        if link is not None:
            self._note(path, Look.LSTAT, _from(link))
            self._note(path, Look.STAT, found)
        else:
            self._note(path, Look.LSTAT, found)
        return found

    def open_early(self, path: str) -> FileStat | None:
        """What stands at `path`, if it is a regular file that can be opened by the rules; else None, which tells nothing.

        Whoever opens it next is given what was opened here: one look at a file that is going to be sent, in place of two.
        """
        try:
            file = self.open(path)
        except OSError:
            return None
        self._early = path, file
        return file.stat

    def close_early(self) -> None:
        """Nobody is going to open what `open_early` has opened."""
        self._early = None

    def open(self, path: str, last: Links | None = None, *, configured: bool = False) -> RegularFile:
        """Open a regular file by the rules, or, if its path is `configured`, whatever links lead there. `last`: as for `look`.

        Raises OSError (EACCES for what is not a regular file).
        """
        early, self._early = self._early, None
        if early is not None and early[0] == path and not configured:
            return early[1]
        try:
            fd = reach(path, _FLAGS, self.links, last)[0] if self.links and not configured else os.open(path, _FLAGS)
        except OSError as error:
            self._note(path, _READ, error.errno)
            raise
        try:
            found = _from(os.fstat(fd))
            self._note(path, _READ, found)
            if found.kind is not REGULAR:
                raise PermissionError(errno.EACCES, "not a regular file", path)
        except BaseException:
            os.close(fd)
            raise
        return RegularFile(fd, found)

    def read(self, path: str, limit: int = 1 << 20, last: Links | None = None) -> bytes:
        """The whole content of a small file of the site. `last`: as for `look`."""
        return self._whole(self.open(path, last), path, limit)

    def read_configured(self, path: str, limit: int = 1 << 20) -> bytes:
        """The whole content of a small file that the configuration names; links are followed."""
        return self._whole(self.open(path, configured=True), path, limit)

    def _whole(self, file: RegularFile, path: str, limit: int) -> bytes:
        try:
            data = file.read_at(0, limit + 1)
        finally:
            file.close()
        if len(data) > limit:
            raise TooLarge(errno.EFBIG, f"larger than {limit} bytes", path)
        if len(data) != file.size:
            # In /proc and its like, what a file says of itself tells nothing about its content.
            self._record.make_volatile("file without a size")
        return data

    def holds_more(self, path: str, count: int) -> bool:
        """Whether a folder has more than `count` names."""
        with self._folder(path) as fd, os.scandir(fd) as found:
            return next(islice(found, count, None), None) is not None

    def list(self, path: str, prefix: str = "") -> list[DirEntry]:
        """The entries of a folder that begin with `prefix`; a dangling link or a name that vanishes meanwhile is MISSING."""
        with self.scan(path, prefix) as entries:
            return list(entries)

    @contextmanager
    def scan(self, path: str, prefix: str = "") -> Iterator[Iterator[DirEntry]]:
        """The same, one after the other while the folder is open."""
        folder = path if path.endswith("/") else path + "/"
        with self._folder(path) as fd, os.scandir(fd) as found:
            yield (self._entry(folder, entry) for entry in found if entry.name.startswith(prefix))

    @contextmanager
    def _folder(self, path: str) -> Iterator[int]:
        """An open folder whose names are about to be read."""
        try:
            fd = reach(path, _FOLDER_FLAGS, self.links)[0] if self.links else os.open(path, _FOLDER_FLAGS)
            try:
                self._note(path, Look.LIST, _from(os.fstat(fd)))
                yield fd
            finally:
                os.close(fd)
        except OSError as error:
            self._note(path, Look.LIST, error.errno)
            raise

    def _entry(self, folder: str, entry: os.DirEntry[str]) -> DirEntry:
        name = folder + entry.name
        is_link = entry.is_symlink()
        try:
            found = _from(entry.stat())
        except OSError as error:
            self._note(name, Look.STAT, error.errno)
            return DirEntry(entry.name, NOTHING, is_link)
        # The time of a folder among the entries is shown, and changes with the names in it.
        self._note(name, Look.LIST if found.kind is DIRECTORY else Look.STAT, found)
        return DirEntry(entry.name, found, is_link)
