"""Heads by their shape: all of a head but its request line and the values of the fields that differ from client to client.

One expression cuts those values out and judges them; what is left is looked up as it is. A shape is learned from a head that was taken
apart by its lines, so whatever has a known shape and good values is as valid as that head was, and depends on the same lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.connection.judging import LOGGABLE, Judge, SecondSight
from coachwhip.connection.lines import Field, Values

__all__ = ["Key", "Shape", "Shapes"]

#: Shapes that are remembered; when there are more, they are learned again. Longer ones are not remembered.
MAX_SHAPES = 4096
MAX_LENGTH = 4096
#: A loose field whose value may stand in a log line as it is: no end of a line, quote or backslash, no blank at either end.
_LOOSE = rb"\r\n(%b): ((?! )[ !#-\[\]-~]++(?<! ))(?=\r)"
#: What is left of a head: its pieces, and between them the names whose values were cut out.
Key = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a head says whatever its request line and its loose fields are."""

    #: What stands before each value that is cut out, with its length; and what stands behind the last.
    pieces: tuple[tuple[bytes, int], ...]
    tail: bytes
    #: Of the lines that answers depend on.
    numbers: tuple[int, ...]
    #: What log lines take, without loose fields; and which of the values that are cut out they take, under which names.
    values: Values
    logged: tuple[tuple[int, str], ...]
    #: Lines in the head; and what `Judge.version` was.
    count: int
    version: int

    def cut(self, head: bytes, at: int) -> list[bytes] | None:
        """The values that are cut out of a head whose request line ends at `at`; None if it has another shape.

        Costs: a comparison, a search and a slice for each, and one pass over all of them.
        """
        values: list[bytes] = []
        for piece, length in self.pieces:
            if not head.startswith(piece, at):
                return None
            start = at + length
            at = head.find(b"\r", start)
            values.append(head[start:at].strip(b" "))
        if head[at:] != self.tail or b"" in values:
            return None
        joined = b"".join(values)
        return values if joined.translate(LOGGABLE) == joined else None

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

    __slots__ = ("_is_second_sight", "_judge", "_split", "_version")

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge
        self._is_second_sight = SecondSight()
        self._version = judge.version
        self._split = _expression(judge.loose)

    def cut(self, head: bytes, end: int) -> tuple[Key, list[bytes]]:
        """What is left, and the values that were cut out, of a head whose request line ends at `end`.

        Nothing that is cut out holds the end of a line, so whether there are empty lines, and where, is still seen in what is left.
        """
        if self._judge.version != self._version:
            # Other fields are loose from now on, or taken by log lines.
            self.clear()
            self._version = self._judge.version
            self._split = _expression(self._judge.loose)
        pieces = self._split(head[end:])
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
        numbers = tuple([number for number, _, _ in found if number])
        if -1 in numbers or sum(map(len, key)) > MAX_LENGTH or not self._is_second_sight(key):
            return None
        *before, tail = key[::2]
        pieces = [piece + b"\r\n%b: " % name for piece, name in zip(before, key[1::2], strict=True)]
        names = [name.decode("ascii").lower() for name in key[1::2]]
        fixed = {name: value for name, value in values.items() if name not in names}
        logged = tuple([(at, name) for at, name in enumerate(names) if name in values])
        if len(self) >= MAX_SHAPES:
            self.clear()
        shape = self[key] = Shape(
            tuple([(piece, len(piece)) for piece in pieces]), tail, numbers, fixed, logged, count, self._version
        )
        return shape


def _expression(loose: list[bytes]) -> Callable[[bytes], list[bytes]]:
    """What splits a head into pieces, and between them the names and the values of these fields."""
    return re.compile(_LOOSE % b"|".join(map(re.escape, loose)) if loose else rb"(?!)").split
