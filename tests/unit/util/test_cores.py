"""`util.cores`: a number, with `sched_getaffinity` and without."""

from __future__ import annotations

import os

import pytest

from coachwhip.util import cores


def test_as_many_as_this_process_may_run_on() -> None:
    assert cores.usable_cores() == len(os.sched_getaffinity(0))


def test_where_the_system_does_not_say_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cores.os, "sched_getaffinity")
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 3)
    assert cores.usable_cores() == 3
    monkeypatch.setattr(cores.os, "cpu_count", lambda: None)
    assert cores.usable_cores() == 1
