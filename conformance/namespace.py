"""Run this program in a network of its own, where port 80 is always free and nothing else can be reached.

Debian's files say `Listen 80`. With a private network namespace they can be used unmodified whatever else the machine
serves, by several runs at once. It needs root and util-linux's `unshare`; `is_possible` says whether both are here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_MARK = "COACHWHIP_ORACLE_NAMESPACE"


def is_inside() -> bool:
    """Whether this process was started by `enter`."""
    return _MARK in os.environ


def is_possible() -> bool:
    """Whether a network namespace can be made here."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        return False
    return subprocess.run([unshare, "--net", "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


def enter(module: str, arguments: Sequence[str]) -> int:
    """Run `python -m module arguments` in a new namespace and return its exit status."""
    command = ["unshare", "--net", sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, _MARK: "1"}, check=False).returncode  # noqa: S603


def bring_up_loopback() -> None:
    """A new namespace has its loopback down; raise it (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, _GET_FLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
