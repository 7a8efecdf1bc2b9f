"""How many workers there are to be: the numbers of the configuration, and what the load of the workers says about them.

Pure functions; the parent measures, asks here and acts. README.md has the table of directives.
Source: Apache manual, "Apache MPM Common Directives", `event`, `worker`, `prefork`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coachwhip.api.mpm import ServerMpm

__all__ = ["Load", "Policy", "change", "is_full", "policy_of", "with_workers"]

#: A worker whose process used more than this share of the last second is saturated: what threads it has idle are no help.
SATURATED = 0.85
#: Most workers that are started in one second, as in Apache.
FASTEST = 32


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of one configuration, all of them said."""

    #: "event", "worker" or "prefork".
    mpm: str = "event"
    #: Workers at the start, and the most there may be.
    start: int = 1
    most: int = 1
    #: The most that a reload may ever ask for (`ServerLimit`).
    limit: int = 1
    #: Threads of a worker for what may block; of prefork 1.
    threads: int = 25
    #: Idle threads over all workers (of prefork: idle workers) below which workers are added and above which one goes.
    least_spare: int = 1
    most_spare: int = 2
    #: A worker is replaced after so many connections, at so many bytes, after so many seconds; 0: never.
    connections: int = 0
    memory: int = 0
    age: float = 0.0
    #: Requests of a worker that are worked on at the same time, by threads and `async` handlers together; 0: as many as come.
    at_work: int = 0
    #: Connections of a worker beyond one for each thread, for each idle thread; 0: no limit on connections.
    factor: float = 0.0

    @property
    def is_prefork(self) -> bool:
        """One connection per worker at a time."""
        return self.mpm == "prefork"

    def most_connections(self, busy: int) -> float:
        """How many connections a worker takes of which so many have a request that is worked on."""
        return self.threads + self.factor * max(0, self.threads - busy) if self.factor else math.inf


@dataclass(frozen=True, slots=True)
class Load:
    """One worker that serves: threads at work (of prefork: 1 while it has a connection), and its share of a processor."""

    busy: int
    share: float = 0.0


def policy_of(conf: ServerMpm, mpm: str, cores: int, *, bounds_work: bool = False) -> Policy:
    """The numbers that a configuration gives on a machine with so many processor cores. `bounds_work`: `MaxRequestWorkers` is its own.

    A loop is at its best with a core to itself, so without `StartServers` there are as many workers as cores, and two at least: one
    serves while the other is replaced. Without the spare directives a worker's worth of idle threads is kept, and one worker more than
    at the start.
    """
    if mpm == "prefork":
        limit = conf.server_limit or 256
        most = conf.max_request_workers or limit
        start = min(5 if conf.start_servers is None else conf.start_servers, most)
        least = 5 if conf.min_spare_servers is None else conf.min_spare_servers
        most_spare = 10 if conf.max_spare_servers is None else conf.max_spare_servers
        threads, unit = 1, 1
    else:
        threads = conf.threads_per_child or 25
        limit = conf.server_limit or 16
        most = max(1, conf.max_request_workers // threads if conf.max_request_workers else limit)
        start = min(max(2, cores) if conf.start_servers is None else conf.start_servers, most)
        least = threads if conf.min_spare_threads is None else conf.min_spare_threads
        most_spare = (start + 1) * threads if conf.max_spare_threads is None else conf.max_spare_threads
        unit = threads
    return Policy(
        mpm,
        start,
        most,
        max(limit, most),
        threads,
        least,
        # As in Apache: else a worker would come and go for ever.
        max(most_spare, least + unit),
        conf.max_connections_per_child,
        conf.max_memory_per_child,
        float(conf.max_age_per_child),
        threads if bounds_work and mpm != "prefork" else 0,
        conf.async_request_worker_factor if mpm == "event" else 0.0,
    )


def with_workers(policy: Policy, more: int) -> Policy:
    """The same with so many workers more (or fewer) to start with and to keep; never less than one or more than the limit."""
    start = min(max(1, policy.start + more), policy.limit)
    moved = (start - policy.start) * policy.threads
    return replace(
        policy,
        start=start,
        most=max(policy.most, start),
        least_spare=max(1, policy.least_spare + moved),
        most_spare=max(policy.threads + 1, policy.most_spare + moved),
    )


def is_full(policy: Policy, loads: Sequence[Load]) -> bool:
    """Whether nothing is idle, and there are as many workers as there may be."""
    return len(loads) >= policy.most and all(load.busy >= policy.threads for load in loads)


def change(policy: Policy, loads: Sequence[Load], cores: int, fastest: int = FASTEST) -> int:
    """How many workers to add (at most `fastest`), or -1 for one too many, or 0. `loads`: those that serve and stay.

    A saturated worker has nothing to spare, but more workers than cores cannot help against that: then only threads count.
    """
    count = len(loads)
    is_worth_it = count < cores
    idle = [policy.threads - min(load.busy, policy.threads) for load in loads]
    spare = sum(
        0 if load.share > SATURATED and is_worth_it else threads for load, threads in zip(loads, idle, strict=True)
    )
    if spare < policy.least_spare:
        missing = -(-(policy.least_spare - spare) // policy.threads)
        return max(0, min(missing, fastest, policy.most - count))
    busiest = max((load.share for load in loads), default=0.0)
    if count > 1 and spare > policy.most_spare and busiest <= SATURATED:
        return -1
    return 0
