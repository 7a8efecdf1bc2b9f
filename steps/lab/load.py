"""Loads: `ab` with what it prints, and clients that connect and then do not hurry. It knows a port, not a server."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from steps.lab.servers import pinned

LOAD_CORE = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What `ab` saw. An aborted run has no throughput: `aborted` then holds the reason that `ab` gave."""

    requests: int
    seconds: float
    failed: int
    document_bytes: int
    longest_ms: float
    aborted: str = ""

    @property
    def per_second(self) -> float:
        """Requests per second; 0 for an aborted run."""
        return 0.0 if self.aborted or not self.seconds else self.requests / self.seconds


def ab(port: int, target: str, concurrency: int, *, requests: int = 0, seconds: int = 0, keep: bool = False,
       patience: int = 30, core: int = LOAD_CORE) -> Load:  # fmt: skip
    """Run `ab` for a number of requests or of seconds; `patience` is how long it waits for any answer."""
    length = ["-n", str(requests)] if requests else ["-t", str(seconds), "-n", "400000"]
    options = ["-q", "-s", str(patience), "-c", str(concurrency), *length, *(["-k"] if keep else [])]
    command = pinned(core, ["ab", *options, f"http://127.0.0.1:{port}{target}"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return parse_ab(done.stdout, done.stderr)


def parse_ab(printed: str, errors: str) -> Load:
    """Read what `ab` prints; without its table the run was aborted."""

    def figure(label: str) -> float:
        found = re.search(label + r" +([0-9.]+)", printed)
        return float(found[1]) if found else 0.0

    aborted, completed = "", int(figure("Complete requests:"))
    if "Requests per second:" not in printed:
        reason = re.search(r"Test aborted after [0-9]+ failures|apr_[a-z_]+: [^\n]+", errors + printed)
        partly = re.search(r"Total of ([0-9]+) requests completed", errors + printed)
        aborted, completed = reason[0] if reason else "no result", int(partly[1]) if partly else 0
    longest = re.search(r"100% +([0-9]+)", printed)
    return Load(
        requests=completed,
        seconds=figure("Time taken for tests:"),
        failed=int(figure("Failed requests:")),
        document_bytes=int(figure("Document Length:")),
        longest_ms=float(longest[1]) if longest else 0.0,
        aborted=aborted,
    )


@contextlib.contextmanager
def slow_clients(port: int, count: int, beginning: bytes) -> Iterator[None]:
    """Keep connections open on which only the beginning of a request has come, or nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            with contextlib.suppress(OSError):  # the server's queue is full: this one waits in front of it
                client.send(beginning)
            time.sleep(0.001)
        yield


def peak_connections(port: int, concurrency: int) -> int | None:
    """Return how many connections `ab -c` really has under way at once, by its own system calls; None without strace."""
    if not shutil.which("strace"):
        return None
    traced = ["strace", "-qq", "-e", "trace=connect,close", "ab", "-q", "-n", str(concurrency), "-c", str(concurrency)]
    done = subprocess.run([*traced, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=False)
    return peak(done.stderr)


def peak(trace: str) -> int:
    """Return the greatest number of sockets between their first `connect` and their `close` in an strace."""
    under_way: set[str] = set()
    most = 0
    for call, number, rest in re.findall(r"^(connect|close)\(([0-9]+)(.*)$", trace, re.MULTILINE):
        if call == "close":
            under_way.discard(number)
        elif "AF_INET" in rest:
            under_way.add(number)
            most = max(most, len(under_way))
    return most
