"""Giving up root: workers run as `User` and `Group`, and there is no way back.

Every call is checked; a worker that cannot become who it should be ends instead of serving.
Source: Apache manual, mod_unixd.
"""

from __future__ import annotations

import codecs
import grp
import os
import pwd
import re

__all__ = ["Identity", "PrivilegeError", "drop_privileges", "find_group", "find_identity", "find_user"]

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


def find_identity(user: str, group: str) -> Identity:
    """Who `User` and `Group` name.

    Raises:
        PrivilegeError: there is no such user or group, or none was named.
    """
    uid, gid = find_user(user), find_group(group)
    if uid < 0 or gid < 0:
        raise PrivilegeError("AH02155: the server was started as root: `User` and `Group` must name whom its workers are to run as")
    return uid, gid, None if user.startswith("#") else user


def drop_privileges(identity: Identity) -> None:
    """Become `identity` for good.

    Raises:
        PrivilegeError: the system refused, or root could be had back.
    """
    uid, gid, name = identity
    # Whoever we become may not be able to read Python's own files; name look-ups load these when they are first needed.
    for codec in ("idna", "punycode"):
        codecs.lookup(codec)
    try:
        if name is not None:
            os.initgroups(name, gid)
        else:
            os.setgroups([gid])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise PrivilegeError(f"cannot become user {uid}, group {gid}: {error.strerror}") from None
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PrivilegeError("the system kept another user or group than asked for")
    if uid != 0:
        try:
            os.setuid(0)
        except OSError:
            return
        raise PrivilegeError("root could be had back after it was given up")
