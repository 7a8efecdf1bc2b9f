"""What Linux lets a process give up beside its user: capabilities, and the chance to gain any by running a program.

The kernel keeps all of it per thread, so it is asked for while a worker has its first thread only. Elsewhere there is nothing to
give up, and every function does nothing. Source: prctl(2), capabilities(7), core(5).
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

__all__ = ["allow_core_dumps", "drop_bounding_set", "drop_capabilities", "forbid_new_privileges"]

_HERE = sys.platform == "linux"

#: Operations of prctl.
_SET_DUMPABLE = 4
_CAPBSET_READ = 23
_CAPBSET_DROP = 24
_SET_NO_NEW_PRIVS = 38
_GET_NO_NEW_PRIVS = 39
_CAP_AMBIENT = 47
_AMBIENT_CLEAR_ALL = 4

#: Version 3 of capget's and capset's records: two of them, of 32 capabilities each.
_CAPABILITY_VERSION = 0x20080522
#: More capabilities than any kernel has; the bounding set is asked for each until the kernel knows no more.
_MOST_CAPABILITIES = 64


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Words(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def forbid_new_privileges() -> None:
    """From now on no program that is run, set-user-ID or not, has more rights than this process. Raises OSError."""
    if not _HERE:
        return
    _prctl(_SET_NO_NEW_PRIVS, 1)
    if _prctl(_GET_NO_NEW_PRIVS) != 1:
        raise OSError(0, "no_new_privs was set and is not")


def drop_bounding_set() -> None:
    """Take every capability out of what this process and its children may ever have. Raises OSError: EPERM without CAP_SETPCAP."""
    if not _HERE:
        return
    for number in range(_MOST_CAPABILITIES):
        if (held := _bounding(number)) is None:
            return
        if held:
            _prctl(_CAPBSET_DROP, number)


def drop_capabilities() -> None:
    """Have no capability at all: none effective, permitted, inheritable or ambient. Raises OSError."""
    if not _HERE:
        return
    try:
        _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    except OSError as error:
        # Linux before 4.3 has no ambient set to clear.
        if error.errno != errno.EINVAL:
            raise
    libc = _libc()
    none, left = (_Words * 2)(), (_Words * 2)()
    _check(libc.capset(ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), none))
    _check(libc.capget(ctypes.byref(_Header(_CAPABILITY_VERSION, 0)), left))
    if any(word.effective or word.permitted or word.inheritable for word in left):
        raise OSError(0, "capabilities were dropped and are still there")


def allow_core_dumps() -> None:
    """Let the process leave a core dump although it changed its user. Raises OSError."""
    if _HERE:
        _prctl(_SET_DUMPABLE, 1)


def _bounding(capability: int) -> bool | None:
    """Whether the bounding set has it; None if this kernel knows no capability of that number."""
    try:
        return _prctl(_CAPBSET_READ, capability) == 1
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _prctl(operation: int, value: int = 0) -> int:
    """prctl wants every argument, as wide as a register, and 0 for those that an operation does not have."""
    words = [ctypes.c_ulong(word) for word in (value, 0, 0, 0)]
    return _check(_libc().prctl(operation, *words))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
