"""A server's processes as /proc shows them: who the workers are, what they hold, and whether they live. Linux only.

Source: proc(5). A process that ended between two looks counts as gone and is no error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["alive", "children", "cpu_seconds", "descriptors", "memory", "session", "state", "workers"]

_TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that `pid` has forked and not buried."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def workers(parent: int) -> list[int]:
    """The living children that are the same program as their parent; programs that logs are piped to are not."""
    own = _command(parent)
    return [pid for pid in children(parent) if _command(pid) == own and alive(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def state(pid: int) -> str:
    """The letter of ps(1): R, S, D, T, Z; "" when there is no such process."""
    words = _stat(pid)
    return words[0] if words else ""


def alive(pid: int) -> bool:
    """Whether it runs; who is dead and not buried does not."""
    return state(pid) not in ("", "Z", "X")


def session(leader: int) -> list[int]:
    """All living processes of the session that `leader` led, itself aside."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != leader:
            words = _stat(int(entry.name))
            if words and words[0] not in "ZX" and int(words[3]) == leader:
                found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes."""
    return sum(int(words[11]) + int(words[12]) for pid in pids if (words := _stat(pid))) / _TICKS


def descriptors(pids: Iterable[int]) -> int:
    """How many descriptors these hold together."""
    return sum(_count(pid) for pid in pids)


def _count(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def memory(pids: Iterable[int]) -> int:
    """The resident sets of these together, in bytes."""
    return sum(_resident(pid) for pid in pids)


def _resident(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n")
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in rollup if line.startswith("Rss:")), 0)
