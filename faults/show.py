"""The table at the end: with colours for people, plain text for pipes, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from faults.rows import Bar, Row, Verdict

__all__ = ["print_verdicts", "table_lines", "write_json"]


def _number(figure: float) -> str:
    if math.isinf(figure):
        return "never"
    return f"{figure:.0f}" if figure == int(figure) or abs(figure) >= 100 else f"{figure:.2f}"


def _lines(verdict: Verdict) -> Iterator[tuple[str, str, str, str]]:
    """(what, figure, bar, outcome) of one row."""
    if verdict.absent or verdict.error:
        yield (verdict.absent or verdict.error), "", "", "absent" if verdict.absent else "missed"
        return
    for bar in verdict.row.bars:
        figure = verdict.figures.get(bar.name)
        if figure is None and bar not in verdict.missed:
            continue
        unit = f" {bar.unit}" if bar.unit and figure is not None and not math.isinf(figure) else ""
        yield bar.name, "not measured" if figure is None else _number(figure) + unit, str(bar), _outcome(verdict, bar)


def _outcome(verdict: Verdict, bar: Bar) -> str:
    if bar in verdict.missed:
        return "missed"
    return "" if bar.most is None and bar.least is None else "passed"


_STYLES = {"missed": "bold red", "passed": "green", "absent": "yellow", "": ""}


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print every figure of every row beside its bar."""
    if sys.stdout.isatty():
        _print_rich(verdicts)
    else:
        for verdict in verdicts:
            print(f"{verdict.row.id}  {verdict.row.title}  ({verdict.seconds:.0f} s)")
            for what, figure, bar, outcome in _lines(verdict):
                print(f"    {what:<44} {figure:>14}   {bar:<14} {outcome}".rstrip())


def _print_rich(verdicts: Sequence[Verdict]) -> None:
    table = Table("", "fault", "what", "figure", "bar", "")
    for verdict in verdicts:
        for number, (what, figure, bar, outcome) in enumerate(_lines(verdict)):
            name, title = (verdict.row.id, verdict.row.title) if number == 0 else ("", "")
            table.add_row(name, title, what, figure, bar, f"[{_STYLES[outcome]}]{outcome}[/]" if outcome else "")
        table.add_section()
    Console().print(table)


def table_lines(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as lines of the table in README.md."""
    for row in rows:
        bars = "; ".join(f"{bar.name} {bar}" for bar in row.bars if bar.most is not None or bar.least is not None)
        yield f"| {row.id} | {row.title} | {row.how} | {bars} |"


def write_json(verdicts: Sequence[Verdict], path: Path, server: str, is_long: bool) -> None:
    """Write every figure, bar and outcome; a figure that never came is null."""
    rows = [
        {
            "id": verdict.row.id,
            "title": verdict.row.title,
            "passed": verdict.passed,
            "absent": verdict.absent,
            "error": verdict.error,
            "seconds": round(verdict.seconds, 1),
            "figures": [
                {
                    "name": bar.name,
                    "unit": bar.unit,
                    "figure": figure if math.isfinite(figure := verdict.figures.get(bar.name, math.inf)) else None,
                    "bar": str(bar),
                    "missed": bar in verdict.missed,
                }
                for bar in verdict.row.bars
            ],
        }
        for verdict in verdicts
    ]
    path.write_text(json.dumps({"server": server, "long": is_long, "rows": rows}, indent=1) + "\n")
