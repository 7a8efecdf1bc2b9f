"""Giving up root: workers run as `User` and `Group`, and there is no way back.

Every call is checked; a worker that cannot become who it should be ends instead of serving.
Source: Apache manual, mod_unixd.
"""

from __future__ import annotations

import grp
import os
import pwd

__all__ = ["Identity", "PrivilegeError", "drop_privileges", "find_identity"]

#: (user id, group id, user name or None)
Identity = tuple[int, int, str | None]


class PrivilegeError(RuntimeError):
    """The user or group is unknown, or the system refused a change."""


def find_identity(user: str, group: str) -> Identity:
    """Who `User` and `Group` name; `#` stands before numbers.

    Raises:
        PrivilegeError: there is no such user or group.
    """
    name: str | None = None
    try:
        if user.startswith("#"):
            uid = int(user[1:])
            if uid < 0:
                raise PrivilegeError("AH02155: the server was started as root; `User` must name whom it is to run as")
        else:
            entry = pwd.getpwnam(user)
            uid, name = entry.pw_uid, entry.pw_name
        gid = int(group[1:]) if group.startswith("#") else grp.getgrnam(group).gr_gid
    except KeyError:
        raise PrivilegeError(f"AH00543: bad user name {user} or group name {group}") from None
    except ValueError:
        raise PrivilegeError(f"User {user}, Group {group}: a number must stand behind #") from None
    if gid < 0:
        raise PrivilegeError("AH02155: the server was started as root; `Group` must name whom it is to run as")
    return uid, gid, name


def drop_privileges(identity: Identity) -> None:
    """Become `identity` for good.

    Raises:
        PrivilegeError: the system refused, or root could be had back.
    """
    uid, gid, name = identity
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
