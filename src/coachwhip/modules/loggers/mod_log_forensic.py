"""mod_log_forensic -- a line before a request is processed and one after it, so that a request which never ended can be found.

    +ID|GET / HTTP/1.1|Host:localhost%3a8080|...
    -ID

Both are written at once. An answer that was given again would have no first line, so none is kept where there is such a log.
Source: Apache manual, mod_log_forensic; lines compared with 2.4.71.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from coachwhip.api import Args, Directive, Module, Order, Outcome, Request, Startup, Where, phases
from coachwhip.api.log import LogTarget, LogTargetError
from coachwhip.util.notes import asked_at

__all__ = ["MODULE", "ForensicServer"]


@dataclass(frozen=True, slots=True)
class ForensicServer:
    """What one server says."""

    #: A file or |program; None: no log.
    target: str | None = None


MODULE = Module(
    "log_forensic_module",
    "mod_log_forensic.c",
    (
        Directive("ForensicLog", Args.ONE, Where.SERVER, "target",
                  help="the file or |program of the forensic log",
                  differs="lines that cannot be written are lost and counted, where Apache's process ends"),
    ),
    server_config=ForensicServer,
    replayable=True,
)  # fmt: skip

#: The note with the ID, for `%{forensic-id}n`.
NOTE = "forensic-id"
_UNSAFE = re.compile(r"[^!-$&-9;-{}~ ]")
_counter = itertools.count()


@MODULE.hook(phases.open_logs)
def open_logs(startup: Startup) -> Outcome:
    """Open every log once, whichever servers share it."""
    opened: dict[str, LogTarget] = {}
    for server in [startup.main, *startup.servers]:
        target = server.config(ForensicServer).target
        if target is None:
            continue
        try:
            if target not in opened:
                with asked_at(server.settings.sources(ForensicServer, "target")):
                    opened[target] = startup.logs.open(target, at_once=True)
        except LogTargetError as error:
            startup.refuse(error)
            return Outcome.DONE
        server.state[MODULE.source] = opened[target]
    return Outcome.OK


@MODULE.hook(phases.post_read_request, Order.REALLY_FIRST)
def begin(r: Request) -> Outcome:
    """The line before."""
    log: LogTarget | None = r.server.state.get(MODULE.source)
    if log is None or not r.is_initial:
        return Outcome.DECLINED
    r.record.make_volatile("forensic log")
    connection = r.connection
    number, name = connection.notes.get(NOTE, (-1, ""))
    if number != connection.keepalives:
        # A request that begins again on a thread has its line already.
        logs = r.engine.startup.logs
        name = f"{logs.process_id():x}:{int(logs.now()):x}:{next(_counter):x}"
        connection.notes[NOTE] = (connection.keepalives, name)
        fields = "".join(f"|{_escape(key)}:{_escape(value)}" for key, value in r.headers_in.items())
        log.write(f"+{name}|{_escape(r.the_request)}{fields}\n".encode("latin-1", "replace"))
    r.notes[NOTE] = name
    return Outcome.OK


@MODULE.hook(phases.log_transaction, Order.REALLY_LAST)
def end(r: Request) -> Outcome:
    """The line after."""
    log: LogTarget | None = r.server.state.get(MODULE.source)
    name = r.notes.get(NOTE)
    if log is None or name is None:
        return Outcome.DECLINED
    log.write(f"-{name}\n".encode("ascii"))
    return Outcome.OK


def _escape(text: str) -> str:
    """What separates, and what is not plain ASCII, as percent and two digits."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode("latin-1", "replace")), text)
