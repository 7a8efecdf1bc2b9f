"""Shares: who has more than others that accept looks away."""

from __future__ import annotations

import pytest

from coachwhip.mpm.shares import ALONE, Shares


@pytest.mark.parametrize(
    ("mine", "others", "room"),
    [
        (0, [0, 0], 2),
        (1, [0, 0], 1),
        (2, [0, 5], 0),
        (3, [0, 5], -1),
        (9, [8, 8], 1),
        (10, [8, 8], 0),
        (103, [99, 120], 4),
        (110, [99, 120], -3),
        (7, [], ALONE),
    ],
)
def test_a_little_more_than_the_least_is_allowed(mine: int, others: list[int], room: int) -> None:
    shares = Shares(6)
    shares.set(1, mine)
    for row, connections in enumerate(others, 2):
        shares.set(row, connections)
    assert shares.room(1) == room


def test_those_that_do_not_accept_are_no_measure() -> None:
    shares = Shares(4)
    shares.set(1, 9)
    shares.set(2, 0)
    assert shares.room(1) < 0
    shares.clear(2)
    assert shares.room(1) == ALONE
