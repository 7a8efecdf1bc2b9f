"""Processes that die or stop: workers, the parent, a worker that hears nothing any more."""

from __future__ import annotations

import errno
import os
import random
import socket
import time
from itertools import zip_longest
from math import inf
from signal import SIGCONT, SIGKILL, SIGSTOP

from coachwhip.testing import Client, StartFailed
from faults import processes
from faults.herd import Herd
from faults.load import Failure, Kind, Report
from faults.rig import BIG, GET, PATIENCE, SMALL, Rig, get, settles, until
from faults.rows import Bar, Figures, Stage, fault

#: Requests that wait in the backlog while the workers are killed.
WAITING = 50


@fault(
    "F1",
    "workers are killed",
    Bar("refused", most=0),
    Bar("failed though in flight at no kill", most=0),
    Bar("lost in the backlog", most=0),
    Bar("failed in flight at a kill"),
    Bar("stale"),
    Bar("kills"),
    Bar("a new worker", "s", most=1, timed=True),
    Bar("longest stall", "ms", most=250, timed=True),
    Bar("zombies", most=0),
)
def workers_killed(stage: Stage) -> Figures:
    """`kill -9` of a random worker every 200 ms for 30 s (short: 3 s). Then all workers are stopped, requests wait in the backlog, and the
    stopped workers are killed.
    """
    with Rig(stage.server) as rig:
        with rig.load() as load:
            kills, births = _kill_workers(rig, stage.pick(15, 150))
        until(lambda: len(rig.workers) >= rig.worker_count, "workers are not back")
        lost = WAITING - _served_from_backlog(rig)
        inside = [one for one in load.report.failures if _is_of_a_kill(one, kills)]
        return {
            "refused": load.report.count(Kind.REFUSED),
            "failed though in flight at no kill": load.report.failed - len(inside),
            "lost in the backlog": lost,
            "failed in flight at a kill": len(inside),
            "stale": load.report.stale,
            "kills": len(kills),
            "a new worker": max(birth - kill for kill, birth in zip_longest(kills, births[: len(kills)], fillvalue=inf)),
            "longest stall": load.report.slowest_ms,
            "zombies": rig.zombies,
        }


def _is_of_a_kill(failure: Failure, kills: list[float]) -> bool:
    """A worker that dies with a request resets or cuts it; whoever waits in vain was not with a worker that died."""
    return failure.kind in (Kind.RESET, Kind.CUT) and any(failure.began <= kill <= failure.ended for kill in kills)


def _kill_workers(rig: Rig, count: int) -> tuple[list[float], list[float]]:
    """Kill one worker every 200 ms, none sooner; returns when each was killed, and when each new one was seen first."""
    kills: list[float] = []
    births: list[float] = []
    known = set(rig.workers)
    began = time.monotonic()
    while len(births) < count and time.monotonic() < began + 0.3 * count + 2:
        living = rig.workers
        births += [time.monotonic()] * len(set(living) - known)
        known |= set(living)
        if len(kills) < count and living and time.monotonic() >= (kills[-1] + 0.2 if kills else began):
            os.kill(random.choice(living), SIGKILL)
            kills.append(time.monotonic())
        time.sleep(0.005)
    return kills, births


def _served_from_backlog(rig: Rig) -> int:
    """Stop every worker, let requests wait, kill the stopped ones: how many are answered."""
    stopped = rig.workers
    for pid in stopped:
        os.kill(pid, SIGSTOP)
    waiting = [rig.connect() for _ in range(WAITING)]
    for client in waiting:
        client.send(GET)
    time.sleep(0.2)
    for pid in stopped:
        os.kill(pid, SIGKILL)
    return sum(_is_answered(client) for client in waiting)


def _is_answered(client: Client) -> bool:
    with client:
        try:
            answer = client.read_response()
        except OSError:
            return False
        return answer is not None and answer.body == SMALL.encode()


@fault(
    "F2",
    "the parent is killed, and started again",
    Bar("stops accepting", "s", most=1, timed=True),
    Bar("the new one serves", "s", most=2, timed=True),
    Bar("downloads in flight cut", most=0),
    Bar("orphans gone", "s", most=35),
)
def parent_killed(stage: Stage) -> Figures:
    """`kill -9` of the parent while slow downloads are in flight, and then the server is started anew; in the long form another request
    hangs for good, and the orphans must end nevertheless.
    """
    with Rig(stage.server, big=True) as rig, Herd(rig.site.port) as herd:
        old = rig.workers
        downloads = herd.join(4, get("/big"), reads=False, buffer=1 << 16)
        if stage.is_long:
            herd.join(1, get("/hang"))
        time.sleep(0.3)
        rig.kill_parent()
        refused = settles(lambda: not accepts(rig), 5, step=0.05)
        serves = _start_again(rig)
        cut = sum(not is_whole(one.sock) for one in downloads)
        gone = settles(lambda: not any(processes.alive(pid) for pid in old), 40)
        return {"stops accepting": refused, "the new one serves": serves, "downloads in flight cut": cut, "orphans gone": gone}


def accepts(rig: Rig) -> bool:
    """Whether a client's connection comes about, or waits to: only a refusal sends clients elsewhere."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(rig.site.address) != errno.ECONNREFUSED


def _start_again(rig: Rig) -> float:
    """Seconds until a new server answers, infinity if it does not start."""
    began = time.monotonic()
    try:
        rig.start(waits=False)
    except StartFailed:
        return inf
    until(lambda: rig.ask() == 200, "the new server does not serve")
    return time.monotonic() - began


def is_whole(client: socket.socket) -> bool:
    """Read what comes to its end: whether it is the whole large file."""
    client.settimeout(PATIENCE)
    pieces = []
    try:
        while piece := client.recv(1 << 18):
            pieces.append(piece)
    except OSError:
        return False
    return b"".join(pieces).partition(b"\r\n\r\n")[2] == BIG


@fault(
    "F27",
    "a worker hears nothing any more",
    Bar("failed beside a stopped worker", most=0),
    Bar("p99 beside it", "ms", timed=True),
    Bar("failed beside a handler that never yields", most=0),
    Bar("silent workers replaced", "s", most=35, timed=True, is_long=True),
    Bar("replaced without a line that says so", most=0, is_long=True),
)
def worker_silent(stage: Stage) -> Figures:
    """`kill -STOP` of one worker for 60 s (short: 2 s), then a handler that never yields; only requests that begin afterwards count.
    A worker that was silent for 30 s is replaced, and the error log says so, with its stack.
    """
    with Rig(stage.server) as rig:
        # One that is only just being born cannot write down its stack yet.
        rig.calm(1)
        victim = rig.workers[0]
        os.kill(victim, SIGSTOP)
        beside_stopped, replaced = _beside(rig, victim, stage.pick(2, 60))
        told = str(victim) in rig.site.log() and 'File "' in rig.site.log()
        if processes.state(victim) == "T":
            os.kill(victim, SIGCONT)
            time.sleep(0.5)
        figures = {
            "failed beside a stopped worker": float(beside_stopped.failed),
            "p99 beside it": beside_stopped.p99_ms,
        }
        if stage.is_long:
            figures |= {"silent workers replaced": replaced, "replaced without a line that says so": not told}
    with Rig(stage.server) as rig, rig.connect() as client:
        client.send(get("/stick"))
        time.sleep(0.3)
        beside_stuck, _ = _beside(rig, 0, stage.pick(2, 60))
        figures["failed beside a handler that never yields"] = beside_stuck.failed
    return figures


def _beside(rig: Rig, victim: int, seconds: float) -> tuple[Report, float]:
    """Load on new connections for so long: its report, and after how many seconds the victim was gone."""
    began, gone = time.monotonic(), inf
    with rig.load(patience=3.0) as load:
        while (passed := time.monotonic() - began) < seconds:
            if gone == inf and not processes.alive(victim):
                gone = passed
            time.sleep(0.05)
    return load.report, gone
