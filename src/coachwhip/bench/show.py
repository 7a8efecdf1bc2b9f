"""A run on the terminal: progress while it lasts, a table and the verdicts at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from coachwhip.bench.bars import OURS, judge
from coachwhip.bench.results import Row, Run
from coachwhip.bench.run import NO_FILES, Watch

__all__ = ["amount", "print_run", "progress"]


@contextmanager
def progress(console: Console, steps: int) -> Iterator[Watch]:
    """Show how far a run is; yields what the run tells its steps to."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Drawn seldom: the terminal's work must not take time from what is measured.
    with Progress(*columns, console=console, refresh_per_second=1, transient=True) as bar:
        task = bar.add_task("starting", total=steps)

        def watch(workload: str, server: str, what: str) -> None:
            bar.update(task, description=f"{workload}: {server} {what}", advance=0 if what == "starts" else 1)

        yield watch


def amount(value: float | None) -> str:
    """A figure for people: three places that count."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def print_run(console: Console, run: Run) -> None:
    """The table of a run, then the bars."""
    table = Table(title=f"Coachwhip bench, {run.started}, {run.rounds} rounds of {run.seconds} s", header_style="bold")
    for name in ("workload", "server", "req/s", "CPU µs/req", "±", "p50 ms", "p99 ms", "PSS MiB", "errors", "× nginx", "× Apache"):
        table.add_column(name, justify="left" if name in ("workload", "server") else "right")
    for workload in run.workloads:
        if workload.tool == "loadgen" and any("bytes_per_connection" in row.extra for row in run.rows if row.workload == workload.name):
            continue
        rows = [row for row in run.rows if row.workload == workload.name]
        for number, row in enumerate(rows):
            table.add_row(workload.title if number == 0 else "", *_cells(run, row), end_section=number == len(rows) - 1)
    console.print(table)
    for row in run.rows:
        if row.note and row.note != NO_FILES:
            console.print(f"{row.workload}, {row.server}: {row.note}", style="yellow", markup=False, highlight=False)
    _print_idle(console, run)
    _print_bars(console, run)


def _cells(run: Run, row: Row) -> list[str]:
    title = row.server
    cpu = row.spread("cpu_us")
    if cpu is None:
        return [title, "[dim]–[/]"]
    style = "bold green" if row.server == OURS else ""
    cells = [amount(row.median("rate")), amount(cpu.median), f"{cpu.relative:.0%}"]
    cells += [amount(row.median("p50_ms") or None), amount(row.median("p99_ms") or None)]
    cells += [amount((row.median("pss_kib") or 0) / 1024), str(sum(sample.errors for sample in row.samples))]
    cells += [amount(run.ratio(row.workload, "cpu_us", row.server, other)) for other in ("nginx", "apache")]
    return [f"[{style}]{title}[/]" if style else title, *cells]


def _print_idle(console: Console, run: Run) -> None:
    rows = [row for row in run.rows if "bytes_per_connection" in row.extra]
    if not rows:
        return
    table = Table(title="idle connections", header_style="bold")
    for name in ("server", "bytes each", "base MiB", "with all MiB", "idle CPU ms/s"):
        table.add_column(name, justify="left" if name == "server" else "right")
    for row in rows:
        extra = row.extra
        table.add_row(
            row.server, amount(extra["bytes_per_connection"]), amount(extra["base_kib"] / 1024), amount(extra["held_kib"] / 1024),
            amount(extra["idle_cpu_ms_per_s"]),
        )  # fmt: skip
    console.print(table)


def _print_bars(console: Console, run: Run) -> None:
    verdicts = judge(run)
    if not verdicts:
        return
    table = Table(title="bars", header_style="bold")
    for name in ("workload", "what", "bar", "found", "floor", "verdict"):
        table.add_column(name, justify="right" if name in ("bar", "found", "floor") else "left")
    for verdict in verdicts:
        style = {True: "green", False: "bold red", None: "dim"}[verdict.met]
        sign = "≥" if verdict.what.startswith("rate") else "≤"
        bar, found, floor = f"{sign} {amount(verdict.bar)}", amount(verdict.found), amount(verdict.floor)
        table.add_row(verdict.workload, verdict.what, bar, found, floor, f"[{style}]{verdict.text}[/]")
    console.print(table)
