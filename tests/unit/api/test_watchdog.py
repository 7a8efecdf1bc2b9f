"""`api.watchdog`: rounds in a thread, and a lock that one process of all holds."""

from __future__ import annotations

import os
import threading
from typing import ClassVar

import pytest

from coachwhip.api.watchdog import OneOfAll, Place, Rounds


class Counting:
    place: ClassVar[Place] = Place.ONE_WORKER

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.steps: list[float] = []
        self.is_stopped = False
        self.thread = 0
        self.stepped = threading.Semaphore(0)

    def step(self, now: float) -> None:
        self.steps.append(now)
        self.thread = threading.get_ident()
        self.stepped.release()
        if len(self.steps) <= self.fails:
            raise ValueError("no")

    def stop(self) -> None:
        self.is_stopped = True


def rounds(watchdog: Counting, *, lock: OneOfAll | None = None, over: threading.Event | None = None) -> tuple[Rounds, list[str]]:
    said: list[str] = []
    ends = over.is_set if over is not None else lambda: False
    made = Rounds(lambda: watchdog, 0.01, lock=lock, ends=ends, on_error=lambda error: said.append(str(error)))  # type: ignore[arg-type,return-value]
    made.begin()
    return made, said


def test_rounds_beside_the_loop_until_the_end() -> None:
    watchdog = Counting()
    made, said = rounds(watchdog)
    for _ in range(3):
        assert watchdog.stepped.acquire(timeout=10)
    made.end(10)
    count = len(watchdog.steps)
    assert watchdog.is_stopped and watchdog.thread != threading.get_ident()
    assert watchdog.steps == sorted(watchdog.steps) and said == []
    assert len(watchdog.steps) == count


def test_a_round_that_fails_is_told_and_the_next_one_comes() -> None:
    watchdog = Counting(fails=2)
    made, said = rounds(watchdog)
    for _ in range(3):
        assert watchdog.stepped.acquire(timeout=10)
    made.end(10)
    assert said == ["no", "no"]


def test_a_worker_that_is_to_stop_ends_its_rounds() -> None:
    watchdog, over = Counting(), threading.Event()
    made, _ = rounds(watchdog, over=over)
    assert watchdog.stepped.acquire(timeout=10)
    over.set()
    made._thread.join(10)
    assert watchdog.is_stopped


def held_by_a_child(lock: OneOfAll) -> tuple[int, int]:
    """A process that takes the lock and keeps it until its pipe is closed: (its id, the pipe)."""
    ready, say = os.pipe()
    wait, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release)
        os.write(say, b"y" if lock.try_take() else b"n")
        os.read(wait, 1)
        os._exit(0)
    os.close(wait)
    os.close(say)
    assert os.read(ready, 1) == b"y"
    os.close(ready)
    return pid, release


def test_one_of_all_processes_has_the_lock_until_it_ends() -> None:
    lock = OneOfAll()
    pid, release = held_by_a_child(lock)
    assert not lock.try_take()
    os.close(release)
    os.waitpid(pid, 0)
    assert lock.try_take()
    lock.give_back()


def test_another_goes_on_when_the_one_ends() -> None:
    lock, watchdog = OneOfAll(), Counting()
    pid, release = held_by_a_child(lock)
    made, _ = rounds(watchdog, lock=lock)
    assert not watchdog.stepped.acquire(timeout=0.1)
    os.close(release)
    os.waitpid(pid, 0)
    assert watchdog.stepped.acquire(timeout=10)
    made.end(10)


def test_the_lock_is_given_back_with_its_object() -> None:
    lock = OneOfAll()
    fd = lock._fd
    del lock
    with pytest.raises(OSError):
        os.fstat(fd)
