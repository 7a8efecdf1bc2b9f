"""Shares: who has more than others that accept looks away."""

from __future__ import annotations

import pytest

from coachwhip.mpm.shares import Shares


@pytest.mark.parametrize(
    ("mine", "others", "is_enough"),
    [
        (0, [0, 0], False),
        (1, [0, 0], False),
        (2, [0, 5], True),
        (9, [8, 8], False),
        (10, [8, 8], True),
        (103, [99, 120], False),
        (110, [99, 120], True),
        (7, [], False),
    ],
)
def test_a_little_more_than_the_least_is_allowed(mine: int, others: list[int], is_enough: bool) -> None:
    shares = Shares(6)
    shares.set(1, mine)
    for row, connections in enumerate(others, 2):
        shares.set(row, connections)
    assert shares.has_enough(1) is is_enough


def test_those_that_do_not_accept_are_no_measure() -> None:
    shares = Shares(4)
    shares.set(1, 9)
    shares.set(2, 0)
    assert shares.has_enough(1)
    shares.clear(2)
    assert not shares.has_enough(1)
