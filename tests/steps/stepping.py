"""A step that is running, as the tests see it: its port, its pages, its processes."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STEPS = Path(__file__).resolve().parents[2] / "steps"
SCRIPTS = sorted(STEPS.glob("[0-9][0-9]_*.py"))


def script(number: int) -> Path:
    """Return the script of a step."""
    return next(path for path in SCRIPTS if path.name.startswith(f"{number:02}_"))


def states(session: int) -> dict[int, str]:
    """Return process id → state letter of all processes of a session."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found[int(entry.name)] = fields[0]
    return found


def eventually(claim: Callable[[], bool]) -> bool:
    """Wait, at most ten seconds, until a claim is true."""
    deadline = time.monotonic() + 10
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@dataclass
class Running:
    """A step that is running: talk to it, look at its processes."""

    process: subprocess.Popen[bytes]
    port: int
    root: Path
    errors: Path

    def connect(self, data: bytes = b"") -> socket.socket:
        """Open a connection and send the first bytes."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(data)
        return client

    def ask(self, data: bytes) -> bytes:
        """Send bytes on a new connection, return all that comes back until its end."""
        with self.connect(data) as client:
            return read_all(client)

    def get(self, target: str) -> bytes:
        """Ask for a page as an HTTP/1.0 client does."""
        return self.ask(f"GET {target} HTTP/1.0\r\n\r\n".encode())

    def others(self, state: str = "") -> list[int]:
        """Return the step's other processes, or those of them in one state (`Z`: zombies)."""
        found = states(self.process.pid)
        return [pid for pid, letter in found.items() if pid != self.process.pid and state in letter]

    def is_silent(self, client: socket.socket) -> bool:
        """Say whether nothing comes back for a while."""
        client.settimeout(0.3)
        try:
            client.recv(1)
        except TimeoutError:
            return True
        return False

    def end(self) -> int:
        """Ask the step to end, and return its exit status."""
        self.process.terminate()
        return self.process.wait(10)


def read_all(client: socket.socket) -> bytes:
    """Read until the other side closes."""
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Look for the listener without connecting: a step may be able to bear one client only."""
    wanted = f":{port:04X} 00000000:0000 0A "
    return wanted in Path("/proc/net/tcp").read_text()
