"""The account of one stage of a request: time runs out, bytes buy more, up to a maximum."""

from __future__ import annotations

from coachwhip.api.timeouts import ReadLimit, StageClock


def test_time_runs_out_without_bytes() -> None:
    clock = StageClock(ReadLimit(20), 100.0)
    assert clock.left(105.0) == 15.0
    assert clock.left(119.9) != 0
    assert clock.left(120.0) == 0


def test_bytes_extend_the_stage_by_their_rate() -> None:
    clock = StageClock(ReadLimit(20, None, 500), 0.0)
    clock.received(1000)
    assert clock.left(0.0) == 22.0


def test_no_stage_lasts_longer_than_its_maximum() -> None:
    clock = StageClock(ReadLimit(20, 40, 500), 0.0)
    clock.received(10**9)
    assert clock.left(40.0) == 0


def test_zero_is_no_limit() -> None:
    clock = StageClock(ReadLimit(0), 0.0)
    assert clock.left(1e9) is None
    assert clock.left(1e9) != 0
