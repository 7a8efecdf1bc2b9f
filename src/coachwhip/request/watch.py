"""Watching files for change by `inotify`, so that a replayed answer costs one question to the kernel instead of one per file.

A *look* at a path depends on every folder on the way and on every link: all of them are watched, and the file itself as an inode, so that
a write through another name counts too. Where another file system is mounted on the way no folder tells of it; the table of mounts
does, and it is asked with the same question. What `inotify` cannot see (network and stacked file systems, too many watches) is reported
as not watchable, and the caller asks the file system itself, each time. Linux only; elsewhere nothing is watchable.
Source: inotify(7), "Limitations and caveats"; proc_pid_mountinfo(5).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import struct
import sys
from collections.abc import Callable, Iterable

__all__ = ["Watcher"]

_CREATE_OR_GO = 0x00000100 | 0x00000200 | 0x00000040 | 0x00000080  # IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO
_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x00000002, 0x00000004, 0x00000008
_SELF = 0x00000400 | 0x00000800  # IN_DELETE_SELF, IN_MOVE_SELF
_UNMOUNT, _OVERFLOW, _IGNORED, _ONLYDIR = 0x00002000, 0x00004000, 0x00008000, 0x01000000
#: Of a folder, not what is written to the files in it: those that count are watched themselves, and others may be logs.
_FOLDER = _CREATE_OR_GO | _ATTRIB | _SELF | _ONLYDIR
#: A write through a memory mapping tells nothing but, when all is unmapped, that a file open for writing was closed.
_FILE = _MODIFY | _ATTRIB | _CLOSE_WRITE | _SELF
_EVENT = struct.Struct("iIII")
_READ = 64 << 10
#: Readable at any time, and in this way (EPOLLERR aside) after a mount or an unmount.
_MOUNTS = "/proc/self/mountinfo"
#: The most reads in one look, some 10,000 events: whoever makes them faster than they are read must not keep the server from serving.
_MOST_READS = 8
_MAX_LINKS = 40

#: File systems whose changes all pass through this kernel (statfs f_type).
_LOCAL = frozenset({
    0xEF53,  # ext2, ext3, ext4
    0x58465342,  # xfs
    0x9123683E,  # btrfs
    0x01021994,  # tmpfs
    0x2FC12FC1,  # zfs
    0xF2F52010,  # f2fs
    0x858458F6,  # ramfs
})  # fmt: skip


class Watcher:
    """Watches on behalf of keys; `look` tells which keys have been touched since the last look."""

    __slots__ = ("_by_key", "_by_watch", "_fd", "_forget_all", "_libc", "_mounts", "_news", "_on_touch")

    def __init__(self, on_touch: Callable[[object], None], on_overflow: Callable[[], None]) -> None:
        self._on_touch = on_touch
        self._forget_all = on_overflow
        self._fd = self._mounts = -1
        #: Watch descriptor → name in the folder ("" for the inode itself) → keys.
        self._by_watch: dict[int, dict[bytes, set[object]]] = {}
        self._by_key: dict[object, list[tuple[int, bytes]]] = {}
        self._libc: ctypes.CDLL | None = None
        #: Says which of the two descriptors has something to tell; None if nothing can be watched.
        self._news: select.epoll | None = None
        if sys.platform == "linux":
            self._open()

    def _open(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            return
        self._news = select.epoll()
        self._news.register(self._fd, select.EPOLLIN)
        # Without /proc, mounts are found out when even watched files are asked.
        with contextlib.suppress(OSError):
            self._mounts = os.open(_MOUNTS, os.O_RDONLY | os.O_CLOEXEC)
            self._news.register(self._mounts, select.EPOLLPRI)

    def fileno(self) -> int:
        """inotify's descriptor; -1 if nothing can be watched."""
        return self._fd

    def close(self) -> None:
        """Give the descriptors back; nothing is watched any more."""
        if self._news is not None:
            self._news.close()
            self._news = None
        for fd in (self._fd, self._mounts):
            if fd >= 0:
                os.close(fd)
        self._fd = self._mounts = -1

    def look(self) -> None:
        """Take in what has happened; calls back for every key that was touched, or that all may have been.

        Costs, if nothing has happened: one question to the system.
        """
        if self._news is None:
            return
        for fd, _ in self._news.poll(0, 2):
            if fd == self._fd:
                self._read()
            else:
                # What is watched may be hidden now, or come to light.
                self._forget_all()

    def _read(self) -> None:
        for _ in range(_MOST_READS):
            try:
                data = os.read(self._fd, _READ)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, _, size = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                name = data[at : at + size].rstrip(b"\0")
                at += size
                self._happened(watch, mask, name)
        self._forget_all()

    def _happened(self, watch: int, mask: int, name: bytes) -> None:
        if mask & _OVERFLOW:
            self._forget_all()
            return
        names = self._by_watch.get(watch)
        if names is None:
            return
        if name:
            touched = {*names.get(name, ()), *names.get(b"*", ())}
        else:
            # The inode itself: of a folder, also who may pass through it, which the folder above tells of only within one file system.
            touched = {key for keys in names.values() for key in keys}
        if mask & (_UNMOUNT | _IGNORED):
            self._by_watch.pop(watch, None)
        for key in touched:
            self._on_touch(key)

    # -- what is watched

    def watch(self, key: object, looks: Iterable[tuple[str, bool]]) -> bool:
        """Watch, for `key`, each (path, whether its listing counts). False: not all can be watched; nothing is then."""
        if self._fd < 0:
            return False
        wanted: set[tuple[bytes, bytes]] = set()
        for path, listed in looks:
            if not self._chain(os.fsencode(path), listed, wanted):
                return False
        marks: list[tuple[int, bytes]] = []
        for folder, name in wanted:
            number = self._add(folder)
            if number is None:
                self._unmark(key, marks)
                return False
            self._by_watch.setdefault(number, {}).setdefault(name, set()).add(key)
            marks.append((number, name))
        self._by_key[key] = marks
        return True

    def forget(self, key: object) -> None:
        """Stop watching for `key`. Watches that serve nobody are removed."""
        self._unmark(key, self._by_key.pop(key, []))

    def _unmark(self, key: object, marks: list[tuple[int, bytes]]) -> None:
        for number, name in marks:
            names = self._by_watch.get(number)
            keys = names.get(name) if names is not None else None
            if names is None or keys is None:
                continue
            keys.discard(key)
            if not keys:
                del names[name]
            if not names:
                self._remove(number)

    def _remove(self, number: int) -> None:
        self._by_watch.pop(number, None)
        if self._libc is not None:
            self._libc.inotify_rm_watch(self._fd, number)

    def _add(self, path: bytes) -> int | None:
        """Watch an inode by a path without links; the same inode gives the same number, whatever was at this path before."""
        if self._libc is None:
            return None
        number = int(self._libc.inotify_add_watch(self._fd, path, _FOLDER))
        if number < 0 and ctypes.get_errno() == errno.ENOTDIR:
            number = int(self._libc.inotify_add_watch(self._fd, path, _FILE))
        return number if number >= 0 else None

    def _chain(self, path: bytes, listed: bool, wanted: set[tuple[bytes, bytes]]) -> bool:
        """Collect (folder, name) for every step of a path, links followed, down to what is missing or to the file itself."""
        rest = [part for part in path.split(b"/") if part]
        at, links = b"/", 0
        while rest:
            name = rest.pop(0)
            if name == b"..":
                at = os.path.dirname(at) or b"/"
                continue
            if not self._is_local(at):
                return False
            wanted.add((at, name))
            here = os.path.join(at, name)
            try:
                target = os.readlink(here)
            except FileNotFoundError:
                return True
            except OSError:
                at = here
                continue
            links += 1
            if links > _MAX_LINKS:
                return False
            parts = [part for part in target.split(b"/") if part and part != b"."]
            if target.startswith(b"/"):
                at = b"/"
            rest = parts + rest
        if not self._is_local(at):
            return False
        wanted.add((at, b""))
        if listed:
            wanted.add((at, b"*"))
        return True

    def _is_local(self, folder: bytes) -> bool:
        """Whether changes in a folder, if it is there, all pass through this kernel."""
        if self._libc is None:
            return False
        # The file system's type is the first word of the structure on every Linux.
        buffer = ctypes.create_string_buffer(256)
        if self._libc.statfs(folder, buffer) != 0:
            return True
        return int.from_bytes(buffer.raw[:8], sys.byteorder) & 0xFFFFFFFF in _LOCAL
