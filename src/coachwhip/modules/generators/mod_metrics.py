"""mod_metrics -- the handler `prometheus-metrics`: the scoreboard's counters in Prometheus' text format.

The module and its names are ours; Apache has no counterpart. The figures are those of `server-status`; `_total` counts from the
start of the parent process, workers that are gone included. Source of the format: Prometheus documentation, "Exposition formats"
(text, version 0.0.4), and its rules for naming metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coachwhip.api import Data, End, Module, Outcome, Request, Result, phases
from coachwhip.api.identity import software
from coachwhip.api.replay import ReplayFigures
from coachwhip.api.scoreboard import ProcessInfo, Scoreboard, Totals, WorkerState, wants_counters

__all__ = ["MODULE", "Family", "families", "metrics_text"]

MODULE = Module("metrics_module", "mod_metrics.c", replayable=True)
LOG = MODULE.log

HANDLER = "prometheus-metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: (label, value) pairs of one sample, and its value.
Sample = tuple[tuple[tuple[str, str], ...], float]
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its samples."""

    #: Without the prefix.
    name: str
    #: "counter" or "gauge".
    type: str
    #: One line.
    help: str
    samples: tuple[Sample, ...]


@MODULE.hook(phases.handler, handlers=(HANDLER,))
def show_metrics(r: Request) -> Result:
    """Answer with all metrics."""
    if not wants_counters(r):
        return Outcome.DECLINED
    board = r.engine.startup.scoreboard
    if board is None:
        LOG.error(r, "", "there is no scoreboard to read metrics from")
        return 500
    r.set_content_type(CONTENT_TYPE)
    text = metrics_text(families(board, r.now(), software(r)))
    r.send(Data(text.encode("utf-8", "replace")), End())
    return Outcome.OK


def metrics_text(found: Iterable[Family]) -> str:
    """The text of these families."""
    return "".join(line for family in found for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = f"coachwhip_{family.name}"
    yield f"# HELP {name} {family.help}\n# TYPE {name} {family.type}\n"
    for labels, value in family.samples:
        inside = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
        yield f"{name}{{{inside}}} {value}\n" if inside else f"{name} {value}\n"


def families(board: Scoreboard, now: float, software: str) -> Iterator[Family]:
    """All metrics, read off the scoreboard; `now` is the wall clock."""
    about = (("mpm", board.mpm), ("server", software))
    yield Family("info", "gauge", "What is running; always 1.", ((about, 1),))
    yield _one("start_time_seconds", "gauge", "When the server was started, in seconds since 1970.", board.restarted)
    yield _one("uptime_seconds", "gauge", "Seconds since the server was started.", max(0.0, now - board.restarted))
    yield _one("generation", "gauge", "Number of the process generation at work; it grows with every reload.", board.mpm_generation)
    yield from _of_requests(board.totals())
    yield from _of_processes(board.processes())
    states = Counter(slot.state for slot in board.slots())
    counts = {state.name.lower(): states[state] for state in WorkerState if state is not WorkerState.DEAD}
    yield _by("workers", "gauge", "Worker slots by what they are doing.", "state", counts)
    yield from _of_replay(board.replay())


def _of_requests(totals: Totals) -> Iterator[Family]:
    yield _one("requests_total", "counter", "Requests answered.", totals.accesses)
    yield _one("bytes_sent_total", "counter", "Bytes sent, heads included.", totals.bytes)
    yield _one("request_duration_seconds_total", "counter", "Sum of the durations of all requests.", totals.duration_ms / 1000)
    cpu = (
        (("user", "workers"), totals.cpu_user),
        (("system", "workers"), totals.cpu_system),
        (("user", "children"), totals.children_user),
        (("system", "children"), totals.children_system),
    )
    samples = tuple([((("mode", mode), ("process", process)), value) for (mode, process), value in cpu])
    yield Family("cpu_seconds_total", "counter", "Processor time of the workers and of the programs they ran.", samples)
    yield _one("log_lines_lost_total", "counter", "Log lines that no file, program or system logger took.", totals.lost_lines)


def _of_processes(processes: Iterable[ProcessInfo]) -> Iterator[Family]:
    processes = list(processes)
    stopping = sum(process.stopping for process in processes)
    counts = {"serving": len(processes) - stopping, "stopping": stopping}
    yield _by("processes", "gauge", "Worker processes by whether they take new connections.", "state", counts)
    asynchronous = {
        "waiting": sum(process.wait_io for process in processes),
        "writing": sum(process.writing for process in processes),
        "keepalive": sum(process.keep_alive for process in processes),
        "closing": sum(process.closing for process in processes),
    }
    active = sum(process.connections for process in processes) - sum(asynchronous.values())
    help = "Open connections by state; active: a request is being read or answered."
    yield _by("connections", "gauge", help, "state", {"active": max(0, active), **asynchronous})
    memory = {str(process.number): process.memory for process in processes}
    yield _by("resident_memory_bytes", "gauge", "Memory of each worker process.", "slot", memory)


def _of_replay(figures: ReplayFigures) -> Iterator[Family]:
    yield _one("replay_hits_total", "counter", "Answers that were given again.", figures.hits)
    yield _one("replay_misses_total", "counter", "Answers that were made anew.", figures.misses)
    yield _one("replay_evictions_total", "counter", "Kept answers dropped for want of room.", figures.evictions)
    yield _one("replay_stale_total", "counter", "Kept answers dropped because something they were made from changed.", figures.stale)
    yield _by("replay_volatile_total", "counter", "Answers that could not be kept, by the reason.", "reason", dict(figures.volatile))
    yield _one("replay_entries", "gauge", "Answers kept now.", figures.entries)
    yield _one("replay_memory_bytes", "gauge", "Memory that kept answers take.", figures.memory)


def _one(name: str, type: str, help: str, value: float) -> Family:
    return Family(name, type, help, (((), value),))


def _by(name: str, type: str, help: str, label: str, values: dict[str, float] | dict[str, int]) -> Family:
    """One sample for each value of a label."""
    return Family(name, type, help, tuple([(((label, key),), value) for key, value in sorted(values.items())]))
