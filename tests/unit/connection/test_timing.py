"""Deadlines by the monotonic clock: what moves them, what does not."""

from types import SimpleNamespace

import pytest

from coachwhip.api.timeouts import ReadLimit, ReadLimits
from coachwhip.connection.timing import LINGER_SILENCE, LINGER_TOTAL, Clock, Stage


def info(limits: ReadLimits | None = None) -> SimpleNamespace:
    core = SimpleNamespace(timeout=60.0, keep_alive_timeout=5.0)
    return SimpleNamespace(server=SimpleNamespace(core=core), timeouts=limits)


LIMITS = ReadLimits(header=ReadLimit(20, 40, 500), body=ReadLimit(10, None, 500))


@pytest.mark.parametrize(
    ("stage", "limits", "seconds"),
    [
        (Stage.HEADER, None, 60),
        (Stage.HEADER, LIMITS, 20),
        (Stage.BODY, LIMITS, 10),
        (Stage.SEND, LIMITS, 60),
        (Stage.IDLE, LIMITS, 5),
        (Stage.LINGER, None, LINGER_SILENCE),
    ],
)
def test_how_long_each_stage_may_last_in_silence(stage, limits, seconds):
    clock = Clock(info(limits), 0.0)
    clock.enter(stage, info(limits), 100.0)
    assert not clock.expired(100 + seconds - 0.01)
    assert clock.expired(100 + seconds)


def test_bytes_extend_a_head_by_their_rate_up_to_its_maximum():
    who = info(LIMITS)
    clock = Clock(who, 0.0)
    clock.received(5000, who, 1.0)
    assert not clock.expired(29.9)
    assert clock.expired(30.1)
    clock.received(50_000, who, 29.0)
    assert not clock.expired(39.9)
    assert clock.expired(40.0)


def test_progress_moves_the_deadline_of_sending_and_of_nothing_else():
    who = info()
    clock = Clock(who, 0.0)
    clock.enter(Stage.SEND, who, 0.0)
    clock.progressed(who, 50.0)
    assert not clock.expired(109.0)
    clock.enter(Stage.IDLE, who, 0.0)
    clock.progressed(who, 4.0)
    clock.received(10, who, 4.0)
    assert clock.expired(5.0)


def test_lingering_goes_on_while_bytes_come_but_not_for_ever():
    who = info()
    clock = Clock(who, 0.0)
    clock.enter(Stage.LINGER, who, 0.0)
    now = 0.0
    while now < LINGER_TOTAL - 1:
        now += 1.0
        clock.received(1, who, now)
        assert not clock.expired(now + 0.9)
    assert clock.expired(LINGER_TOTAL)
