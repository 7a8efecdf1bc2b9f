"""A server that a test starts by its command line, and what is asked about its processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import HTTPD, lay_out

from coachwhip.testing.site import free_port

WAIT = 15.0


class Server:
    """A site and the command line for it; whatever runs at the end is ended by the id in its PidFile or its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        lay_out(root, self.port)
        root.chmod(0o755)
        self.pid_file = root / "logs/httpd.pid"
        self.started: set[int] = set()

    def httpd(self, *words: str, conf: str = "min.conf") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*HTTPD, "-d", str(self.root), "-f", conf, *words], capture_output=True, text=True, timeout=60, check=False
        )
        self.note()
        return done

    def note(self) -> None:
        if self.pid_file.exists() and (text := self.pid_file.read_text().strip()).isdigit():
            self.started.add(int(text))

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def get(self, path: str = "/index.html") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def log(self) -> str:
        return (self.root / "logs/error.log").read_text()

    def end(self) -> None:
        self.note()
        for parent in self.started:
            if not is_alive(parent):
                continue
            for pid in (parent, *children_of(parent)):
                os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """A process that nobody has buried yet is dead all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not true():
        if time.monotonic() > end:
            pytest.fail("it did not come to that")
        time.sleep(0.02)


def is_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)
