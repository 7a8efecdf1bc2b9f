"""The policy: what the configuration makes of the numbers, and when workers come and go."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from coachwhip.api.mpm import ServerMpm
from coachwhip.mpm.policy import Load, Policy, change, is_full, policy_of, with_workers

EVENT = Policy("event", start=2, most=16, limit=16, threads=25, least_spare=25, most_spare=75)
PREFORK = Policy("prefork", start=5, most=20, limit=20, threads=1, least_spare=5, most_spare=10)
IDLE, FULL = Load(0), Load(25)
HOT = Load(0, share=0.97)


@pytest.mark.parametrize(("cores", "start"), [(1, 2), (2, 2), (8, 8), (64, 16)])
def test_without_a_word_there_is_a_worker_for_each_core(cores: int, start: int) -> None:
    found = policy_of(ServerMpm(), "event", cores)
    assert (found.start, found.most, found.threads) == (start, 16, 25)
    assert change(found, [IDLE] * start, cores) == 0


def test_what_is_said_counts() -> None:
    conf = ServerMpm(
        start_servers=3,
        max_request_workers=150,
        threads_per_child=30,
        min_spare_threads=40,
        max_spare_threads=200,
        max_connections_per_child=9,
        max_memory_per_child=7,
        max_age_per_child=5,
    )
    assert policy_of(conf, "worker", 4) == Policy("worker", 3, 5, 16, 30, 40, 200, 9, 7, 5.0)


def test_requests_at_work_are_bounded_where_that_is_said() -> None:
    conf = ServerMpm(threads_per_child=10)
    assert [policy_of(conf, mpm, 4, bounds_work=True).at_work for mpm in ("event", "worker", "prefork")] == [10, 10, 0]
    assert policy_of(conf, "event", 4).at_work == 0


def test_connections_are_bounded_by_idle_threads_where_that_is_said() -> None:
    conf = ServerMpm(threads_per_child=10, async_request_worker_factor=1.5)
    assert [policy_of(conf, "event", 4).most_connections(busy) for busy in (0, 4, 10, 99)] == [25, 19, 10, 10]
    assert policy_of(ServerMpm(), "event", 4).most_connections(0) == policy_of(conf, "worker", 4).most_connections(0) == math.inf


@pytest.mark.parametrize(("loads", "full"), [([FULL, FULL], True), ([FULL, Load(24)], False), ([FULL], False)])
def test_nothing_is_idle_and_nobody_can_come(loads: list[Load], full: bool) -> None:
    assert is_full(Policy(most=2), loads) is full


def test_the_limit_on_workers_is_one_on_those_at_the_start() -> None:
    assert policy_of(ServerMpm(start_servers=9, max_request_workers=50, threads_per_child=25), "event", 4).start == 2


def test_preforks_numbers_are_processes() -> None:
    assert policy_of(ServerMpm(), "prefork", 4) == Policy("prefork", 5, 256, 256, 1, 5, 10)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_the_most_spare_leave_room_above_the_least(mpm: str) -> None:
    conf = ServerMpm(threads_per_child=10, min_spare_threads=50, max_spare_threads=1, min_spare_servers=50, max_spare_servers=1)
    found = policy_of(conf, mpm, 4)
    assert found.most_spare == found.least_spare + found.threads


@pytest.mark.parametrize(
    ("loads", "by"),
    [
        ([IDLE, IDLE], 0),
        ([FULL, IDLE], 0),
        ([FULL, Load(1)], 1),
        ([FULL, FULL], 1),
        # Work that waits for a thread makes no thread more than busy.
        ([Load(400), Load(400)], 1),
        ([IDLE] * 3, 0),
        ([IDLE] * 4, -1),
        ([FULL] * 16, 0),
        ([], 1),
    ],
)
def test_threads_are_kept_idle(loads: list[Load], by: int) -> None:
    assert change(EVENT, loads, cores=2) == by


@pytest.mark.parametrize(("cores", "by"), [(2, 0), (4, 1)])
def test_a_busy_processor_asks_for_workers_while_there_are_cores(cores: int, by: int) -> None:
    assert change(EVENT, [HOT, HOT], cores) == by


def test_nobody_goes_while_a_processor_is_busy() -> None:
    assert change(EVENT, [HOT, IDLE, IDLE, IDLE, IDLE], cores=2) == 0


def test_the_last_one_stays() -> None:
    assert change(replace(EVENT, threads=100), [IDLE], cores=2) == 0


@pytest.mark.parametrize(("busy", "idle", "by"), [(0, 5, 0), (1, 4, 1), (8, 0, 5), (8, 10, 0), (8, 11, -1), (18, 0, 2), (20, 0, 0)])
def test_prefork_keeps_processes_idle(busy: int, idle: int, by: int) -> None:
    assert change(PREFORK, [Load(1)] * busy + [IDLE] * idle, cores=2) == by


def test_growth_is_no_faster_than_allowed() -> None:
    assert change(PREFORK, [Load(1)] * 8, cores=2, fastest=2) == 2


@pytest.mark.parametrize("policy", [EVENT, PREFORK])
@pytest.mark.parametrize("more", [1, 3, -1])
def test_another_number_of_workers_stays(policy: Policy, more: int) -> None:
    found = with_workers(policy, more)
    assert found.start == policy.start + more
    assert change(found, [IDLE] * found.start, cores=1) == 0


def test_one_worker_is_the_least_and_the_limit_the_most() -> None:
    assert with_workers(EVENT, -7).start == 1
    assert with_workers(EVENT, 99).start == EVENT.limit
