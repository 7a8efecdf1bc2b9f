"""The figures of a status report and their text forms; `?auto` as a table of keys in Apache's order. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.scoreboard import ProcessInfo, Scoreboard, Slot, Totals, WorkerState
from coachwhip.build import build_time
from coachwhip.util.strftime import strftime

__all__ = ["Report", "auto_text", "number", "replay_pairs", "span_text", "time_text"]

#: What would end a key or a line.
_KEY = re.compile(r"[^ -9;-~]+")


@dataclass(frozen=True)
class Report:
    """One look at the scoreboard."""

    board: Scoreboard
    #: Wall clock.
    now: float
    server_name: str
    local_ip: str
    software: str
    #: `ExtendedStatus`: counts and requests, not states alone.
    extended: bool
    #: How many processes there may be (`ServerLimit`), and how many slots each has (`ThreadsPerChild`).
    shape: tuple[int, int] = (1, 1)

    @cached_property
    def uptime(self) -> int:
        """Whole seconds since the (re)start."""
        return max(0, int(self.now - self.board.restarted))

    @cached_property
    def totals(self) -> Totals:
        """Sums since the start."""
        return self.board.totals()

    @property
    def whole_bytes(self) -> int:
        """The traffic in whole kilobytes, as Apache reckons rates from."""
        return self.totals.bytes // 1024 * 1024

    @cached_property
    def processes(self) -> list[ProcessInfo]:
        """The live processes."""
        return list(self.board.processes())

    @cached_property
    def slots(self) -> list[Slot]:
        """All slots."""
        return list(self.board.slots())

    @cached_property
    def replay(self) -> ReplayFigures:
        """What replay did and keeps."""
        return self.board.replay()

    @cached_property
    def letters(self) -> str:
        """One letter for each slot that there may be, process by process."""
        processes, threads = self.shape
        rows: dict[int, str] = {}
        for slot in self.slots:
            rows[slot.process] = rows.get(slot.process, "") + slot.state.value
        count = max([processes, *(number + 1 for number in rows)])
        return "".join(rows.get(number, "").ljust(threads, ".") for number in range(count))

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        """Busy, gracefully finishing, and idle slots. Those of a process that is stopping are none of them."""
        stopping = {process.number for process in self.processes if process.stopping}
        states = Counter(slot.state for slot in self.slots if slot.process not in stopping)
        graceful = states[WorkerState.GRACEFUL]
        busy = sum(count for state, count in states.items() if state.is_busy) - graceful
        return busy, graceful, states[WorkerState.READY]

    @property
    def cpu_load(self) -> float:
        """Processor seconds of all kinds."""
        totals = self.totals
        return totals.cpu_user + totals.cpu_system + totals.children_user + totals.children_system


def number(value: float) -> str:
    """As C's %g writes it, but a leading zero is dropped: ".0625"."""
    text = f"{value:g}"
    return text[1:] if text.startswith("0.") else text


def time_text(seconds: float) -> str:
    """Local time: "Monday, 23-Nov-2026 09:53:15 UTC"."""
    return strftime("%A, %d-%b-%Y %H:%M:%S %Z", seconds)


def span_text(seconds: int) -> str:
    """A duration in words, each with a blank before it: " 2 hours 1 minute 3 seconds"; "" for none."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = []
    for unit, value, larger in (("day", days, 0), ("hour", hour, days), ("minute", minute, hours), ("second", second, minutes)):
        if value or larger:
            parts.append(f" {value} {unit}{'' if value == 1 else 's'}")
    return "".join(parts)


def auto_text(report: Report) -> str:
    """The whole of `?auto`."""
    lines = [report.server_name, *(f"{key}: {value}" if value != "" else f"{key}:" for key, value in _pairs(report))]
    return "\n".join(lines) + "\n"


def _pairs(report: Report) -> Iterator[tuple[str, object]]:
    board = report.board
    yield "ServerVersion", report.software
    yield "ServerMPM", board.mpm
    yield "Server Built", build_time()
    yield "CurrentTime", time_text(report.now)
    yield "RestartTime", time_text(board.restarted)
    yield "ParentServerConfigGeneration", board.config_generation
    yield "ParentServerMPMGeneration", board.mpm_generation
    yield "ServerUptimeSeconds", report.uptime
    yield "ServerUptime", span_text(report.uptime).lstrip(" ")
    for minutes, load in zip((1, 5, 15), board.load(), strict=True):
        yield f"Load{minutes}", f"{load:.2f}"
    if report.extended:
        yield from _extended_pairs(report)
    yield from zip(("BusyWorkers", "GracefulWorkers", "IdleWorkers"), report.counts, strict=True)
    if board.mpm == "event":
        yield from _async_pairs(report.processes)
    yield "Scoreboard", report.letters
    if report.extended:
        yield from replay_pairs(report.replay)


def _extended_pairs(report: Report) -> Iterator[tuple[str, object]]:
    totals, uptime = report.totals, report.uptime
    yield "Total Accesses", totals.accesses
    yield "Total kBytes", totals.bytes // 1024
    yield "Total Duration", totals.duration_ms
    yield "CPUUser", number(totals.cpu_user)
    yield "CPUSystem", number(totals.cpu_system)
    yield "CPUChildrenUser", number(totals.children_user)
    yield "CPUChildrenSystem", number(totals.children_system)
    if report.cpu_load and uptime:
        yield "CPULoad", number(report.cpu_load / uptime * 100)
    yield "Uptime", uptime
    if uptime > 0:
        yield "ReqPerSec", number(totals.accesses / uptime)
        yield "BytesPerSec", number(report.whole_bytes / uptime)
    if totals.accesses > 0:
        yield "BytesPerReq", number(report.whole_bytes / totals.accesses)
        yield "DurationPerReq", number(totals.duration_ms / totals.accesses)


def _async_pairs(processes: list[ProcessInfo]) -> Iterator[tuple[str, object]]:
    yield "Processes", len(processes)
    yield "Stopping", sum(process.stopping for process in processes)
    yield "ConnsTotal", sum(process.connections for process in processes)
    yield "ConnsAsyncWaitIO", sum(process.wait_io for process in processes)
    yield "ConnsAsyncWriting", sum(process.writing for process in processes)
    yield "ConnsAsyncKeepAlive", sum(process.keep_alive for process in processes)
    yield "ConnsAsyncClosing", sum(process.closing for process in processes)


def replay_pairs(figures: ReplayFigures) -> Iterator[tuple[str, object]]:
    """What Apache has no key for: answers given again, and why others could not be."""
    yield "ReplayHits", figures.hits
    yield "ReplayMisses", figures.misses
    yield "ReplayEvictions", figures.evictions
    yield "ReplayStale", figures.stale
    yield "ReplayKeptAnswers", figures.entries
    yield "ReplayKeptBytes", figures.memory
    for reason, count in sorted(figures.volatile.items()):
        yield f"ReplayNotKept ({_KEY.sub(' ', reason)})", count
