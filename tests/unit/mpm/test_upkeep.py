"""`Upkeep`: who is replaced, and when. Workers are told of here by what the parent knows of them; no process is forked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

import pytest

from coachwhip.mpm.children import Child, Children
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.policy import Policy
from coachwhip.mpm.pulse import Pulse
from coachwhip.mpm.upkeep import Upkeep


class Nursery:
    """`Children` without processes: a fork is a worker that serves, and nobody who is told to go has gone yet."""

    def __init__(self) -> None:
        self.made: list[Child] = []

    def all(self) -> list[Child]:
        return self.made

    def staying(self, generation: Generation) -> list[Child]:
        return [child for child in self.made if not child.is_leaving and not child.is_retiring]

    def pulse(self, child: Child) -> Pulse:
        return Pulse(beat=time.monotonic(), memory=child.pid)

    def fork(self, generation: Generation, count: int, logs: Iterable[object] = ()) -> None:
        for _ in range(count):
            self.add(generation, memory=1, born=time.monotonic())

    def add(self, generation: Generation, *, memory: int, born: float) -> Child:
        """A worker; its process id is how much memory it occupies."""
        self.made.append(Child(memory, generation, born, len(self.made) + 1, -1, -1, is_up=True))
        return self.made[-1]

    def dismiss(self, children: Iterable[Child], farewell: object, wait: float) -> None:
        for child in children:
            child.is_leaving = True


@pytest.fixture
def nursery() -> Nursery:
    return Nursery()


def generation(policy: Policy) -> Generation:
    return Generation(cast(Any, Silent()), [], policy=policy)


class Silent:
    """Stands for a pipeline, what it was started with, and a server that logs nothing."""

    def __init__(self) -> None:
        self.startup = self.main = self

    def log_level(self, module: str) -> int:
        return 0


def look(upkeep: Upkeep, now: Generation) -> None:
    """As once a second, twice: whoever retires goes when another serves."""
    for _ in range(2):
        upkeep._next_look = 0.0
        upkeep.turn(now, [])


def test_workers_that_are_too_large_go_one_by_one_though_the_first_has_a_slow_client_left(nursery: Nursery) -> None:
    now = generation(Policy(start=2, most=8, limit=8, most_spare=1000, memory=100))
    large = [nursery.add(now, memory=200, born=time.monotonic()) for _ in range(2)]
    upkeep = Upkeep(cast(Children, nursery), cores=2)
    upkeep.target = 2
    look(upkeep, now)
    assert [child.is_leaving for child in large] == [True, False]
    look(upkeep, now)
    assert [child.is_leaving for child in large] == [True, True]
    assert len(nursery.staying(now)) == 2


def test_no_more_are_on_their_way_out_than_there_are_workers(nursery: Nursery) -> None:
    now = generation(Policy(start=2, most=8, limit=8, most_spare=1000, memory=1))
    for _ in range(2):
        nursery.add(now, memory=200, born=time.monotonic())
    upkeep = Upkeep(cast(Children, nursery), cores=2)
    upkeep.target = 2
    for _ in range(6):
        look(upkeep, now)
    assert sum(child.is_leaving for child in nursery.made) == 2
    assert len(nursery.staying(now)) == 2
