"""Whether a server that runs could listen where another configuration wants it to; asked before it is told to read that.

The server itself finds out too, and serves on; but whoever gives the command should hear of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from coachwhip.mpm.listeners import ListenAddress, Queue, bind
from coachwhip.util.notes import asked_at

__all__ = ["check_free"]

_SOCKET = re.compile(r"socket:\[([0-9]+)\]", re.ASCII)
#: How the system's tables call a socket that listens.
_LISTENS = "0A"


def check_free(addresses: Iterable[ListenAddress], pid: int) -> None:
    """Bind every address whose port the process `pid` does not listen on, and let go of it.

    Raises:
        BindError: one is taken by somebody else, or is not this machine's; its line is noted.
    """
    ports = _ports_of(pid)
    for address in addresses:
        if ports is not None and address.port not in ports:
            with asked_at(address.places):
                bind(address, Queue()).close()


def _ports_of(pid: int) -> set[int] | None:
    """TCP ports that a process listens on; None where the system does not tell."""
    try:
        folder = f"/proc/{pid}/fd"
        targets = [_target(f"{folder}/{name}") for name in os.listdir(folder)]
        own = {found[1] for target in targets if (found := _SOCKET.fullmatch(target))}
        ports: set[int] = set()
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as opened:
                rows = [line.split() for line in opened.readlines()[1:]]
            # Local address, state and inode.
            ports |= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENS and row[9] in own}
    except OSError:
        return None
    return ports


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""
