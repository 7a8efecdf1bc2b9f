"""`coachwhip bench`: the command line of the bench, a thin face on `coachwhip.bench`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from coachwhip.bench import bars, compare, plots, report, results, show
from coachwhip.bench.contenders import CONTENDERS, found
from coachwhip.bench.drive import Driver
from coachwhip.bench.launch import choose_cores
from coachwhip.bench.run import NO_FILES, Bench
from coachwhip.bench.workloads import WORKLOADS, Workload, named

__all__ = ["run"]

#: The first word, where it is none of these, belongs to a run.
VERBS = ("compare", "report", "plot", "show")


def run(arguments: list[str]) -> int:
    """Run the bench or show what it saved; returns the exit status."""
    if sys.platform != "linux":
        print("coachwhip bench: it reads /proc, so it needs Linux", file=sys.stderr)
        return 1
    try:
        if arguments and arguments[0] in VERBS:
            return _with_saved(arguments[0], arguments[1:])
        return _bench(_parser().parse_args(arguments))
    except (LookupError, results.BadResult, plots.NoPlots, OSError) as error:
        print(f"coachwhip bench: {error.args[0] if isinstance(error, LookupError) else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("coachwhip bench: stopped; the workloads that were finished are saved", file=sys.stderr)
        return 130


def _console() -> Console:
    """The terminal; a file or pipe gets lines wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=150)


def _count(text: str) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 on")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coachwhip bench",
        description="Load this and the other servers found on the machine, on loopback only, with equivalent configurations.",
        epilog="Saved runs: bench show FILE, bench compare FILE FILE, bench report FILE (Markdown), bench plot FILE [DIR].",
    )
    parser.add_argument("--list", action="store_true", help="list workloads and servers, and end")
    parser.add_argument("--workload", action="append", default=[], metavar="NAME", help="only this workload; may be repeated, or a,b")
    parser.add_argument("--servers", metavar="A,B", help="only these servers (default: all that are installed)")
    parser.add_argument("--rounds", type=_count, metavar="N", help="rounds for each server and workload (default 5)")
    parser.add_argument("--seconds", type=_count, metavar="N", help="seconds of load in a round (default 3)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 1 second, for a first look")
    parser.add_argument("--own-generator", action="store_true", help="make load with the bench's own generator, not wrk and ab")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where results and charts go (default bench-DATE)")
    parser.add_argument("--no-plots", action="store_true", help="draw no charts")
    return parser


def _bench(asked: argparse.Namespace) -> int:
    console = _console()
    if asked.list:
        _list(console)
        return 0
    workloads = _workloads(asked.workload)
    contenders = found(asked.servers.split(",") if asked.servers else None)
    rounds = asked.rounds or (2 if asked.quick else 5)
    cores = choose_cores()
    if cores.server is None:
        console.print("[yellow]server and generator share the cores: requests per second say little here[/]")
    driver = Driver(cores.load, asked.seconds or (1 if asked.quick else 3), asked.own_generator)
    out: Path = asked.out or Path(time.strftime("bench-%Y%m%d-%H%M%S"))
    out.mkdir(parents=True, exist_ok=True)
    file = out / "result.json"
    # Told to end, the bench ends its servers too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with show.progress(console, len(workloads) * len(contenders) * rounds) as watch:
        result = Bench(contenders, workloads, rounds, cores, driver, watch, lambda done: results.save(done, file)).run()
    show.print_run(console, result)
    console.print(f"saved in {file}", markup=False)
    if not asked.no_plots:
        _plot(console, result, out)
    return 0 if all(row.samples or row.extra or row.note == NO_FILES for row in result.rows) else 3


def _workloads(names: list[str]) -> list[Workload]:
    wanted = [name for word in names for name in word.split(",")]
    known = [workload.name for workload in WORKLOADS]
    for name in wanted:
        if name not in known:
            raise LookupError(f"there is no workload '{name}'; known are {', '.join(known)}")
    return [named(name) for name in wanted] or list(WORKLOADS)


def _list(console: Console) -> None:
    console.print("[bold]workloads[/]")
    for workload in WORKLOADS:
        limits = [f"≤ {limit} × {other}" for other, limit in bars.RATIOS.get(workload.name, {}).items()]
        console.print(f"  {workload.name:<12}{workload.title}" + (f"  [dim]CPU {', '.join(limits)}[/]" if limits else ""), highlight=False)
    console.print("[bold]servers[/]")
    for contender in CONTENDERS:
        where = contender.find()
        state = "not installed" if not where else "takes part" if contender.default else "only with --servers"
        console.print(f"  {contender.key:<20}{contender.title:<30}{state}", highlight=False)


def _plot(console: Console, result: results.Run, folder: Path) -> None:
    try:
        for path in plots.draw(result, folder):
            console.print(f"drawn  {path}", markup=False)
    except plots.NoPlots as error:
        console.print(str(error), style="yellow", markup=False)


def _with_saved(verb: str, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"coachwhip bench {verb}")
    parser.add_argument("file", type=Path, metavar="FILE", help="a result.json that the bench saved")
    if verb == "compare":
        parser.add_argument("second", type=Path, metavar="FILE", help="the later run")
    if verb == "plot":
        parser.add_argument("folder", type=Path, nargs="?", default=Path(), metavar="DIR", help="where the charts go (default: here)")
    asked = parser.parse_args(arguments)
    result, console = results.load(asked.file), _console()
    if verb == "compare":
        compare.print_changes(console, result, results.load(asked.second))
    elif verb == "report":
        sys.stdout.write(report.markdown(result, asked.file.name))
    elif verb == "show":
        show.print_run(console, result)
    else:
        asked.folder.mkdir(parents=True, exist_ok=True)
        for path in plots.draw(result, asked.folder):
            print(path)
    return 0
