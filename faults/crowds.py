"""Crowds: thousands of connections that are idle, slow, or come at once."""

from __future__ import annotations

import time

from faults.herd import Herd, Member, ended
from faults.load import Report
from faults.rig import Rig, get, settles
from faults.rows import Bar, Figures, Stage, fault

#: So many connections that a configuration's limits on them do not matter.
MANY = "AsyncRequestWorkerFactor 2000\nMaxKeepAliveRequests 0\n"
#: Of the bars on latency: no base is taken to be below this, in milliseconds; timers and the scheduler are no finer.
FINEST = 1.0
#: Slow clients that come in a second: many at once are another row's matter.
RATE = 400.0


def times_base(report: Report, base: Report) -> float:
    """How many times the p99 of quiet load the p99 under a fault is."""
    return report.p99_ms / max(base.p99_ms, FINEST)


@fault(
    "F12",
    "idle keep-alive connections",
    Bar("connections"),
    Bar("closed early", most=0),
    Bar("failed", most=0),
    Bar("memory of each", "bytes", most=4096),
    Bar("p99, times the base", most=2, timed=True),
    Bar("p99", "ms"),
    Bar("descriptors more afterwards", most=2),
)
def idle_connections(stage: Stage) -> Figures:
    """10,000 connections (short: 1,000), each idle after one request, `KeepAliveTimeout 300`; load beside them for 20 s (short: 3)."""
    count, seconds = stage.pick(1_000, 10_000), stage.pick(3, 20)
    with Rig(stage.server, config=MANY + "KeepAliveTimeout 300\n") as rig:
        rig.calm(2)
        base = rig.calm(seconds)
        descriptors, memory = rig.descriptors, rig.memory
        with Herd(rig.site.port) as herd:
            idle = herd.join(count, get(last=False))
            herd.graze(10, until=lambda: all(one.received for one in idle))
            grown = rig.memory - memory
            with rig.load() as load:
                herd.graze(seconds)
            early = sum(one.ended is not None or not one.received for one in idle)
        settles(lambda: rig.descriptors <= descriptors + 2, 10)
        return {
            "connections": count,
            "closed early": early,
            "failed": load.report.failed,
            "memory of each": grown / count,
            "p99, times the base": times_base(load.report, base),
            "p99": load.report.p99_ms,
            "descriptors more afterwards": rig.descriptors - descriptors,
        }


@fault(
    "F13",
    "slow heads, slow bodies, clients that never read",
    Bar("of each kind"),
    Bar("failed", most=0),
    Bar("heads cut too early or too late", most=0, timed=True),
    Bar("heads cut without 408", most=0),
    Bar("bodies cut too early or too late", most=0, timed=True),
    Bar("never-readers held beyond Timeout", most=0),
    Bar("p99, times the base", most=3, timed=True),
    Bar("p99", "ms", most=20, timed=True),
    Bar("memory", "MB", most=100),
    Bar("descriptors more afterwards", most=2),
)
def slow_clients(stage: Stage) -> Figures:
    """2,000 heads and 2,000 bodies at one byte a second, 2,000 clients that ask for a large file and read nothing (short: 100 each), who
    come 400 a second; mod_reqtimeout's defaults of 20 s and `Timeout 25` (short: 3 s and 4).
    """
    count, limit, wait = stage.pick(100, 2_000), stage.pick(3, 20), stage.pick(4, 25)
    config = f"RequestReadTimeout header={limit}-{2 * limit},MinRate=500 body={limit},MinRate=500\nTimeout {wait}\n{MANY}"
    with Rig(stage.server, config=config, big=True) as rig:
        rig.calm(1)
        base = rig.calm(stage.pick(3, 10))
        descriptors, memory = rig.descriptors, rig.memory
        with Herd(rig.site.port) as herd, rig.load() as load:
            heads = herd.join(count, b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", rate=RATE)
            bodies = herd.join(count, b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", rate=RATE)
            herd.join(count, get("/big"), reads=False, buffer=4096, rate=RATE)
            joined = time.monotonic()
            # Linger: Apache reads on for two seconds after a 408.
            herd.graze(limit + 8, drip=heads + bodies, until=ended(heads + bodies))
            grown = rig.memory - memory
            herd.graze(joined + wait + 1.5 - time.monotonic())
        held = rig.descriptors - descriptors
        settles(lambda: rig.descriptors <= descriptors + 2, 10)
        return {
            "of each kind": count,
            "failed": load.report.failed,
            "heads cut too early or too late": sum(not _in_time(one, limit) for one in heads),
            "heads cut without 408": sum(not one.received.startswith(b"HTTP/1.1 408 ") for one in heads),
            "bodies cut too early or too late": sum(not _in_time(one, limit) for one in bodies),
            "never-readers held beyond Timeout": max(0, held - 2),
            "p99, times the base": times_base(load.report, base),
            "p99": load.report.p99_ms,
            "memory": grown / 1e6,
            "descriptors more afterwards": rig.descriptors - descriptors,
        }


def _in_time(member: Member, limit: float) -> bool:
    """Cut by the rule, within a second: what was dripped buys 1/500 s a byte."""
    return limit - 1 <= member.lasted <= limit * (1 + 1 / 500) + 1.1


@fault(
    "F28",
    "a burst of connections",
    Bar("connections"),
    Bar("refused or reset", most=0),
    Bar("not answered", most=0),
    Bar("all served after", "s", most=5, timed=True),
)
def burst(stage: Stage) -> Figures:
    """5,000 connections begun at once (short: 1,000), each with one request as soon as it is there."""
    count = stage.pick(1_000, 5_000)
    with Rig(stage.server, config=MANY) as rig, Herd(rig.site.port) as herd:
        rig.calm(1)
        began = time.monotonic()
        members = herd.burst(count, get())
        herd.graze(30, until=ended(members))
        last = max((one.ended or float("inf")) for one in members)
        return {
            "connections": count,
            "refused or reset": sum(one.was_reset for one in members),
            "not answered": sum(not one.received.startswith(b"HTTP/1.1 200 ") for one in members),
            "all served after": last - began,
        }
