"""Sorting in pieces gives what sorting at one go gives."""

from __future__ import annotations

import random

import pytest

from coachwhip.util.sorting import PIECE, sorted_in_pieces


def first(pair: tuple[int, int]) -> int:
    return pair[0]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("count", [0, 1, 7, PIECE - 1, PIECE, PIECE + 1, 10 * PIECE])
@pytest.mark.parametrize("distinct", [1, 3, 1_000_000])
def test_as_sorted_does(count: int, distinct: int, backwards: bool) -> None:
    drawn = random.Random(count)
    pairs = [(drawn.randrange(distinct), number) for number in range(count)]
    assert sorted_in_pieces(pairs, first, reverse=backwards) == sorted(pairs, key=first, reverse=backwards)
