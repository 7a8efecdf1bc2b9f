"""A rig: one real server on a throw-away site, its processes, and the load that it is under.

    with Rig(stage.server, workers=2) as rig:
        with rig.load(downloads=4) as load:
            rig.signal(signal.SIGUSR1)
        assert load.report.failed == 0

The servers are Coachwhip, with the misbehaving module of `foreign.py`, and the real Apache, as far as it has what a row needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGUSR1, Signals
from types import TracebackType
from typing import Any

from coachwhip.testing import Client, Site, StartFailed
from coachwhip.testing.site import MODULES, Content
from faults import processes
from faults.load import Plan, Report

__all__ = ["BIG", "GET", "SERVERS", "SMALL", "Load", "Rig", "Server", "get", "settles", "until"]

REPOSITORY = Path(__file__).resolve().parent.parent
SMALL = "hello, whoever you are\n"
#: What stands behind `/big` where a row wants it: every 16 bytes tell where they stand, so bytes of another place are noticed.
BIG = b"".join(b"%015x\n" % number for number in range(2 << 16)) * 8
#: How long anything here is waited for, in seconds.
PATIENCE = 30.0
#: Seconds after which a child that has ended should be buried.
BURIED = 2.0

#: As many workers as are asked for, no fewer and no more.
_CONFIG = """\
StartServers {workers}
MinSpareThreads {threads}
MaxSpareThreads {most}
ServerLimit {limit}
ThreadsPerChild 25
MaxRequestWorkers {threads}
LogLevel info
<Location /upload>
    SetHandler reflector
</Location>
"""
_HANG = "#!/bin/sh\nsleep 600\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be put on a rig: its command, the modules it needs, the lines that only it takes."""

    name: str
    command: tuple[str, ...]
    modules: tuple[str, ...]
    lines: str
    files: Mapping[str, Content]

    @property
    def is_ours(self) -> bool:
        """Whether it is Coachwhip."""
        return self.name == "coachwhip"


_OURS = """\
LoadModule faults_module python:faults.foreign
<Location /hang>
    SetHandler hang
</Location>
<Location /stick>
    SetHandler stick
</Location>
<Location /hog>
    SetHandler hog
</Location>
<Location /grow>
    SetHandler grow
</Location>
<Location /pid>
    SetHandler pid
</Location>
"""
_APACHES = 'ScriptAlias /hang "{root}/scripts/hang"\n<Directory "{root}/scripts">\n    Require all granted\n</Directory>\n'

SERVERS = {
    "coachwhip": Server(
        "coachwhip", ("/usr/bin/env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "coachwhip", "httpd"), MODULES, _OURS, {}
    ),
    "apache": Server("apache", ("/usr/sbin/apache2",), (*MODULES, "reflector", "cgi"), _APACHES, {"scripts/hang": _HANG}),
}


def get(path: str = "/a.txt", *fields: str, last: bool = True) -> bytes:
    """A request for a path; `last` asks the server to close after it."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *fields, *(["Connection: close"] if last else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


GET = get()


def settles(true: Callable[[], bool], seconds: float = PATIENCE, step: float = 0.01) -> float:
    """The seconds until something is true; infinity if it is not within `seconds`."""
    began = time.monotonic()
    while not true():
        if time.monotonic() > began + seconds:
            return float("inf")
        time.sleep(step)
    return time.monotonic() - began


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """The seconds until something is true, which a row cannot go on without.

    Raises:
        TimeoutError: it does not come to that.
    """
    taken = settles(true, seconds)
    if taken == float("inf"):
        raise TimeoutError(f"{what}: not within {seconds:g} s")
    return taken


class Load:
    """`faults.load` as a process; between enter and exit it makes load, afterwards there is its `report`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._process: subprocess.Popen[str] | None = None
        self.report = Report()

    def __enter__(self) -> Load:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "faults.load"]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY)
        self._write(json.dumps(asdict(self._plan)) + "\n")
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            self._process.kill()
            raise OSError("the load did not begin")
        return self

    def _write(self, text: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(text)
            self._process.stdin.flush()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is None:
            return
        try:
            said, _ = self._process.communicate(timeout=10 * PATIENCE if kind is None else 1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        if kind is None:
            self.report = Report.parse(said)


class Rig:
    """A started server; a context manager that ends it.

    config   lines added to the rig's own
    files    as for `Site`; `/a.txt` is always there, `/big` if `big`
    shell    what a shell is told before it starts the server, such as `ulimit -n 64`; with places, as a configuration
    """

    def __init__(
        self,
        server: Server,
        *,
        config: str = "",
        files: Mapping[str, Content] | None = None,
        workers: int = 2,
        big: bool = False,
        shell: str = "",
    ) -> None:
        self.server = server
        self.worker_count = workers
        own = _CONFIG.format(workers=workers, threads=25 * workers, most=25 * workers + 25, limit=4 * workers)
        all_files = {"htdocs/a.txt": SMALL, **server.files, **({"htdocs/big": BIG} if big else {}), **(files or {})}
        self.site = Site(config=own + server.lines + config, files=all_files, modules=server.modules)
        self.config = self.path("conf/case.conf").read_text()
        for name in server.files:
            self.path(name).chmod(0o755)
        self.output = self.path("run/output.txt")
        before = self.site.fill(f"{shell}; " if shell else "")
        self.command = ["/bin/sh", "-c", f'{before}exec "$@" >>"{self.output}" 2>&1', "sh", *server.command]
        self._started: set[int] = set()

    def __enter__(self) -> Rig:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for parent in self._started:
            for pid in processes.session(parent):
                _resume(pid)
        self.site.__exit__(kind, error, at)

    def start(self, *, waits: bool = True) -> None:
        """Start the server, and (`waits`) wait until all workers are there.

        Raises:
            StartFailed: it did not start; with what it printed.
        """
        try:
            self.site.start(self.command)
        except StartFailed as failed:
            raise StartFailed(failed.status, self.output.read_text("utf-8", "replace")) from None
        self._started.add(self.pid)
        if waits:
            self._await_workers()

    def _await_workers(self) -> None:
        until(lambda: len(self.workers) >= 1, "no worker")
        settles(lambda: len(self.workers) >= self.worker_count, 1.0)
        self.worker_count = len(self.workers)

    # -- what it is

    def path(self, name: str) -> Path:
        """A file of the site."""
        return Path(self.site.root, name)

    @property
    def pid(self) -> int:
        """The parent process, by its pid file; 0 when there is none."""
        try:
            return int(self.path("run/httpd.pid").read_text())
        except (OSError, ValueError):
            return 0

    @property
    def workers(self) -> list[int]:
        """The worker processes, of all generations."""
        return processes.workers(self.pid)

    @property
    def family(self) -> list[int]:
        """The parent, and all that it has forked."""
        return [self.pid, *processes.children(self.pid)]

    @property
    def descriptors(self) -> int:
        """Open descriptors of parent and workers."""
        return processes.descriptors([self.pid, *self.workers])

    @property
    def memory(self) -> int:
        """Resident bytes of the workers."""
        return processes.memory(self.workers)

    @property
    def zombies(self) -> int:
        """Children that nobody buries: one that has ended this very moment is none yet."""
        dead = self._dead()
        if dead:
            time.sleep(BURIED)
        return len(dead & self._dead())

    def _dead(self) -> set[int]:
        return {pid for pid in processes.children(self.pid) if processes.state(pid) == "Z"}

    @property
    def tracebacks(self) -> int:
        """In the error log and on the terminal."""
        return (self.site.log() + self.output.read_text("utf-8", "replace")).count("Traceback")

    # -- what is done to it

    def signal(self, number: Signals) -> None:
        """Signal the parent."""
        os.kill(self.pid, number)

    def kill_parent(self) -> None:
        """Kill the parent with -9, and bury it, as init would: a dead process that nobody buried looks alive to who starts next."""
        pid = self.pid
        os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)

    def control(self, verb: str) -> subprocess.CompletedProcess[str]:
        """Run the server's own command with `-k VERB`."""
        command = [*self.server.command, "-d", self.site.root, "-f", str(self.path("conf/httpd.conf")), "-k", verb]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def reload(self, number: Signals = SIGUSR1) -> float:
        """Signal a reload; returns the seconds until a worker is there that was not before.

        Raises:
            TimeoutError: there is none.
        """
        before = set(self.workers)
        self.signal(number)
        return until(lambda: bool(set(self.workers) - before), "a reload brought no worker")

    def add_lines(self, lines: str) -> None:
        """Give the configuration more lines, for the next reading."""
        self.path("conf/case.conf").write_text(self.config + self.site.fill(lines))

    def ask(self, request: bytes = GET, method: bytes = b"GET") -> int:
        """The status that a request is answered with, 0 when there is no whole answer."""
        try:
            answer = self.site.ask(request, method)
        except OSError:
            return 0
        return answer.status if answer.is_complete else 0

    def connect(self, timeout: float = PATIENCE) -> Client:
        """A connection of one's own."""
        return self.site.connect(timeout)

    def load(self, **plan: Any) -> Load:
        """Load to be entered; `plan` as for `load.Plan`."""
        big = str(self.path("htdocs/big")) if plan.get("downloads") else ""
        return Load(Plan(self.site.port, SMALL, big=big, **plan))

    def calm(self, seconds: float, **plan: Any) -> Report:
        """The report of load without any fault, to compare with."""
        with self.load(**plan) as load:
            time.sleep(seconds)
        return load.report


def _resume(pid: int) -> None:
    """Whoever was stopped must be able to hear that it shall end."""
    try:
        os.kill(pid, SIGCONT)
    except ProcessLookupError:
        return
