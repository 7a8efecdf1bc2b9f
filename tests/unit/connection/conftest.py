"""A worker inside the test, with files and a few handlers of our own (`SetHandler t-…`)."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from coachwhip.api import Data, End, Module, Outcome, Request, Stream, phases
from coachwhip.testing.inside import Inside, Line

MODULE = Module("trial_module", "mod_trial.c")
#: Apart, since a blocking hook sends every request that meets it to a thread.
THREAD_MODULE = Module("trial_thread_module", "mod_trial_thread.c")


@MODULE.hook(phases.handler)
def raise_fault(r: Request):
    if r.handler != "t-fault":
        return Outcome.DECLINED
    raise RuntimeError("a handler failed")


@MODULE.hook(phases.handler)
def break_stream(r: Request):
    if r.handler != "t-broken-stream":
        return Outcome.DECLINED

    def pieces():
        yield b"first" * 20_000
        raise RuntimeError("a body failed")

    r.send(Stream(pieces()), End())
    return Outcome.OK


@MODULE.hook(phases.handler)
def echo_later(r: Request):
    return _echo(r) if r.handler == "t-echo" else Outcome.DECLINED


async def _echo(r: Request):
    while r.body is not None and (piece := await r.body.next()):
        r.send(Data(piece))
    r.send(End())
    return Outcome.OK


@THREAD_MODULE.hook(phases.handler, blocking=True)
def echo_in_thread(r: Request):
    if r.handler != "t-thread-echo":
        return Outcome.DECLINED
    while r.body is not None and (piece := r.body.read(1000)):
        r.send(Data(piece))
    r.send(End())
    return Outcome.OK


@MODULE.hook(phases.handler)
def wait_for_cancelled(r: Request):
    return _cancelled() if r.handler == "t-cancelled" else Outcome.DECLINED


async def _cancelled():
    task = asyncio.ensure_future(asyncio.sleep(100))
    await asyncio.sleep(0)
    task.cancel()
    await task
    return Outcome.OK


@MODULE.hook(phases.handler)
def read_a_little(r: Request):
    return _read_once(r) if r.handler == "t-read-once" else Outcome.DECLINED


async def _read_once(r: Request):
    if r.body is not None:
        await r.body.next()
    r.send(Data(b"enough"), End())
    return Outcome.OK


_BASE = """
ServerRoot "{root}"
ServerName localhost
LoadModule mpm_event_module mod_mpm_event.so
Listen 127.0.0.1:8090
LoadModule trial_module python:coachwhip_trial
LoadModule authz_core_module mod_authz_core.so
LoadModule alias_module mod_alias.so
LoadModule dir_module mod_dir.so
LoadModule mime_module mod_mime.so
LoadModule reqtimeout_module mod_reqtimeout.so
TypesConfig "{root}/mime.types"
DocumentRoot "{root}/htdocs"
ErrorLog "{root}/error.log"
LogLevel info
LogFormat "%>s %O %X %r" short
CustomLog "{root}/access.log" short
Redirect /moved /a.txt
{extra}
"""


class Served(Inside):
    """A worker with its folder."""

    root: Path

    def __init__(self, root: Path, extra: str) -> None:
        self.root = root
        super().__init__(str(root), _BASE.format(root=root, extra=extra))

    def let_pass(self, seconds: float) -> None:
        """Let the worker look at its connections as if that much time had passed."""
        for connection in list(self.worker.connections):
            connection.check_time(time.monotonic() + seconds)
        self.turns()

    def until_closed(self, line: Line) -> bytes:
        """All that comes until the server closes."""
        while not line.ended:
            self.turn()
            line._receive()
        return line._data

    def turns(self, count: int = 5) -> None:
        for _ in range(count):
            self.turn()

    def log(self, name: str = "error.log") -> str:
        self.turns(2)
        path = self.root / name
        return path.read_text("latin-1") if path.exists() else ""


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Makes a worker from extra configuration lines."""
    for name, declared in (("coachwhip_trial", MODULE), ("coachwhip_trial_thread", THREAD_MODULE)):
        module = ModuleType(name)
        module.MODULE = declared  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "htdocs").mkdir()
    (tmp_path / "mime.types").write_text("text/plain txt\n")
    (tmp_path / "htdocs" / "a.txt").write_bytes(b"hello\n")
    made: list[Served] = []

    def make(extra: str = "") -> Served:
        made.append(Served(tmp_path, extra))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def inside(serve) -> Served:
    return serve()
