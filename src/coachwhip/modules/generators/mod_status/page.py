"""The status page for people: figures, scoreboard, and a table of what each worker did last. Pure; layout as Apache's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from coachwhip.api.scoreboard import Slot, WorkerState
from coachwhip.build import build_time
from coachwhip.modules.generators.mod_status.report import Report, number, replay_pairs, span_text, time_text
from coachwhip.util.escapes import escape_html

__all__ = ["page"]

_HEAD = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html><head>
<title>Apache Status</title>
</head><body>
"""
_KEY = (
    ("_", "Waiting for Connection", ", "),
    ("S", "Starting up", ", "),
    ("R", "Reading Request", ",<br />"),
    ("W", "Sending Reply", ", "),
    ("K", "Keepalive (read)", ", "),
    ("D", "DNS Lookup", ",<br />"),
    ("C", "Closing connection", ", "),
    ("L", "Logging", ", "),
    ("G", "Gracefully finishing", ",<br /> "),
    ("I", "Idle cleanup of worker", ", "),
    (".", "Open slot with no current process", "<br />"),
)
_COLUMNS = (
    (" ", "Srv", "Child Server number - generation"),
    (" ", "PID", "OS process ID"),
    (" ", "Acc", "Number of accesses this connection / this child / this slot"),
    (" ", "M", "Mode of operation"),
    ("", "CPU", "CPU usage, number of seconds"),
    ("", "SS", "Seconds since beginning of most recent request"),
    (" ", "Req", "Milliseconds required to process most recent request"),
    (" ", "Dur", "Sum of milliseconds required to process all requests"),
    (" ", "Conn", "Kilobytes transferred this connection"),
    (" ", "Child", "Megabytes transferred this child"),
    (" ", "Slot", "Total megabytes transferred this slot"),
)
_ASYNC_HEAD = """
<table rules="all" cellpadding="1%">
<tr><th rowspan="2">Slot</th><th rowspan="2">PID</th><th rowspan="2">Stopping</th><th colspan="2">Connections</th>
<th colspan="3">Threads</th><th colspan="4">Async connections</th></tr>
<tr><th>total</th><th>accepting</th><th>busy</th><th>graceful</th><th>idle</th><th>wait-io</th><th>writing</th>\
<th>keep-alive</th><th>closing</th></tr>
"""
#: States whose letter is not bold in the table.
_PLAIN = (WorkerState.READY, WorkerState.DEAD, WorkerState.GRACEFUL)
_LINE_OF_SLOTS = re.compile(".{64}")
_WORDS = {
    WorkerState.READY: "Ready",
    WorkerState.STARTING: "Starting",
    WorkerState.READING: "<b>Read</b>",
    WorkerState.WRITING: "<b>Write</b>",
    WorkerState.KEEPALIVE: "<b>Keepalive</b>",
    WorkerState.LOGGING: "<b>Logging</b>",
    WorkerState.DNS: "<b>DNS lookup</b>",
    WorkerState.CLOSING: "<b>Closing</b>",
    WorkerState.DEAD: "Dead",
    WorkerState.GRACEFUL: "Graceful",
    WorkerState.IDLE_KILL: "Dying",
}


def page(report: Report, *, with_table: bool, signature: str) -> str:
    """The whole page; without a table the workers are listed as text (`?notable`)."""
    parts = [_HEAD, *_figures(report)]
    if report.board.mpm == "event":
        parts += ["\n", *_processes(report)]
    parts += [f"<pre>{_wrapped(report.letters)}</pre>\n", *_legend()]
    if not report.extended:
        parts += [*_states(report), _HINT]
    else:
        parts += _table(report) if with_table else _list(report)
        parts += _replay(report, with_table=with_table)
    return "".join([*parts, signature, "</body></html>\n"])


_HINT = (
    "<hr />To obtain a full report with current status information you need to use the <code>ExtendedStatus On</code> "
    "directive.\n"
)


def _figures(report: Report) -> Iterator[str]:
    board = report.board
    name = escape_html(report.server_name)
    yield f"<h1>Apache Server Status for {name} (via {report.local_ip})</h1>\n\n"
    yield f"<dl><dt>Server Version: {escape_html(report.software)}</dt>\n<dt>Server MPM: {board.mpm}</dt>\n"
    yield f"<dt>Server Built: {build_time()}\n</dt></dl><hr /><dl>\n"
    yield f"<dt>Current Time: {time_text(report.now)}</dt>\n<dt>Restart Time: {time_text(board.restarted)}</dt>\n"
    yield f"<dt>Parent Server Config. Generation: {board.config_generation}</dt>\n"
    yield f"<dt>Parent Server MPM Generation: {board.mpm_generation}</dt>\n"
    yield f"<dt>Server uptime: {span_text(report.uptime)}</dt>\n"
    one, five, fifteen = board.load()
    yield f"<dt>Server load: {one:.2f} {five:.2f} {fifteen:.2f}</dt>\n"
    if report.extended:
        yield from _extended_figures(report)
    busy, graceful, idle = report.counts
    yield f"<dt>{busy} requests currently being processed, {graceful} workers gracefully restarting, "
    yield f"{idle} idle workers</dt>\n</dl>"


def _wrapped(letters: str) -> str:
    """A line end behind every 64th."""
    return _LINE_OF_SLOTS.sub(r"\g<0>\n", letters)


def _extended_figures(report: Report) -> Iterator[str]:
    totals, uptime = report.totals, report.uptime
    yield f"<dt>Total accesses: {totals.accesses} - Total Traffic: {_traffic(totals.bytes)} - "
    yield f"Total Duration: {totals.duration_ms}</dt>\n"
    usage = f"u{number(totals.cpu_user)} s{number(totals.cpu_system)} "
    usage += f"cu{number(totals.children_user)} cs{number(totals.children_system)}"
    load = f" - {report.cpu_load / uptime * 100:.3g}% CPU load" if uptime and report.cpu_load else ""
    yield f"<dt>CPU Usage: {usage}{load}</dt>\n<dt>"
    rates = [f"{totals.accesses / uptime:.3g} requests/sec", f"{_bytes(report.whole_bytes / uptime)}/second"] if uptime else []
    if totals.accesses:
        rates += [f"{_bytes(report.whole_bytes / totals.accesses)}/request", f"{number(totals.duration_ms / totals.accesses)} ms/request"]
    yield " - ".join(rates) + "</dt>\n"


def _bytes(size: float) -> str:
    """Exact up to 5 kB; a unit is used from half of it on."""
    if size < 5 << 10:
        return f"{int(size)} B"
    for unit, shift in (("kB", 10), ("MB", 20)):
        if size < 1 << (shift + 9):
            return f"{size / (1 << shift):.1f} {unit}"
    return f"{size / (1 << 30):.1f} GB"


def _traffic(size: int) -> str:
    """The sum of all traffic, which Apache keeps in kilobytes."""
    if size < 1 << 20:
        return f"{size >> 10} kB"
    return f"{size / (1 << 20):.1f} MB" if size < 1 << 30 else f"{size / (1 << 30):.1f} GB"


def _processes(report: Report) -> Iterator[str]:
    yield _ASYNC_HEAD
    sums = [0] * 9
    for process in report.processes:
        threads = [0, 0, 0] if process.stopping else [process.busy, process.graceful, process.idle]
        figures = [process.connections, *threads, process.wait_io, process.writing, process.keep_alive, process.closing]
        stopping, accepting = ("yes" if flag else "no" for flag in (process.stopping, process.accepting))
        old = " (old gen)" if process.generation != report.board.mpm_generation else ""
        cells = [process.number, process.pid, stopping + old, figures[0], accepting, *figures[1:]]
        yield _cells(cells)
        sums = [total + value for total, value in zip(sums, [process.stopping, *figures], strict=True)]
    yield _cells(["Sum", len(report.processes), sums[0], sums[1], "&nbsp;", *sums[2:]]) + "</table>\n"


def _cells(values: Sequence[object]) -> str:
    return "<tr>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>\n"


def _legend() -> Iterator[str]:
    yield "<p>Scoreboard Key:<br />\n"
    for letter, meaning, end in _KEY:
        yield f'"<b><code>{letter}</code></b>" {meaning}{end}\n'
    yield "</p>\n"


def _states(report: Report) -> Iterator[str]:
    """Process id and state of each slot, three to a line."""
    yield "PID Key: <br />\n<pre>\n"
    cells = [f"   {slot.pid} in state: {slot.state.value} " for slot in report.slots]
    yield "".join(",".join(cells[at : at + 3]) + "\n" for at in range(0, len(cells), 3))
    yield "</pre>\n"


def _replay(report: Report, *, with_table: bool) -> Iterator[str]:
    """What Apache has no table for."""
    pairs = [(escape_html(key.removeprefix("Replay")), value) for key, value in replay_pairs(report.replay)]
    yield "<hr />\n<h2>Replay</h2>\n"
    if not with_table:
        yield "".join([f"<b>{name}</b> {value}<br />\n" for name, value in pairs])
        return
    yield "<table>\n"
    yield "".join([f"<tr><th>{name}</th><td>{value}</td></tr>\n" for name, value in pairs])
    yield "</table>\n"


def _shown(report: Report) -> Iterator[tuple[Slot, int]]:
    for slot in report.slots:
        if slot.slot_accesses or slot.state not in (WorkerState.READY, WorkerState.DEAD):
            yield slot, max(0, int(report.now - slot.last_used)) if slot.last_used else 0


def _table(report: Report) -> Iterator[str]:
    yield '\n\n<table border="0"><tr><th>Srv</th><th>PID</th><th>Acc</th><th>M</th><th>CPU\n</th>'
    yield "".join(f"<th>{name}</th>" for name in ("SS", "Req", "Dur", "Conn", "Child", "Slot", "Client", "Protocol"))
    yield "<th>VHost</th><th>Request</th></tr>\n\n"
    for slot, since in _shown(report):
        yield f"<tr><td><b>{slot.process}-{slot.generation}</b></td><td>{slot.pid or '-'}</td>"
        yield f"<td>{slot.connection_accesses}/{slot.child_accesses}/{slot.slot_accesses}</td><td>{_mode(slot)}\n</td>"
        yield f"<td>{slot.cpu:.2f}</td><td>{since}</td><td>{slot.request_ms}</td><td>{slot.total_ms}</td>"
        sizes = (slot.connection_bytes / 1024, slot.child_bytes / 1048576, slot.slot_bytes / 1048576)
        yield f"<td>{sizes[0]:.1f}</td><td>{sizes[1]:.2f}</td><td>{sizes[2]:.2f}\n</td>"
        yield f"<td>{escape_html(slot.client)}</td><td>{escape_html(slot.protocol)}</td>"
        yield f"<td nowrap>{escape_html(slot.vhost)}</td><td nowrap>{escape_html(slot.request)}</td></tr>\n\n"
    yield "</table>\n <hr /> <table>\n"
    for blank, name, meaning in _COLUMNS:
        yield f"{blank}<tr><th>{name}</th><td>{meaning}</td></tr>\n"
    yield " </table>\n"


def _mode(slot: Slot) -> str:
    letter = slot.state.value
    return letter if slot.state in _PLAIN else f"<b>{letter}</b>"


def _list(report: Report) -> Iterator[str]:
    yield "<hr /><h2>Server Details</h2>\n\n"
    for slot, since in _shown(report):
        accesses = f"{slot.connection_accesses}|{slot.child_accesses}|{slot.slot_accesses}"
        yield f"<b>Server {slot.process}-{slot.generation}</b> ({slot.pid}): {accesses} [{_WORDS[slot.state]}] "
        yield f"u{number(slot.cpu)} s0 cu0 cs0\n {since} {slot.request_ms} {slot.total_ms}"
        yield f"({_bytes(slot.connection_bytes)}|{_bytes(slot.child_bytes)}|{_bytes(slot.slot_bytes)})\n"
        yield f" <i>{escape_html(slot.client)} {{{escape_html(slot.request)}}}</i> <i>({escape_html(slot.protocol)})</i> "
        yield f"<b>[{escape_html(slot.vhost)}]</b><br />\n\n"
