"""Start a step on a free loopback port, in a folder of its own beside a copy of its pages, and end it afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1])]  # for `stepping` beside us, and for `steps` itself, which is not installed

from stepping import STEPS, Running, eventually, free_port, is_listening, script  # noqa: E402


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """A function that starts a step; `replace` changes constants of the copy (a time-out, say)."""
    begun: list[Running] = []

    def run(number: int, replace: dict[str, str] | None = None) -> Running:
        folder = tmp_path / f"{number}-{len(begun)}"
        shutil.copytree(STEPS / "www", folder / "www")
        source = script(number).read_text()
        for old, new in (replace or {}).items():
            assert old in source
            source = source.replace(old, new)
        copy = folder / script(number).name
        copy.write_text(source)
        port, errors = free_port(), folder / "stderr"
        with errors.open("wb") as stderr:
            process = subprocess.Popen([sys.executable, copy, str(port)], stderr=stderr, start_new_session=True)
        running = Running(process, port, folder / "www", errors)
        begun.append(running)
        assert eventually(lambda: is_listening(port) or process.poll() is not None)
        assert process.poll() is None, errors.read_text()
        return running

    yield run
    for running in begun:
        running.end()
        for pid in running.others():
            os.kill(pid, signal.SIGKILL)
