"""Logging a replayed answer: the record of the request that made it stands in for the request at hand.

Called when an answer is replayed for the first time, and for log formats with items that only a reader knows. Everything else is
filled into templates by `hot.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from coachwhip.api.headers import HeadersIn
from coachwhip.api.log import LogPlan
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.request.replay import Entry

__all__ = ["Planner", "plan_logs", "say_again", "stand_in"]

#: Where looks of log lines go: nowhere.
_UNRECORDED = Record()

#: Makes the plan by which replays of an answer are logged (provider kind "log_plan").
Planner = Callable[[Request], LogPlan | None]
Fields = Mapping[str, "str | bytes"]


def plan_logs(planners: tuple[Planner, ...], entry: Entry, fields: Fields, info: Connection, sent: int) -> LogPlan:
    """How this answer's replays are logged, once for all of them."""
    stand_in(entry, fields, info, 0, sent)
    first = entry.request.first
    plans = [plan for make in planners if (plan := make(first)) is not None]
    return LogPlan(tuple([template for plan in plans for template in plan.lines]))


def stand_in(entry: Entry, fields: Fields, info: Connection, arrived: int, sent: int) -> None:
    """Let the kept record speak for the request at hand, as far as logs look. `arrived`, `sent`: bytes on the wire."""
    r = entry.request
    first = r.first
    scratch = first.scratch
    scratch["started"] = time.time()
    scratch.pop("finished", None)
    scratch["bytes_in"] = arrived
    scratch["bytes_out"] = sent
    first.connection = r.connection = info
    text = [(name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in fields.items()]
    first.headers_in = r.headers_in = HeadersIn(text, _UNRECORDED)
    first.notes["replay"] = "hit"
    first.bytes_sent = r.bytes_sent = entry.body_size


def say_again(entry: Entry, info: Connection) -> None:
    """Write the error-log lines of the kept answer once more."""
    r = entry.request
    if r.server.errors is not None:
        for said in entry.log:
            r.server.errors.write(said.level, said.module, said.log_id, said.message, connection=info, request=r, error=said.error)
