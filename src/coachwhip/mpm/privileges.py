"""Giving up root: workers run as `User` and `Group`, below `ChrootDir`, with nothing left to give up, and there is no way back.

The parent finds out beforehand what a worker is to be (`find_rights`); a worker becomes that (`drop_privileges`) after it was forked
and before it serves. Every step is checked; a worker that cannot become who it should be ends instead of serving.
Source: Apache manual, mod_unixd, `CoreDumpDirectory`.
"""

from __future__ import annotations

import codecs
import errno
import grp
import os
import pwd
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api.mpm import ServerMpm
from coachwhip.mpm import linux

__all__ = [
    "Identity", "PrivilegeError", "Rights", "current_umask", "drop_privileges", "find_group", "find_identity", "find_rights", "find_user",
    "main_group", "set_umask",
]  # fmt: skip

#: (user id, group id, user name or None)
Identity = tuple[int, int, str | None]

_NUMBER = re.compile(r"#(-?[0-9]{1,10})", re.ASCII)


class PrivilegeError(RuntimeError):
    """The user or group is unknown, or the system refused a change."""


def find_user(name: str) -> int:
    """The number of a user; `#` stands before numbers, and -1 is nobody at all.

    Raises:
        PrivilegeError: there is no such user.
    """
    number = _NUMBER.fullmatch(name)
    if number:
        return int(number[1])
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise PrivilegeError(f"AH00543: httpd: bad user name {name}") from None


def find_group(name: str) -> int:
    """The number of a group; as `find_user`."""
    number = _NUMBER.fullmatch(name)
    if number:
        return int(number[1])
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise PrivilegeError(f"AH00544: httpd: bad group name {name}") from None


def main_group(user: str) -> str:
    """The group of a user for whom none was named, as a number.

    Raises:
        PrivilegeError: there is no such user.
    """
    try:
        return f"#{pwd.getpwuid(find_user(user)).pw_gid}"
    except (KeyError, OverflowError):
        raise PrivilegeError(f"user {user} has no entry of its own, so its group must be named, too") from None


def find_identity(user: str, group: str, *, allow_root: bool = False) -> Identity:
    """Who `User` and `Group` name.

    Raises:
        PrivilegeError: there is no such user or group, none was named, or it is root by whatever name and that is not allowed.
    """
    uid, gid = find_user(user), find_group(group)
    if uid < 0 or gid < 0:
        raise PrivilegeError("AH02155: the server was started as root: `User` and `Group` must name whom its workers are to run as")
    if uid == 0 and not allow_root:
        raise PrivilegeError(f"`User {user}` is root: a fault in any module would then be root's")
    return uid, gid, None if user.startswith("#") else user


@dataclass(frozen=True, slots=True)
class Rights:
    """What a worker is to be."""

    #: None: it stays who started it, which was not root.
    identity: Identity | None = None
    #: What is "/" to it; None: the system's.
    chroot: str | None = None
    #: Its working folder, seen from below `chroot`; None: the one of the parent.
    core_folder: str | None = None
    no_new_privileges: bool = True

    @property
    def stay_roots(self) -> bool:
        """Whether a worker is root's, and so gives up next to nothing."""
        return self.identity is not None and self.identity[0] == 0


def find_rights(conf: ServerMpm) -> Rights:
    """What the configuration wants of workers, by who is running now.

    Raises:
        PrivilegeError: see `find_identity`; or `ChrootDir` is asked of somebody who is not root.
    """
    identity = None
    if os.geteuid() == 0:
        identity = find_identity(conf.user, conf.group, allow_root=conf.allow_root)
    elif conf.chroot_dir is not None:
        raise PrivilegeError("AH02158: Cannot chroot when not started as root")
    return Rights(identity, conf.chroot_dir, conf.core_dump_directory, conf.no_new_privileges)


def drop_privileges(rights: Rights) -> None:
    """Be what `rights` says, for good.

    Raises:
        PrivilegeError: the system refused a step, or root could be had back.
    """
    # Whoever we become may not be able to read Python's own files.
    for codec in ("idna", "punycode"):
        codecs.lookup(codec)
    if rights.no_new_privileges:
        _step("forbid new privileges", linux.forbid_new_privileges)
        if not rights.stay_roots:
            _empty_bounding_set()
    if rights.identity is not None:
        _set_groups(rights.identity)
    if rights.chroot is not None:
        _enter(rights.chroot)
    if rights.identity is not None:
        _set_user(rights.identity[0])
    if not rights.stay_roots:
        _step("drop capabilities", linux.drop_capabilities)
    if rights.core_folder is not None:
        folder = rights.core_folder
        _step(f"enter CoreDumpDirectory {folder}", lambda: os.chdir(folder))
        _step("allow core dumps", linux.allow_core_dumps)


def _empty_bounding_set() -> None:
    """Nothing can be gained from it any more; whoever started us without the right to empty it may leave it as it is."""
    try:
        linux.drop_bounding_set()
    except OSError as error:
        if error.errno != errno.EPERM:
            raise PrivilegeError(f"cannot empty the capability bounding set: {error.strerror}") from None


def _step(what: str, act: Callable[[], object]) -> None:
    try:
        act()
    except OSError as error:
        raise PrivilegeError(f"cannot {what}: {error.strerror}") from None


def _set_groups(identity: Identity) -> None:
    uid, gid, name = identity
    try:
        if name is not None:
            os.initgroups(name, gid)
        else:
            os.setgroups([gid])
        os.setresgid(gid, gid, gid)
    except OSError as error:
        raise PrivilegeError(f"cannot become user {uid}, group {gid}: {error.strerror}") from None
    if os.getresgid() != (gid, gid, gid):
        raise PrivilegeError("the system kept another group than asked for")


def _set_user(uid: int) -> None:
    _step(f"become user {uid}", lambda: os.setresuid(uid, uid, uid))
    if os.getresuid() != (uid, uid, uid):
        raise PrivilegeError("the system kept another user than asked for")
    if uid != 0:
        try:
            os.setuid(0)
        except OSError:
            return
        raise PrivilegeError("root could be had back after it was given up")


def _enter(folder: str) -> None:
    """Make `folder` the root, and the working folder with it: one outside would be a way out."""
    # The C library looks into the time zone's file again for every local time, unless the zone was named.
    os.environ.setdefault("TZ", ":/etc/localtime")
    time.tzset()
    _step(f"change the root to {folder}", lambda: os.chroot(folder))
    os.chdir("/")


def current_umask() -> int:
    """Which permissions files that this process makes do not get now."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def set_umask(asked: int | None, inherited: int) -> None:
    """Which permissions files that the server makes do not get: as asked, or 022 and what whoever started it withholds (`inherited`)."""
    os.umask(inherited | 0o022 if asked is None else asked)
