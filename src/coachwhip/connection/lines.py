"""A head taken apart by its lines: one dict look-up for each among lines judged before.

A line is judged (`judging.py`) when it is met for the first time, and remembered from the second time on. What is remembered says whether
kept answers depend on the line, whether log lines take it, or neither.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from coachwhip.connection.judging import MARKS, Judge, Unusual
from coachwhip.connection.shapes import Field, Shapes, Values
from coachwhip.util.second_sight import SecondSight

__all__ = ["Field", "Lines", "Values"]

#: Bounds on what is remembered; beyond them the memory is emptied and learns again.
MAX_LINES = 8192
MAX_LINE = 512


class Lines(dict[bytes, "Field | None"]):
    """The lines that are known, None where nothing depends on one; a line that is not known is judged where it is looked up.

    With the `shapes` of heads that were taken apart by them.
    """

    __slots__ = ("_is_second_sight", "_numbers", "judge", "shapes")

    def __init__(self) -> None:
        super().__init__()
        self.judge = Judge()
        self.shapes = Shapes(self.judge)
        self._numbers = itertools.count(1)
        self._is_second_sight = SecondSight(MARKS)

    def care_about(self, names: Iterable[str], *, logged: bool = False) -> None:
        """Answers (or, `logged`, log lines) depend on these fields too from now on. Lower-case names."""
        if self.judge.care_about(names, logged=logged):
            self.clear()
            self.shapes.start_again()

    def read(self, head: bytes, limit: int) -> tuple[bytes, list[Field], Values]:
        """Request line, the fields that anything depends on, in order and by name; at most `limit` fields.

        The request line itself is not judged: whoever finds an answer under it knows that it was, whoever keeps one asks the judge.
        Costs: a split, and one look-up per line. Raises Unusual.
        """
        lines = head.split(b"\r\n")
        if not 3 <= len(lines) <= limit + 3 or lines.pop() or lines.pop():
            raise Unusual
        first = lines.pop(0)
        found: list[Field] = list(filter(None, map(self.__getitem__, lines)))
        values = {name: value for _, name, value in found}
        if len(values) != len(found):
            raise Unusual
        return first, found, values

    def __missing__(self, line: bytes) -> Field | None:
        """Judge a line that is not remembered."""
        judged = self.judge.field(line)
        is_known = len(line) <= MAX_LINE and self._is_second_sight(line)
        field: Field | None = None
        if judged is not None:
            name, value = judged
            field = (next(self._numbers) if is_known else -1) if self.judge.counts(name) else 0, name, value
        if is_known:
            if len(self) >= MAX_LINES:
                self.clear()
            self[line] = field
        return field
