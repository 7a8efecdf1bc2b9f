"""Heads by their shape: all of a head but its request line and the values of the fields that differ from client to client.

One expression cuts those values out and judges them; what is left is looked up as it is. A shape is learned from a head that was taken
apart by its lines, so whatever has a known shape and good values is as valid as that head was, and depends on the same lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.connection.judging import LOGGABLE, MARKS, Judge
from coachwhip.util.second_sight import SecondSight

__all__ = ["Field", "Key", "Shape", "Shapes", "Values"]

#: Shapes that are remembered; when there are more, they are learned again. Longer ones are not remembered.
MAX_SHAPES = 4096
MAX_LENGTH = 4096
#: A loose field whose value may stand in a log line as it is: no end of a line, quote or backslash, no blank at either end.
_LOOSE = rb"\r\n(%b): ((?! )[ !#-\[\]-~]++(?<! ))(?=\r)"
#: A line that something depends on: its number, its lower-case name, and its value: `str`, or `bytes` ready for a log line.
#: The number is 0 if only log lines take it, else of this line alone, or -1 while the line is not remembered.
Field = tuple[int, str, "str | bytes"]
Values = dict[str, "str | bytes"]
#: What is left of a head: its pieces, and between them the names whose values were cut out.
Key = tuple[bytes, ...]


@dataclass(slots=True, eq=False)
class Shape:
    """What a head says whatever its request line and its loose fields are."""

    #: What stands before each value that is cut out, and behind the last of them; a value and the CR behind it are between two of these.
    pieces: tuple[bytes, ...]
    tail: bytes
    #: Stands for the lines that answers depend on, and for how many lines there are; behind a request line, a key to an answer.
    mark: bytes
    #: What log lines take, without loose fields; and which of the values that are cut out they take, under which names.
    values: Values
    logged: tuple[tuple[int, str], ...]
    #: False once other fields are loose, or taken by log lines.
    is_current: bool = True

    def cut(self, fields: bytes) -> list[bytes] | None:
        """The values that are cut out of what follows a request line and its CR; None if it has another shape.

        Costs: a comparison, a search and two copies for each value, and one pass over all values.
        """
        values: list[bytes] = []
        for piece in self.pieces:
            # These methods take one argument: others of `bytes`, which take positions, cost twice as much.
            behind = fields.removeprefix(piece)
            if behind == fields:
                return None
            value, _, fields = behind.partition(b"\r")
            values.append(value.strip(b" "))
        if fields != self.tail:
            return None
        joined = b"".join(values)
        return values if joined.translate(LOGGABLE) == joined and b"" not in values else None

    def values_with(self, loose: list[bytes]) -> Values:
        """What log lines take of a head with these values cut out, in their order."""
        if not self.logged:
            return self.values
        values = self.values.copy()
        for at, name in self.logged:
            values[name] = loose[at]
        return values


class Shapes(dict[Key, Shape]):
    """The shapes that are known, by what is left of a head when its loose values are cut out."""

    __slots__ = ("_count", "_is_second_sight", "_judge", "_marks", "_split")

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge
        self._is_second_sight = SecondSight(MARKS)
        #: Marks that were given away; none of them twice, for short cuts know shapes by them. No request line holds a CR.
        self._marks: dict[tuple[int, ...], bytes] = {}
        self._count = itertools.count(1)
        self._split = _expression(judge.loose)

    def start_again(self) -> None:
        """Other fields are loose from now on, or taken by log lines."""
        self.clear()
        self._split = _expression(self._judge.loose)

    def clear(self) -> None:
        """Forget all shapes; connections that know one look theirs up again."""
        for shape in self.values():
            shape.is_current = False
        super().clear()
        self._marks.clear()

    def cut(self, fields: bytes) -> tuple[Key, list[bytes]]:
        """What is left, and the values that were cut out, of what follows a request line and its CR.

        Nothing that is cut out holds the end of a line, so whether there are empty lines, and where, is still seen in what is left.
        """
        pieces = self._split(b"\r" + fields)
        values = pieces[2::3]
        del pieces[2::3]
        return tuple(pieces), values

    def learn(self, key: Key, found: list[Field], values: Values, count: int) -> Shape | None:
        """A head of which `cut` left `key` was taken apart by its `count` lines: `found`, `values` as `Lines.read` gave them.

        Returns its shape once it is known.
        """
        known = self.get(key)
        if known is not None or not key:
            return known
        numbers = (count, *[number for number, _, _ in found if number])
        if -1 in numbers or sum(map(len, key)) > MAX_LENGTH or not self._is_second_sight(key):
            return None
        *before, tail = key[::2]
        pieces = [piece + b"\r\n%b: " % name for piece, name in zip(before, key[1::2], strict=True)]
        names = [name.decode("ascii").lower() for name in key[1::2]]
        fixed = {name: value for name, value in values.items() if name not in names}
        logged = tuple([(at, name) for at, name in enumerate(names) if name in values])
        if len(self) >= MAX_SHAPES:
            self.clear()
        mark = self._marks.get(numbers) or self._marks.setdefault(numbers, b"\r%d" % next(self._count))
        # Each begins with a CR that ends what was before: the request line, or a value.
        shape = self[key] = Shape(tuple([piece[1:] for piece in pieces]), tail[1:], mark, fixed, logged)
        return shape


def _expression(loose: list[bytes]) -> Callable[[bytes], list[bytes]]:
    """What splits a head into pieces, and between them the names and the values of these fields."""
    return re.compile(_LOOSE % b"|".join(map(re.escape, loose)) if loose else rb"(?!)").split
