"""Start and end the server behind a test site: a command with Apache's flags, or Coachwhip inside this process.

This is the only file of the harness that knows processes. It ends what it started, by its own process group, and
nothing else.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

START_SECONDS = 15.0
STOP_SECONDS = 10.0


class StartFailed(Exception):
    """The server did not come up; `status` is its exit status (None: it hung), `output` what it printed."""

    def __init__(self, status: int | None, output: str) -> None:
        super().__init__(f"server ended with status {status}:\n{output}")
        self.status = status
        self.output = output


class Running(Protocol):
    """A server that was started; `stop` ends it and returns when it is gone."""

    def stop(self) -> None:
        """End the server."""


class _Process:
    """A server started as a command, in a session of its own so that its children can be ended with it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _end_group(self._process.pid)


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def start_command(
    command: Sequence[str], port: int, *, environment: Mapping[str, str] | None = None, seconds: float = START_SECONDS
) -> Running:
    """Run `command -DFOREGROUND` and return once 127.0.0.1:`port` accepts; raises StartFailed otherwise."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - the tester names the server to be tested
            [*command, "-DFOREGROUND"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "TZ": "UTC", "LANG": "C", **(environment or {})},
        )
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            if _accepts(port):
                return _Process(process)
            time.sleep(0.01)
        status = process.poll()
        _Process(process).stop()
        output.seek(0)
        raise StartFailed(status, output.read().decode("utf-8", "replace"))


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_in_process(root: str, conf: str, port: int) -> Running:
    """Start Coachwhip in a thread of this process with ServerRoot `root` and configuration file `conf`."""
    raise StartFailed(None, f"no in-process server for {conf} at {root}, port {port}")
