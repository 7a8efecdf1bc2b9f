"""Leaving the terminal: the command returns when its server is up or has failed; a start that it does not wait for is given up."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coachwhip.mpm.daemon import StartAbandonedError, detach


def command(serve: Callable[[Callable[[], None]], int]) -> int:
    """A process that gives the command; its status is the command's."""
    pid = os.fork()
    if pid == 0:
        os._exit(detach(serve))
    return pid


def status_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 15
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_command_succeeds_when_the_server_is_up(tmp_path: Path) -> None:
    def serve(ready: Callable[[], None]) -> int:
        ready()
        wait_for(tmp_path / "end")
        (tmp_path / "ended").touch()
        return 3

    assert status_of(command(serve)) == 0
    (tmp_path / "end").touch()
    wait_for(tmp_path / "ended")


def test_the_command_fails_as_the_server_does_and_repeats_what_it_says(capfd: pytest.CaptureFixture[str]) -> None:
    def serve(_: Callable[[], None]) -> int:
        print("no such thing", file=sys.stderr)
        return 3

    assert status_of(command(serve)) == 3
    assert capfd.readouterr().err == "no such thing\n"


def test_a_start_that_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    def serve(ready: Callable[[], None]) -> int:
        (tmp_path / "begun").touch()
        wait_for(tmp_path / "go")
        try:
            ready()
        except StartAbandonedError:
            (tmp_path / "abandoned").touch()
        return 1

    pid = command(serve)
    wait_for(tmp_path / "begun")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    (tmp_path / "go").touch()
    wait_for(tmp_path / "abandoned")
