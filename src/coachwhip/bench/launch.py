"""Starting a contender for a while, in a folder and session of its own, bound to one core; at the end nothing of it is left.

Only loopback addresses. Knows nothing of loads and figures.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coachwhip.bench.contenders import Contender, Place, worker_user
from coachwhip.bench.proc import tree

__all__ = ["Cores", "Live", "StartFailed", "choose_cores", "free_port", "pinned", "raise_descriptor_limit", "running"]

START_SECONDS = 20.0


class StartFailed(Exception):
    """A server did not begin to listen; the text says what it wrote."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores servers and generators are bound to; None: not bound."""

    server: int | None
    load: int | None


@dataclass(frozen=True, slots=True)
class Live:
    """A server that is running."""

    contender: Contender
    port: int
    #: Its first process, which leads a session that all its processes are in.
    leader: int
    conf: str
    command: tuple[str, ...]


def choose_cores() -> Cores:
    """One core for servers, another for load, where there are two and `taskset` exists."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2 or shutil.which("taskset") is None:
        return Cores(None, None)
    return Cores(server=usable[-1], load=usable[0])


def pinned(core: int | None, command: Sequence[str]) -> list[str]:
    """The command, bound to a core."""
    return list(command) if core is None else ["taskset", "-c", str(core), *command]


def raise_descriptor_limit() -> int:
    """Let this process and its children open as many files as the system permits; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(contender: Contender, place: Place, core: int | None) -> Iterator[Live]:
    """Run a server in its place for the length of a `with` block.

    Raises:
        StartFailed: it ended, or did not listen in time.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    place.folder.chmod(0o755)
    user, _ = worker_user()
    if user:
        # Some open their logs after they have become another user.
        shutil.chown(place.folder, user)
    home = {"XDG_CONFIG_HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)}
    command = contender.prepare(place)
    output = place.folder / "output.log"
    with open(output, "wb") as sink:
        process = subprocess.Popen(  # noqa: S603
            pinned(core, command), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, cwd=place.folder,
            env=os.environ | home,
        )  # fmt: skip
    try:
        _wait(process, place, output)
        yield Live(contender, place.port, process.pid, (place.folder / "server.conf").read_text(encoding="utf-8"), tuple(command))
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], place: Place, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_listening(place.port):
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text(encoding="utf-8", errors="replace")[-400:].strip()
            log = place.folder / "error.log"
            if log.exists():
                said = f"{said} {log.read_text(encoding='utf-8', errors='replace')[-400:].strip()}".strip()
            raise StartFailed(f"did not start (exit status {process.poll()}): {said or 'it said nothing'}")
        time.sleep(0.02)
    # Workers are forked after the parent has begun to listen.
    time.sleep(0.3)


def _is_listening(port: int) -> bool:
    """Look for the listener without connecting to it: a connection would be a client."""
    return f":{port:04X} 00000000:0000 0A " in Path("/proc/net/tcp").read_text(encoding="ascii")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it has started."""
    family = tree(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for pid in tree(process.pid).keys() | family.keys():
        if pid == process.pid and process.poll() is not None:
            continue
        if pid in tree(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait(5)
