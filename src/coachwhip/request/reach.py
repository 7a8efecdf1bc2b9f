"""Reaching a file without a race: what `Options` says about symbolic links holds for the very file that is opened.

A path whose every step was looked at may be another one a moment later, when a folder on it has been swapped for a link. So where
links are not followed freely, the kernel is asked to walk the path without any (`openat2`, RESOLVE_NO_SYMLINKS: one call, and the
usual case). Where it meets one, or cannot do that, each step is opened from the folder before it, and a link is judged by the
handle on it and on what it leads to. Knows descriptors only: no requests, no records. Source: openat2(2), path_resolution(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat as st
import struct
import sys
from collections.abc import Callable, Mapping

from coachwhip.api.files import Links

__all__ = ["LOOK", "LinkRefused", "LinkRules", "reach"]

#: Folder, with a slash at its end → how links are treated from there down, unless a folder below says otherwise. Empty: all are followed.
LinkRules = Mapping[str, Links]

#: Flags for a handle that can be looked at but not read; without it (no Linux) the right to read is needed too.
LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_CLOEXEC
_FOLDER = LOOK | os.O_DIRECTORY
_SYS_OPENAT2 = 437
_AT_FDCWD = -100
_RESOLVE_NO_SYMLINKS = 0x04
_HOW = struct.Struct("=QQQ")


class LinkRefused(OSError):
    """A link on the way is not to be followed, or leads nowhere."""


def reach(path: str, flags: int, rules: LinkRules, last: Links | None = None) -> tuple[int, os.stat_result | None]:
    """Open an absolute path as far as the rules let it be reached. `last`: the rule for its last step, whatever the folder says.

    Returns the descriptor, and what the last step is itself if it is a link that was followed.

    Raises:
        LinkRefused: the rules end the way at a link.
        OSError: as the system says.
    """
    if "\0" in path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    fd = _without_links(path, flags)
    return (fd, None) if fd is not None else _step_by_step(path, flags, rules, last)


def _step_by_step(path: str, flags: int, rules: LinkRules, last: Links | None) -> tuple[int, os.stat_result | None]:
    *names, final = [name for name in path.split("/") if name] or ["."]
    at = os.open("/", _FOLDER)
    folder = "/"
    rule = rules.get(folder, Links.FOLLOW)
    try:
        for name in names:
            below, _ = _step(at, name, _FOLDER, rule)
            os.close(at)
            at = below
            folder += name + "/"
            rule = rules.get(folder, rule)
        return _step(at, final, flags, last or rule)
    finally:
        os.close(at)


def _step(folder: int, name: str, flags: int, rule: Links) -> tuple[int, os.stat_result | None]:
    """Open one name in an open folder."""
    handle = os.open(name, LOOK | os.O_NOFOLLOW, dir_fd=folder)
    try:
        itself = os.fstat(handle)
        if st.S_ISLNK(itself.st_mode):
            return _follow(folder, os.readlink("", dir_fd=handle), flags, rule, itself.st_uid), itself
    finally:
        os.close(handle)
    # Should it be a link from this moment on, that is not followed.
    return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder), None


def _follow(folder: int, target: str, flags: int, rule: Links, owner: int) -> int:
    """Open what a link of this owner leads to; owners are compared on what was opened."""
    if rule is Links.NEVER:
        raise LinkRefused(errno.ELOOP, "symbolic link", target)
    try:
        found = os.open(target, flags, dir_fd=folder)
    except FileNotFoundError:
        raise LinkRefused(errno.ELOOP, "symbolic link to nothing", target) from None
    if rule is Links.BY_OWNER and os.fstat(found).st_uid != owner:
        os.close(found)
        raise LinkRefused(errno.ELOOP, "symbolic link to what another owns", target)
    return found


def _no_openat2(path: str, flags: int) -> int | None:
    return None


def _openat2() -> Callable[[str, int], int | None]:
    """The system call behind a Python face; one that is never of help where there is none."""
    if sys.platform != "linux":
        return _no_openat2
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long)

    def without_links(path: str, flags: int) -> int | None:
        """The descriptor; None if there is a link on the way, or the call did not work out for another reason than a missing name."""
        fd: int = call(_SYS_OPENAT2, _AT_FDCWD, os.fsencode(path), _HOW.pack(flags, 0, _RESOLVE_NO_SYMLINKS), _HOW.size)
        if fd >= 0:
            return fd
        error = ctypes.get_errno()
        if error in (errno.ENOENT, errno.ENOTDIR):
            raise OSError(error, os.strerror(error), path)
        return None

    return without_links


_without_links = _openat2()
