"""mod_status -- the handler `server-status`: what the workers are doing, for people (HTML) and for programs (`?auto`).

Reads the scoreboard of the start, nothing else; the report itself is `report`, which is pure. Source: Apache manual, mod_status.
"""

from __future__ import annotations

import re

from coachwhip.api import Data, End, Module, Order, Outcome, Request, Result, Startup, phases
from coachwhip.api.identity import signature, software
from coachwhip.api.scoreboard import wants_counters
from coachwhip.modules.generators.mod_status.page import page
from coachwhip.modules.generators.mod_status.report import Report, auto_text

MODULE = Module("status_module", "mod_status.c", replayable=True)
LOG = MODULE.log

HANDLER = "server-status"
_REFRESH = re.compile(r"refresh(?:=([0-9]{1,9}))?")


@MODULE.hook(phases.pre_config, Order.LAST)
def turn_extended_status_on(startup: Startup) -> Outcome:
    """`ExtendedStatus` is on unless a line says otherwise, once this module is loaded."""
    startup.options.setdefault("extended_status", True)
    return Outcome.OK


def _shape(startup: Startup) -> tuple[int, int]:
    """How many processes there may be, and how many slots each has."""
    limits = startup.mpm
    return (limits.server_limit or 1, limits.threads_per_child or 1) if limits is not None else (1, 1)


@MODULE.hook(phases.handler, handlers=(HANDLER,))
def show_status(r: Request) -> Result:
    """Answer with the report."""
    if not wants_counters(r):
        return Outcome.DECLINED
    board = r.engine.startup.scoreboard
    if board is None:
        LOG.error(r, "AH01237", "Server status unavailable in inetd mode")
        return 500
    query = r.args or ""
    refresh = _REFRESH.search(query)
    if refresh is not None:
        seconds = int(refresh[1]) if refresh[1] else 0
        r.headers_out.set("Refresh", str(seconds if seconds > 0 else 10))
    is_auto = "auto" in query
    r.set_content_type("text/plain; charset=ISO-8859-1" if is_auto else "text/html; charset=ISO-8859-1")
    extended = r.engine.startup.main.core.extended_status is not False
    report = Report(board, r.now(), r.server_name(), r.local_ip, software(r), extended, _shape(r.engine.startup))
    text = auto_text(report) if is_auto else page(report, with_table="notable" not in query, signature=signature(r, "<hr />\n"))
    r.send(Data(text.encode("latin-1", "replace")), End())
    return Outcome.OK
