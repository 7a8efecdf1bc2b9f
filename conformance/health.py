"""How a server's processes are: which they are, their open descriptors, their memory. Taken before and after a run, and compared.

Reads /proc only; knows a server by its pid file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: What may differ, and how long a server may take to come to rest, in seconds.
DESCRIPTORS = 2
MEMORY = 0.05
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """Figures by process id. Memory is the resident set in KiB."""

    descriptors: dict[int, int]
    memory: dict[int, int]


def look(pid_file: Path) -> Health:
    """The figures of the process in `pid_file` and its children, now."""
    parent = int(pid_file.read_text())
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    family = [parent, *map(int, children)]
    descriptors = {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family}
    return Health(descriptors, {pid: _memory(pid) for pid in family})


def _memory(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n")
    return next(int(line.split()[1]) for line in rollup if line.startswith("Rss:"))


def complaints(before: Health, pid_file: Path, error_log: Path) -> Iterator[str]:
    """What is not as it was, once the server has come to rest."""
    after = look(pid_file)
    deadline = time.monotonic() + PATIENCE
    while _grown(before.descriptors, after.descriptors) and time.monotonic() < deadline:
        time.sleep(0.2)
        after = look(pid_file)
    # More workers may have come, for the load; none may have gone.
    if not before.descriptors.keys() <= after.descriptors.keys():
        yield f"processes were {sorted(before.descriptors)}, are {sorted(after.descriptors)}"
    for pid in _grown(before.descriptors, after.descriptors):
        yield f"process {pid} had {before.descriptors[pid]} descriptors, has {after.descriptors[pid]}"
    for pid in before.memory.keys() & after.memory.keys():
        if after.memory[pid] > before.memory[pid] * (1 + MEMORY):
            yield f"process {pid} had {before.memory[pid]} KiB, has {after.memory[pid]}"
    if "Traceback" in error_log.read_text("utf-8", "replace"):
        yield f"a traceback in {error_log.name}"


def _grown(before: dict[int, int], after: dict[int, int]) -> list[int]:
    return [pid for pid in before.keys() & after.keys() if after[pid] > before[pid] + DESCRIPTORS]
