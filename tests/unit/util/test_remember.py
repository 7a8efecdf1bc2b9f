"""Answers of functions are remembered, and not too many of them."""

from __future__ import annotations

import pytest

from coachwhip.util.remember import remember


def test_an_answer_is_asked_for_once() -> None:
    asked: list[int] = []

    @remember(most=8)
    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    assert [double(1), double(2), double(1), double(2)] == [2, 4, 2, 4]
    assert asked == [1, 2]


def test_no_more_are_kept_than_was_said() -> None:
    asked: list[int] = []

    @remember(most=3)
    def same(number: int) -> int:
        asked.append(number)
        return number

    assert [same(number) for number in (0, 1, 2, 0, 3, 3, 0)] == [0, 1, 2, 0, 3, 3, 0]
    assert asked == [0, 1, 2, 3, 0]


def test_what_is_raised_is_not_remembered() -> None:
    asked: list[str] = []

    @remember(most=3)
    def number(text: str) -> int:
        asked.append(text)
        return int(text)

    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            number("one")
    assert asked == ["one", "one"]
