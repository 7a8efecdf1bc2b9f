"""What a server spends: processor time, memory, system calls, and what the kernel's TCP had to repeat.

Everything is read from /proc and from `strace -c`, for all processes of one session. It knows no server by name.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Load(Protocol):
    """What this file has to know of a load."""

    @property
    def requests(self) -> int: ...


TICKS = os.sysconf("SC_CLK_TCK")
TCP_COUNTERS = ("ListenOverflows", "ListenDrops", "TCPSynRetrans", "TCPTimeouts")


def session_stats(session: int) -> dict[int, list[str]]:
    """Return process id → the fields of its /proc/PID/stat from the state letter on, for one session."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue  # it ended while we looked
            fields = text.rpartition(")")[2].split()
            if int(fields[3]) == session:
                found[int(entry)] = fields
    return found


def session_states(session: int) -> dict[int, str]:
    """Return process id → state letter (`Z`: a zombie) for one session."""
    return {pid: fields[0] for pid, fields in session_stats(session).items()}


def cpu_seconds(session: int) -> float:
    """Return the processor time that a session's processes and their reaped children have used.

    `stat` counts in ticks of 10 ms: enough for a server, nothing for a child that lives half a millisecond. Reaped
    children are added up exactly by the kernel; zombies are asked for their nanoseconds.
    """
    total = 0.0
    for pid, fields in session_stats(session).items():
        if fields[0] == "Z":
            try:
                total += int(Path("/proc", str(pid), "schedstat").read_text().split()[0]) / 1e9
            except OSError:
                continue
        else:
            total += sum(map(int, fields[11:15])) / TICKS
    return total


def memory_mib(session: int) -> float:
    """Return the proportional set size of a session: pages that several processes share are counted once."""
    total = 0
    for pid in session_stats(session):
        try:
            text = Path("/proc", str(pid), "smaps_rollup").read_text()
        except OSError:
            continue
        if found := re.search(r"^Pss: +([0-9]+) kB", text, re.MULTILINE):
            total += int(found[1])
    return total / 1024


def tcp_counters() -> dict[str, int]:
    """Return the kernel's counters of full queues and repeated segments (of the whole network namespace)."""
    rows = [line.split() for line in Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:")]
    counters = dict(zip(rows[0], rows[1], strict=True))
    return {name: int(counters.get(name, 0)) for name in TCP_COUNTERS}


def count_calls(session: int, work: Callable[[], Load]) -> dict[str, float] | None:
    """Return system call → calls per request while `work` puts a load on; None without strace."""
    if not shutil.which("strace"):
        return None
    with tempfile.TemporaryDirectory(prefix="steps-") as folder:
        output = Path(folder, "calls")
        pids = [argument for pid in session_stats(session) for argument in ("-p", str(pid))]
        command = ["strace", "-f", "-c", "-o", str(output), *pids]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            attached = 0
            while attached < len(pids) // 2 and tracer.stderr and (line := tracer.stderr.readline()):
                attached += "attached" in line
            requests = work().requests if attached else 0
            tracer.send_signal(signal.SIGINT)
            tracer.communicate()
        if not requests:
            return None
        return {name: calls / requests for name, calls in parse_calls(output.read_text()).items()}


def parse_calls(table: str) -> dict[str, int]:
    """Return system call → calls from the table that `strace -c` prints (the column of errors may be empty)."""
    rows = re.findall(r"^ *[0-9.]+ +[0-9.]+ +[0-9]+ +([0-9]+) +(?:[0-9]+ +)?([a-z_][a-z0-9_]*)$", table, re.MULTILINE)
    return {name: int(calls) for calls, name in rows if name != "total"}
