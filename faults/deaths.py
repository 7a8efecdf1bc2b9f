"""Processes that die or stop: workers, the parent, a worker that hears nothing any more."""

from __future__ import annotations

import os
import random
import signal
import time
from itertools import zip_longest
from math import inf

from coachwhip.testing import Client
from faults.load import Kind
from faults.rig import GET, SMALL, Rig, until
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
        inside = [one for one in load.report.failures if any(one.began <= kill <= one.ended for kill in kills)]
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


def _kill_workers(rig: Rig, count: int) -> tuple[list[float], list[float]]:
    """Kill one worker every 200 ms; returns when each was killed, and when each new one was seen first."""
    kills: list[float] = []
    births: list[float] = []
    known = set(rig.workers)
    began = time.monotonic()
    while len(births) < count and time.monotonic() < began + 0.2 * count + 2:
        living = rig.workers
        births += [time.monotonic()] * len(set(living) - known)
        known |= set(living)
        if len(kills) < count and living and time.monotonic() >= began + 0.2 * len(kills):
            os.kill(random.choice(living), signal.SIGKILL)
            kills.append(time.monotonic())
        time.sleep(0.005)
    return kills, births


def _served_from_backlog(rig: Rig) -> int:
    """Stop every worker, let requests wait, kill the stopped ones: how many are answered."""
    stopped = rig.workers
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    waiting = [rig.connect() for _ in range(WAITING)]
    for client in waiting:
        client.send(GET)
    time.sleep(0.2)
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    return sum(_is_answered(client) for client in waiting)


def _is_answered(client: Client) -> bool:
    with client:
        try:
            answer = client.read_response()
        except OSError:
            return False
        return answer is not None and answer.body == SMALL.encode()
