"""Is `os.fork` the culprit? Each suspect is measured apart: fork, page faults, exit, zombies, backlog, lost SYNs.

Two small programs do the work (`fork_server.py` under load, `fork_cost.py` alone); this file runs them and counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from steps.lab.cost import tcp_counters
from steps.lab.load import ab
from steps.lab.servers import free_port, pinned, running_command

HERE = Path(__file__).parent


#: Settings of the server: backlog, work, what becomes of dead children, how a child ends. Neighbours differ in one or two.
SUSPECTS = (
    "511 one leave _exit",
    "5 one leave _exit",
    "511 fork reap _exit",
    "511 fork leave _exit",
    "5 fork leave _exit",
    "511 fork leave exit",
    "5 fork leave exit",
)


def accuse(suspect: str, requests: int) -> dict[str, float]:
    """Load one setting of the server with 500 clients at once; return throughput, longest wait, the kernel's counters."""
    port = free_port()
    command = [sys.executable, str(HERE / "fork_server.py"), str(port), *suspect.split()]
    with running_command(pinned(0, command), port, suspect):
        before = tcp_counters()
        load = ab(port, "/", min(500, requests), requests=requests, patience=5)
        after = tcp_counters()
    counted = {name: float(after[name] - before[name]) for name in after}
    return {"per_second": load.per_second, "completed": load.requests, "longest_ms": load.longest_ms, **counted}


def time_forks(count: int, ballast_mib: int = 0, ending: str = "_exit", zombies: int = 0) -> dict[str, Any]:
    """Return what `fork_cost.py` prints: lists of microseconds for ten batches, page faults per fork."""
    command = [sys.executable, str(HERE / "fork_cost.py"), str(count), str(ballast_mib), ending, str(zombies)]
    done = subprocess.run(pinned(0, command), capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
