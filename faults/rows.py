"""What a row is: a fault that is brought about on purpose, what is measured meanwhile, and what each figure may be.

A row is a function from a `Stage` to figures by name, declared with `fault(...)`; its docstring is how the fault is injected. Nothing here
starts anything: `rig.py` has the server, `load.py` the clients, `show.py` the table.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.rig import Server

__all__ = ["ROWS", "Bar", "Figures", "NotHere", "Row", "Stage", "Verdict", "fault", "hold", "judge"]

Figures = Mapping[str, float]


class NotHere(Exception):
    """A row that this server or this machine cannot hold; the text says why. It counts neither as passed nor as missed."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What the figure `name` may be at most or at least; a bar without both only tells the figure.

    `timed`: it depends on how busy the machine is, so only the command judges it, never a test. `is_long`: the short form has no such
    figure.
    """

    name: str
    unit: str = ""
    most: float | None = None
    least: float | None = None
    timed: bool = False
    is_long: bool = False

    def holds(self, figure: float) -> bool:
        """Whether the figure is within."""
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.most is not None and self.most == self.least:
            return f"{self.most:g}{unit}"
        if self.most is not None:
            return "0" if self.most == 0 else f"≤ {self.most:g}{unit}"
        return f"≥ {self.least:g}{unit}" if self.least is not None else "told"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a row is held: which server, and how much of it. The long form has the numbers that the bars speak of."""

    server: Server
    is_long: bool = False

    def pick(self, short: int, long: int) -> int:
        """One of two sizes."""
        return long if self.is_long else short


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    id: str
    title: str
    bars: tuple[Bar, ...]
    hold: Callable[[Stage], Figures]

    @property
    def how(self) -> str:
        """How the fault is injected, in a sentence or two."""
        return " ".join((inspect.getdoc(self.hold) or "").split())


#: Every row by its id, in the order of the files that declare them.
ROWS: dict[str, Row] = {}


def fault(name: str, title: str, *bars: Bar) -> Callable[[Callable[[Stage], Figures]], Callable[[Stage], Figures]]:
    """Declare a row; the function is given back as it is."""

    def declare(function: Callable[[Stage], Figures]) -> Callable[[Stage], Figures]:
        if name in ROWS:
            raise ValueError(f"{name} is declared twice")
        ROWS[name] = Row(name, title, bars, function)
        return function

    return declare


@dataclass(slots=True)
class Verdict:
    """What came of one row. `error`: it could not be held to its end, which counts as missed."""

    row: Row
    figures: Figures = field(default_factory=dict)
    missed: list[Bar] = field(default_factory=list)
    error: str = ""
    absent: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every bar held; a row that is absent has not missed anything."""
        return not self.missed and not self.error


def judge(row: Row, figures: Figures, *, timed: bool = True, is_long: bool = True) -> list[Bar]:
    """The bars that are missed; a figure that was not measured is missed too.

    Not `timed`: only by what no busy machine can move; but what never came to pass is missed all the same.
    """
    return [bar for bar in row.bars if (is_long or not bar.is_long) and not _holds(bar, figures.get(bar.name), timed)]


def _holds(bar: Bar, figure: float | None, timed: bool) -> bool:
    if figure is None:
        return False
    return (bar.timed and not timed and figure < inf) or bar.holds(figure)


def hold(row: Row, stage: Stage, *, timed: bool = True) -> Verdict:
    """Hold a row, and judge it."""
    verdict, began = Verdict(row), time.monotonic()
    try:
        verdict.figures = row.hold(stage)
        verdict.missed = judge(row, verdict.figures, timed=timed, is_long=stage.is_long)
    except NotHere as reason:
        verdict.absent = str(reason)
    except Exception as error:
        verdict.error = f"{type(error).__name__}: {error}"
    verdict.seconds = time.monotonic() - began
    return verdict
