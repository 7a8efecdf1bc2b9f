"""Telling what was met before from what is met for the first time, in a fixed space: who never comes back fills nothing."""

from __future__ import annotations

from array import array
from collections.abc import Hashable

__all__ = ["SecondSight"]


class SecondSight:
    """Remembers marks of eight bytes, two of them side by side where one place each would let two that take turns push each other out
    for ever.
    """

    __slots__ = ("_marks", "_mask")

    def __init__(self, marks: int) -> None:
        """`marks`: how many are remembered, a power of two."""
        self._marks = array("q", bytes(8 * marks))
        self._mask = marks - 2

    def __call__(self, thing: Hashable) -> bool:
        """Whether this was met before, as far as that is still known."""
        mark = hash(thing)
        marks = self._marks
        at = mark & self._mask
        if marks[at] == mark or marks[at + 1] == mark:
            return True
        marks[at + 1] = marks[at]
        marks[at] = mark
        return False
