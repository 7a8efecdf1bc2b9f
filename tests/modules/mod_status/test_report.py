"""`?auto` has Apache's keys in Apache's order; the page shows the same figures."""

from __future__ import annotations

import pytest

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.scoreboard import ProcessInfo, Slot, Totals, WorkerState
from coachwhip.modules.generators.mod_status.page import page
from coachwhip.modules.generators.mod_status.report import Report, auto_text, span_text


class Board:
    restarted = 1000.0
    config_generation = 1
    mpm_generation = 0
    mpm = "event"

    def slots(self) -> list[Slot]:
        return [Slot(WorkerState.WRITING, 7, slot_accesses=1, request="GET /<x> HTTP/1.1"), Slot(WorkerState.READY, 7)]

    def processes(self) -> list[ProcessInfo]:
        return [ProcessInfo(7, busy=1, idle=1)]

    def totals(self) -> Totals:
        return Totals(accesses=4, bytes=8192, duration_ms=2, cpu_user=0.5)

    def replay(self) -> ReplayFigures:
        return ReplayFigures(hits=3, volatile={"the clock: read": 2})

    def load(self) -> tuple[float, float, float]:
        return (1.0, 0.5, 0.25)


class Reloaded(Board):
    """One process is new, one of the generation before finishes what it has begun."""

    mpm_generation = 1

    def slots(self) -> list[Slot]:
        return [
            Slot(WorkerState.GRACEFUL, 7, 0, 0, slot_accesses=1),
            Slot(WorkerState.DEAD, 7, 0, 0),
            Slot(WorkerState.WRITING, 9, 2, 1),
            Slot(WorkerState.READY, 9, 2, 1),
        ]

    def processes(self) -> list[ProcessInfo]:
        return [ProcessInfo(7, 0, 0, stopping=True, accepting=False, connections=1, graceful=1), ProcessInfo(9, 2, 1, busy=1, idle=1)]


def reloaded(shape: tuple[int, int] = (4, 2)) -> Report:
    return Report(Reloaded(), 1010.0, "localhost", "127.0.0.1", "Apache/2.4.71", True, shape)


def report(*, extended: bool = True) -> Report:
    return Report(Board(), 1010.0, "localhost", "127.0.0.1", "Apache/2.4.71", extended)


ALWAYS = ["ServerVersion", "ServerMPM", "Server Built", "CurrentTime", "RestartTime", "ParentServerConfigGeneration",
          "ParentServerMPMGeneration", "ServerUptimeSeconds", "ServerUptime", "Load1", "Load5", "Load15"]  # fmt: skip
EXTENDED = ["Total Accesses", "Total kBytes", "Total Duration", "CPUUser", "CPUSystem", "CPUChildrenUser", "CPUChildrenSystem",
            "CPULoad", "Uptime", "ReqPerSec", "BytesPerSec", "BytesPerReq", "DurationPerReq"]  # fmt: skip
WORKERS = ["BusyWorkers", "GracefulWorkers", "IdleWorkers", "Processes", "Stopping", "ConnsTotal", "ConnsAsyncWaitIO",
           "ConnsAsyncWriting", "ConnsAsyncKeepAlive", "ConnsAsyncClosing", "Scoreboard"]  # fmt: skip
OURS = ["ReplayHits", "ReplayMisses", "ReplayEvictions", "ReplayStale", "ReplayKeptAnswers", "ReplayKeptBytes",
        "ReplayNotKept (the clock  read)"]  # fmt: skip


@pytest.mark.parametrize(("extended", "keys"), [(True, ALWAYS + EXTENDED + WORKERS + OURS), (False, ALWAYS + WORKERS)])
def test_keys_and_order(extended: bool, keys: list[str]) -> None:
    name, *lines = auto_text(report(extended=extended)).rstrip("\n").split("\n")
    assert name == "localhost"
    assert [line.partition(":")[0] for line in lines] == keys


def test_figures() -> None:
    lines = auto_text(report()).split("\n")
    assert {"Total kBytes: 8", "BytesPerReq: 2048", "CPUUser: .5", "Scoreboard: W_", "ServerUptime: 10 seconds"} <= set(lines)


def test_requests_are_escaped_on_the_page() -> None:
    text = page(report(), with_table=True, signature="")
    assert "GET /&lt;x&gt; HTTP/1.1" in text
    assert "<pre>W_</pre>" in text


def test_every_process_has_its_place_on_the_board() -> None:
    assert "Scoreboard: G...W_.." in auto_text(reloaded()).split("\n")
    assert "Scoreboard: G.....W_." in auto_text(reloaded((1, 3))).split("\n")


def test_a_process_that_stops_is_none_of_the_workers() -> None:
    lines = auto_text(reloaded()).split("\n")
    assert {"BusyWorkers: 1", "GracefulWorkers: 0", "IdleWorkers: 1", "Processes: 2", "Stopping: 1", "ConnsTotal: 1"} <= set(lines)
    text = page(reloaded(), with_table=True, signature="")
    assert "<tr><td>0</td><td>7</td><td>yes (old gen)</td><td>1</td><td>no</td><td>0</td><td>0</td><td>0</td>" in text
    assert "<tr><td>2</td><td>9</td><td>no</td><td>0</td><td>yes</td><td>1</td><td>0</td><td>1</td>" in text
    assert "<tr><td><b>0-0</b></td><td>7</td><td>0/0/1</td><td>G\n</td>" in text


def test_the_board_is_wrapped_on_the_page() -> None:
    text = page(reloaded((40, 2)), with_table=True, signature="")
    assert f"<pre>G...W_{'.' * 58}\n{'.' * 16}</pre>" in text


@pytest.mark.parametrize(("seconds", "text"), [(0, ""), (1, " 1 second"), (3603, " 1 hour 0 minutes 3 seconds")])
def test_spans(seconds: int, text: str) -> None:
    assert span_text(seconds) == text


def test_without_tables_what_is_replayed_stands_in_lines() -> None:
    table, lines = (page(report(), with_table=flag, signature="").partition("<h2>Replay</h2>\n")[2] for flag in (True, False))
    assert table.startswith("<table>\n<tr><th>Hits</th><td>3</td></tr>\n")
    assert lines.startswith("<b>Hits</b> 3<br />\n")
    assert "<table" not in lines and "<t" not in lines
    assert table.count("<tr>") == lines.count("<br />\n") == len(OURS)
