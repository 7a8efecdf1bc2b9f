"""Plots as SVG, from the stored figures: bars and a table of colours, nothing more, so no library is needed.

A drawing is a list of elements with a size; it knows no server and no language, only labels and numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

FONT = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
INK, FAINT, PAPER = "#22303c", "#d5dbe1", "#ffffff"
COLOURS = ("#2a9d8f", "#e76f51")
LEFT, RIGHT, TOP, ROW = 250, 110, 74, 30
WIDTH = 900


Row = tuple[str, Sequence[float | None]]


@dataclass(slots=True)
class Drawing:
    """SVG elements on white paper, so that it can be read on a dark page too."""

    height: int
    title: str
    elements: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, *, size: int = 13, anchor: str = "start", ink: str = INK) -> None:
        """Write a line of text; `anchor` is start, middle or end."""
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{ink}"'
        self.elements.append(f"<text {place}>{escape(words)}</text>")

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height:.1f}"'
        self.elements.append(f'<rect {place} rx="2" fill="{colour}"/>')

    def line(self, x: float, top: float, bottom: float) -> None:
        """Draw an upright of the grid."""
        self.elements.append(f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{FAINT}"/>')

    def svg(self) -> str:
        """Return the finished file."""
        size = f'viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" height="{self.height}"'
        start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" role="img">'
        paper = f'<rect width="{WIDTH}" height="{self.height}" rx="8" fill="{PAPER}"/>'
        return "\n".join([start, f"<title>{escape(self.title)}</title>", paper, *self.elements, "</svg>\n"])


def bars(words: Sequence[str], rows: Sequence[Row], *, logarithmic: bool = False) -> str:
    """Draw one or two bars a row; `words` are title, note and the names of the series (if there are two).

    A missing value is a dash; on a logarithmic scale the bars begin at a power of ten.
    """
    title, note, *legend = words
    drawing = Drawing(TOP + ROW * len(rows) + 44, title)
    drawing.text(20, 30, title, size=18)
    drawing.text(20, 52, note, ink="#66727d")
    for index, name in enumerate(legend):
        drawing.box(WIDTH - 190, 20 + 18 * index, 12, 12, COLOURS[index])
        drawing.text(WIDTH - 172, 30 + 18 * index, name, size=12)
    known = [value for _, values in rows for value in values if value]
    low = 10 ** math.floor(math.log10(min(known))) if logarithmic else 0.0
    bottom = TOP + ROW * len(rows)

    def place(value: float) -> float:
        share = math.log(value / low) / math.log(max(known) / low) if logarithmic else value / max(known)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    for mark in marks(low, max(known)):
        drawing.line(place(mark), TOP - 6, bottom)
        drawing.text(place(mark), bottom + 18, f"{mark:,.0f}", size=11, anchor="middle", ink="#66727d")
    for number, (label, values) in enumerate(rows):
        y = TOP + ROW * number
        drawing.text(LEFT - 12, y + 17, label, anchor="end")
        thickness = 20 / len(values)
        for index, value in enumerate(values):
            top = y + 2 + index * (thickness + 1)
            if value:
                drawing.box(LEFT, top, place(value) - LEFT, thickness, COLOURS[index])
            words = f"{value:,.0f}" if value else "–" if value is None else "0"
            drawing.text((place(value) if value else LEFT) + 6, top + thickness / 2 + 4, words, size=11)
    return drawing.svg()


def marks(low: float, high: float) -> list[float]:
    """Return round numbers for a grid: powers of ten from `low` on, or about five steps if `low` is 0."""
    if low:
        return [low * 10**power for power in range(int(math.log10(high / low)) + 1)]
    power = 10 ** math.floor(math.log10(high))
    step = next(size * power for size in (0.1, 0.2, 0.5, 1, 2) if high / (size * power) <= 6)
    return [step * number for number in range(int(high / step) + 1)]


def colour_table(words: Sequence[str], columns: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Draw shares between 0 and 1 as a table whose cells go from red to green; `words` are title and note."""
    title, note = words
    drawing = Drawing(TOP + ROW * (len(rows) + 1) + 16, title)
    drawing.text(20, 30, title, size=18)
    drawing.text(20, 52, note, ink="#66727d")
    width = (WIDTH - LEFT - 20) / len(columns)
    for index, column in enumerate(columns):
        drawing.text(LEFT + width * (index + 0.5), TOP + 18, column, size=12, anchor="middle")
    for number, (label, shares) in enumerate(rows, 1):
        y = TOP + ROW * number
        drawing.text(LEFT - 12, y + 18, label, anchor="end")
        for index, share in enumerate(shares):
            drawing.box(LEFT + width * index + 2, y + 2, width - 4, ROW - 4, shade(share))
            drawing.text(LEFT + width * (index + 0.5), y + 19, f"{min(share, 1):.0%}", size=12, anchor="middle")
    return drawing.svg()


def shade(share: float) -> str:
    """Return red for 0, sand for a half, green for 1 and above."""
    stops = ((244, 150, 130), (246, 226, 170), (150, 214, 190))
    position = min(max(share, 0.0), 1.0) * 2
    first = min(int(position), 1)
    mixed = [a + (b - a) * (position - first) for a, b in zip(stops[first], stops[first + 1], strict=True)]
    return "#" + "".join(f"{round(part):02x}" for part in mixed)
