"""What a server's process tree has cost so far, read from /proc: CPU time with that of reaped children, and memory.

Linux only. Source: proc(5), `/proc/pid/stat` and `/proc/pid/smaps_rollup`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "cpu_seconds", "memory", "parse_stat", "tree"]

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stat:
    """The part of one process's `stat` line that matters here."""

    state: str
    parent: int
    session: int
    #: User and system time, own and of reaped children, in clock ticks.
    ticks: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a whole process tree, in KiB."""

    pss: int
    rss: int


def parse_stat(text: str) -> Stat:
    """Take a `stat` line apart; the command's name may hold spaces and parentheses."""
    words = text[text.rindex(")") + 2 :].split()
    return Stat(words[0], int(words[1]), int(words[3]), sum(int(word) for word in words[11:15]))


def tree(leader: int) -> dict[int, Stat]:
    """All processes of the session that `leader` leads, and what descends from them, by their numbers."""
    stats: dict[int, Stat] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = parse_stat(Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace"))
            except (OSError, ValueError):
                continue
    inside = {pid for pid, stat in stats.items() if pid == leader or stat.session == leader}
    grown = True
    while grown:
        more = {pid for pid, stat in stats.items() if stat.parent in inside} - inside
        inside |= more
        grown = bool(more)
    return {pid: stats[pid] for pid in inside}


def cpu_seconds(leader: int) -> float:
    """User and system time of the tree since it began."""
    return sum(stat.ticks for stat in tree(leader).values()) / _TICKS


def memory(leader: int) -> Memory:
    """Proportional and resident set of the tree; PSS is RSS where the kernel does not say."""
    pss = rss = 0
    for pid in tree(leader):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace")
        except OSError:
            text = ""
        own = _kib(text, "Rss:") or _resident(pid)
        rss += own
        pss += _kib(text, "Pss:") or own
    return Memory(pss, rss)


def _kib(text: str, name: str) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)


def _resident(pid: int) -> int:
    try:
        return _kib(Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace"), "VmRSS:")
    except OSError:
        return 0
