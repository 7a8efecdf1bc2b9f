"""Start and end the server behind a test site: any command with Apache's flags, or Coachwhip itself.

Coachwhip is forked from a process that has it imported already (`nursery.py`): a start costs a few hundredths of a
second, and the server still has a process, an environment, signals and privileges of its own. What was started is ended
by its own process group, and nothing else is.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from coachwhip.testing.nursery import Nursery

START_SECONDS = 15.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.005
_ENVIRONMENT = {"TZ": "UTC", "LANG": "C"}
_NURSERY = Nursery()


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


class _Command:
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


class _Forked:
    """Coachwhip, forked from the nursery; it leads a session of its own too."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def stop(self) -> None:
        if _NURSERY.status(self._pid) is None:
            os.kill(self._pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while _NURSERY.status(self._pid) is None and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
        _end_group(self._pid)


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
            env={**os.environ, **_ENVIRONMENT, **(environment or {})},
        )
        if _await(port, process.poll, seconds):
            return _Command(process)
        status = process.poll()
        _Command(process).stop()
        output.seek(0)
        raise StartFailed(status, output.read().decode("utf-8", "replace"))


def start_ours(arguments: Sequence[str], port: int, output: Path, *, seconds: float = START_SECONDS) -> Running:
    """Run `coachwhip httpd ARGUMENTS -DFOREGROUND` and return once the port accepts; raises StartFailed otherwise.

    What the server prints goes to the file `output`.
    """
    pid = _NURSERY.start(["httpd", *arguments, "-DFOREGROUND"], str(output), _ENVIRONMENT)
    if _await(port, lambda: _NURSERY.status(pid), seconds):
        return _Forked(pid)
    status = _NURSERY.status(pid)
    _Forked(pid).stop()
    raise StartFailed(status, output.read_text("utf-8", "replace") if output.exists() else "")


def _await(port: int, status: Callable[[], int | None], seconds: float) -> bool:
    """Wait until the port accepts; false when the process ended or the time is over."""
    deadline = time.monotonic() + seconds
    while status() is None and time.monotonic() < deadline:
        if _accepts(port):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
