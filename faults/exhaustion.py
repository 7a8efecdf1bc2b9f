"""What runs out, or is taken away: disks and readers under logs, descriptors, memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from signal import SIGCONT, SIGKILL, SIGSTOP

from faults import processes
from faults.crowds import times_base
from faults.herd import Herd
from faults.load import Report
from faults.rig import Rig, get, settles
from faults.rows import Bar, Figures, NotHere, Stage, fault

#: Every line is a kilobyte, so a pipe that nobody reads is full after a few dozen.
_LONG = f'LogFormat "%h %t %r %s {"x" * 1000}" long\n'
_PIPED = _LONG + 'CustomLog "|$exec cat >> {root}/logs/piped.log" long\n'
_LOST = re.compile(r"([0-9]+) log lines were lost")


@dataclass(slots=True)
class Logs:
    """What the ways to lose a log came to."""

    failed: int = 0
    worst: float = 0.0
    slowest_back: float = 0.0

    def add(self, report: Report, base: Report) -> None:
        """One more report."""
        self.failed += report.failed
        self.worst = max(self.worst, times_base(report, base))


@fault(
    "F6",
    "logs whose disk is full, whose reader is dead, or stopped",
    Bar("failed", most=0),
    Bar("p99, times the base", most=2, timed=True),
    Bar("a dead reader is back", "s", most=1, timed=True),
    Bar("lines lost to a dead reader", most=0),
    Bar("lines lost to a stopped reader, untold", most=0),
    Bar("lines lost to a stopped reader, told"),
)
def logs_gone(stage: Stage) -> Figures:
    """Load while `CustomLog` or `ErrorLog` is `/dev/full`; while the program behind a piped log is killed three times; and while it is
    stopped for 20 s (short: 2), with lines of a kilobyte, and let go again.
    """
    seconds, logs = stage.pick(2, 20), Logs()
    with Rig(stage.server, config=_LONG + 'CustomLog "{root}/logs/long.log" long\n') as rig:
        rig.calm(1)
        base = rig.calm(seconds)
    for line in ("CustomLog /dev/full long", "ErrorLog /dev/full\nLogLevel trace1"):
        with Rig(stage.server, config=f"{_LONG}{line}\n") as rig:
            logs.add(rig.calm(seconds), base)
    with Rig(stage.server, config=_PIPED) as rig:
        killed = _under(rig, lambda: _kill_reader(rig, logs), seconds)
        logs.add(killed, base)
        dead = _lines_missing(rig, killed)
    with Rig(stage.server, config=_PIPED) as rig:
        stopped = _under(rig, lambda: _stop_reader(rig, seconds), 1)
        logs.add(stopped, base)
        # The count of what was lost is written when lines are taken again.
        rig.calm(0.5)
        missing = _lines_missing(rig, stopped)
        told = sum(int(number) for number in _LOST.findall(rig.site.log()))
    return {
        "failed": logs.failed,
        "p99, times the base": logs.worst,
        "a dead reader is back": logs.slowest_back,
        "lines lost to a dead reader": dead,
        "lines lost to a stopped reader, untold": max(0, missing - told),
        "lines lost to a stopped reader, told": told,
    }


def _under(rig: Rig, inject: Callable[[], None], seconds: float) -> Report:
    with rig.load() as load:
        inject()
        time.sleep(seconds)
    return load.report


def _readers(rig: Rig) -> list[int]:
    return [pid for pid in processes.children(rig.pid) if pid not in rig.workers and processes.alive(pid)]


def _kill_reader(rig: Rig, logs: Logs) -> None:
    for _ in range(3):
        # A program that ends at once is not run again at once; this one has lived.
        time.sleep(1.2)
        known = set(_readers(rig))
        for pid in known:
            os.kill(pid, SIGKILL)
        logs.slowest_back = max(logs.slowest_back, _new_reader(rig, known))


def _new_reader(rig: Rig, known: set[int]) -> float:
    return settles(lambda: not known.issuperset(_readers(rig)), 10)


def _stop_reader(rig: Rig, seconds: float) -> None:
    readers = _readers(rig)
    for pid in readers:
        os.kill(pid, SIGSTOP)
    time.sleep(seconds)
    for pid in readers:
        os.kill(pid, SIGCONT)


def _lines_missing(rig: Rig, report: Report) -> int:
    """Requests of the load that have no line, once the log has come to rest; its warm-up and other requests have more lines."""
    file = rig.path("logs/piped.log")
    settles(lambda: file.read_bytes().count(b"\n") >= report.requests, 3)
    return max(0, report.requests - file.read_bytes().count(b"\n"))


@fault(
    "F7",
    "descriptors run out",
    Bar("processes that ended", most=0),
    Bar("processor time meanwhile", "% of a core", most=20, timed=True),
    Bar("log lines", "a second", most=2),
    Bar("files that are there answered 403 or 404", most=0),
    Bar("served again after", "s", most=2, timed=True),
    Bar("failed afterwards", most=0),
)
def descriptors_gone(stage: Stage) -> Figures:
    """`ulimit -n 64`, and 200 connections that send nothing more than the beginning of a head, for 10 s (short: 3); requests that come
    through meanwhile are for many files. Then the connections go.
    """
    seconds = stage.pick(3, 10)
    files = {f"htdocs/many/{number}.txt": "x\n" for number in range(100)}
    with Rig(stage.server, shell="ulimit -n 64", files=files, config="RequestReadTimeout header=0\nKeepAliveTimeout 60\n") as rig:
        family = [rig.pid, *rig.workers]
        with Herd(rig.site.port) as herd:
            # Connections that were there before: what they ask for has to be opened without a descriptor. A 503 ends each.
            asking = herd.join(3, get("/many/0.txt", last=False))
            herd.graze(0.5)
            herd.join(200, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            herd.graze(0.5)
            lines, began, busy = rig.site.log().count("\n"), time.monotonic(), processes.cpu_seconds(family)
            for number, one in enumerate(asking, 1):
                one.sock.send(get(f"/many/{number}.txt", last=False))
                herd.graze(seconds / 3)
            passed = time.monotonic() - began
            busy, lines = processes.cpu_seconds(family) - busy, rig.site.log().count("\n") - lines
            wrong = sum(len(re.findall(rb"HTTP/1.1 40[34] ", bytes(one.received))) for one in asking)
        began = time.monotonic()
        settles(lambda: rig.ask() == 200, 20)
        served = time.monotonic() - began
        time.sleep(1)
        return {
            "processes that ended": len(set(family) - {rig.pid, *rig.workers}),
            "processor time meanwhile": 100 * busy / passed,
            "log lines": lines / passed / rig.worker_count,
            "files that are there answered 403 or 404": wrong,
            "served again after": served,
            "failed afterwards": rig.calm(1).failed,
        }


@fault(
    "F8",
    "a request that wants a gibibyte, and workers that grow",
    Bar("asked"),
    Bar("answered 200", most=0),
    Bar("failed beside it", most=0),
    Bar("parents that ended", most=0),
    Bar("workers less", most=0),
    Bar("workers that grew"),
    Bar("not replaced for it", most=0),
    Bar("replaced after", "s", most=10, timed=True),
    Bar("failed meanwhile", most=0),
    Bar("downloads and uploads cut meanwhile", most=0),
)
def memory_gone(stage: Stage) -> Figures:
    """`ulimit -v` of 900 MB, and a handler of somebody else's that allocates 1 GiB, asked for ten times (short: 3) under load. Then, with
    `MaxMemoryPerChild` of 100 MiB, a handler that keeps 96 MiB for good, asked for ten times (short: 2) with slow downloads and uploads
    in flight.
    """
    if not stage.server.is_ours:
        raise NotHere("needs a handler that allocates")
    return {**_refused_memory(stage), **_kept_memory(stage)}


def _refused_memory(stage: Stage) -> Figures:
    with Rig(stage.server, shell="ulimit -v 900000") as rig:
        parent, count = rig.pid, stage.pick(3, 10)
        with rig.load() as load:
            answered = 0
            for _ in range(count):
                answered += rig.ask(get("/hog")) == 200
                time.sleep(0.3)
        settles(lambda: len(rig.workers) >= rig.worker_count, 5)
        return {
            "asked": count,
            "answered 200": answered,
            "failed beside it": load.report.failed,
            "parents that ended": rig.pid != parent,
            "workers less": rig.worker_count - len(rig.workers),
        }


def _kept_memory(stage: Stage) -> Figures:
    with Rig(stage.server, config=f"MaxMemoryPerChild {100 << 20}\n", big=True) as rig:
        stayed, slowest, count = 0, 0.0, stage.pick(2, 10)
        with rig.load(downloads=2, uploads=2) as load:
            for _ in range(count):
                grown = int(rig.site.ask(get("/grow"), b"GET").body)
                gone = _gone(rig, grown)
                stayed += gone == float("inf") or f"child pid {grown} occupies" not in rig.site.log()
                slowest = max(slowest, gone)
        return {
            "workers that grew": count,
            "not replaced for it": stayed,
            "replaced after": slowest,
            "failed meanwhile": load.report.failed,
            "downloads and uploads cut meanwhile": load.report.transfers_failed,
        }


def _gone(rig: Rig, worker: int) -> float:
    """The seconds until a worker has ended: when another serves, and what it has begun is done, transfers among that."""
    return settles(lambda: worker not in rig.workers)
