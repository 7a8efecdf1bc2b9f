"""Remembering what a function of one argument has answered: as `functools.lru_cache`, at half of its cost for each answer known.

For what every request asks. When as many answers are known as may be, all are forgotten: what is asked for often is soon known again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["remember"]

K = TypeVar("K")
V = TypeVar("V")


class _Answers(dict[K, V]):
    def __init__(self, function: Callable[[K], V], most: int) -> None:
        self._function = function
        self._most = most

    def __missing__(self, argument: K) -> V:
        answer = self._function(argument)
        if len(self) >= self._most:
            self.clear()
        self[argument] = answer
        return answer


def remember(most: int) -> Callable[[Callable[[K], V]], Callable[[K], V]]:
    """Decorate a function that always answers the same to an argument, which is hashable; what it raises is not remembered.

    `most`: how many answers are kept.
    """

    def decorate(function: Callable[[K], V]) -> Callable[[K], V]:
        # The method itself: nothing of ours runs where the answer is known. `[…]` would go a longer way round in a class from `dict`.
        return _Answers(function, most).__getitem__

    return decorate
