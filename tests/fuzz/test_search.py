"""The engine finds what it is for: exceptions, slow and large cases, cases that end the process, and growth."""

import dataclasses
import os
import random
import signal

import pytest
from fuzz.guard import Fence, Guard, Slow
from fuzz.mutation import mutate
from fuzz.search import search_apart, shrink
from fuzz.target import Fault, Target, require

from fuzz import guard, search, target


@pytest.fixture
def planted(monkeypatch, tmp_path):
    """A function: makes a target with this check."""
    monkeypatch.setattr(target, "SEEDS", tmp_path)
    (tmp_path / "planted.txt").write_text("one two\n")

    def make(check):
        return Target("planted", (b"three", b"bad"), lambda chance: b"made", lambda folder: check, longest=64)

    return make


def fails_on_bad(data):
    if b"bad" in data:
        raise KeyError(data)
    return "fine"


def test_an_exception_is_a_fault_and_is_shortened(planted):
    found = search_apart(planted(fails_on_bad), 5_000, seed=1).found
    assert found.kind == "KeyError"
    assert b"bad" in found.data
    assert shrink(planted(fails_on_bad), found.data, found.kind) == b"bad"


def test_the_same_number_takes_the_same_way(planted):
    once, again = (search_apart(planted(fails_on_bad), 5_000, seed=3) for _ in range(2))
    assert (once.cases, once.found.data) == (again.cases, again.found.data)


def test_a_case_that_ends_the_process_is_told(planted):
    def dies(data):
        if b"bad" in data:
            os.kill(os.getpid(), signal.SIGKILL)
        return "fine"

    found = search_apart(planted(dies), 5_000, seed=1).found
    assert found.kind == "Killed by SIGKILL"
    assert b"bad" in found.data


def test_a_case_without_end_is_ended(planted, monkeypatch):
    monkeypatch.setattr(search, "HANG", 0.2)

    def hangs(data):
        while b"bad" in data:
            pass
        return "fine"

    found = search_apart(planted(hangs), 5_000, seed=1).found
    assert found.kind == "Killed by SIGVTALRM"
    assert b"bad" in found.data


def test_an_allocation_without_bound_fails(planted):
    def takes(data):
        return str(len(bytearray(1 << 40 if b"bad" in data else 1)))

    assert search_apart(planted(takes), 5_000, seed=1).found.kind == "MemoryError"


def test_memory_that_is_never_given_back_is_a_fault(planted, monkeypatch):
    monkeypatch.setattr(search, "GROWTH", 4 << 20)
    kept = []

    def keeps(data):
        kept.append(bytes(100_000))
        return "fine"

    assert search_apart(planted(keeps), 500, seed=1).found.kind == "Growth"


def test_what_is_slow_every_time_is_a_fault_and_what_is_slow_once_is_not():
    times = iter((0.0, 0.2, 0.0, 0.01, 0.0, 0.01, 0.0, 0.01, 0.0, 0.2, 0.0, 0.2, 0.0, 0.2, 0.0, 0.2))
    watched = Guard(lambda data: "fine", clock=lambda: next(times))
    assert watched.run(b"") == "fine"
    assert watched.slowest[0] == 0.01
    with pytest.raises(Slow, match="200 ms"):
        watched.run(b"")


def test_a_large_case_is_a_fault(monkeypatch):
    monkeypatch.setattr(guard, "PEAK", 1 << 20)
    used = iter(range(10))
    assert Guard(lambda data: "fine", memory=lambda: next(used)).run(b"") == "fine"
    with pytest.raises(Fault, match="in use at once"):
        Guard(lambda data: str(len(bytes(2 << 20))), memory=lambda: next(used)).run(b"")
    assert Guard(lambda data: str(len(bytes(2 << 20))), memory=lambda: 0).run(b"")


def test_the_fence_lets_out_nothing(planted, tmp_path):
    def prepare(folder):
        (folder / "inside").write_text("x")
        fence = Fence(folder, tmp_path)

        def peeks(data):
            os.close(os.open(f"{folder}/inside", os.O_RDONLY))
            require(fence.opened[-1:] == [f"{folder}/inside"], "what is inside is told")
            for look in (lambda: os.listdir("/etc"), lambda: os.open("/etc/hostname", os.O_RDONLY), os.fork):
                try:
                    look()
                except OSError:
                    continue
                raise Fault("let out")
            return "fine"

        return peeks

    fenced = dataclasses.replace(planted(fails_on_bad), prepare=prepare)
    assert search_apart(fenced, 1, seed=1).kinds == {"fine": 1}


def test_mutations_keep_to_the_length_and_use_the_words():
    chance = random.Random(5)
    made = [mutate(chance, b"some text", (b"WORD",), (b"some text", b"other"), 32) for _ in range(2_000)]
    assert all(len(data) <= 32 for data in made)
    assert any(b"WORD" in data for data in made)
    assert len(set(made)) > 1_000
