"""A process that has Coachwhip imported already and forks a server whenever it is told to: quick starts for tests.

`Nursery` is the side of the test, `main` the process itself. They speak in JSON lines: `{"start": words, "output":
path}` is answered with a pid, `{"status": pid}` with an exit status or null while the server runs. The nursery ends
when its input does, that is with the test process; it must have one thread only, else forking would not be safe.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

_PRELOADED = ("coachwhip.cli.httpd", "coachwhip.launch", "coachwhip.server", "coachwhip.modules")


class Nursery:
    """A running nursery; one is enough for a whole test process, threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self, words: Sequence[str], output: str, environment: Mapping[str, str]) -> int:
        """Fork a process that runs `coachwhip WORDS` with its output in the file `output`; returns its pid."""
        pid: int = self._ask({"start": list(words), "output": output, "environment": dict(environment)})
        return pid

    def status(self, pid: int) -> int | None:
        """Return the exit status of a process started here, None while it runs; negative for a signal."""
        status: int | None = self._ask({"status": pid})
        return status

    def _ask(self, question: dict[str, Any]) -> Any:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                command = [sys.executable, "-c", "from coachwhip.testing.nursery import main; main()"]
                pipe = subprocess.PIPE
                self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
            if self._process.stdin is None or self._process.stdout is None:
                raise OSError("the nursery has no pipes")
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def main() -> None:
    """Answer questions until the input ends."""
    for name in _PRELOADED:
        import_module(name)
    statuses: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        answer = _status(question["status"], statuses) if "status" in question else _fork(question)
        print(json.dumps(answer), flush=True)


def _status(pid: int, statuses: dict[int, int]) -> int | None:
    if pid not in statuses:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        statuses[pid] = os.waitstatus_to_exitcode(status)
    return statuses[pid]


def _fork(question: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        status = _become_server(question)
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become_server(question: dict[str, Any]) -> int:
    os.setsid()
    signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(question["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.update(question["environment"])
    time.tzset()
    from coachwhip.cli.main import main as coachwhip

    return coachwhip(question["start"])
