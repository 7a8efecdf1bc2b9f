"""Two saved runs side by side: CPU per request and requests per second of every row that both have."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from coachwhip.bench.results import Row, Run
from coachwhip.bench.show import amount

__all__ = ["Change", "changes", "print_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """One row in both runs; ratios are the second run's over the first's."""

    workload: str
    server: str
    cpu_before: float
    cpu_after: float
    rate_ratio: float

    #: The ranges of the two do not touch.
    is_clear: bool

    @property
    def cpu_ratio(self) -> float:
        """CPU per request, after over before; lower is better."""
        return self.cpu_after / self.cpu_before if self.cpu_before else 0.0


def changes(before: Run, after: Run) -> list[Change]:
    """What both runs have, in the order of the second."""
    pairs = [(before.row(row.workload, row.server), row) for row in after.rows]
    return [change for old, new in pairs if old is not None and (change := _change(old, new)) is not None]


def _change(old: Row, new: Row) -> Change | None:
    a, b = old.spread("cpu_us"), new.spread("cpu_us")
    rate_a, rate_b = old.median("rate"), new.median("rate")
    if a is None or b is None or not rate_a or rate_b is None:
        return None
    return Change(new.workload, new.server, a.median, b.median, rate_b / rate_a, a.high < b.low or b.high < a.low)


def print_changes(console: Console, before: Run, after: Run) -> None:
    """The table of `coachwhip bench compare`."""
    table = Table(title=f"{before.started} → {after.started}", header_style="bold", caption="dim: the ranges of the two runs touch")
    for name in ("workload", "server", "CPU µs before", "after", "CPU ×", "req/s ×"):
        table.add_column(name, justify="left" if name in ("workload", "server") else "right")
    for change in changes(before, after):
        style = ("green" if change.cpu_ratio < 1 else "red") if change.is_clear else "dim"
        table.add_row(
            change.workload, change.server, amount(change.cpu_before), amount(change.cpu_after), f"{change.cpu_ratio:.2f}",
            f"{change.rate_ratio:.2f}", style=style,
        )  # fmt: skip
    console.print(table)
