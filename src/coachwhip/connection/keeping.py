"""Offering finished answers to replay: what the ordinary path has answered may be kept under the head that asked for it."""

from __future__ import annotations

from coachwhip.api.server import Connection, Server
from coachwhip.connection.finding import MAX_HEAD
from coachwhip.connection.hot import HotPath
from coachwhip.connection.judging import Unusual
from coachwhip.connection.lines import Values
from coachwhip.connection.loglines import Planner
from coachwhip.request.replay import Table
from coachwhip.request.reply import Reply

__all__ = ["Keeper"]


class Keeper:
    """Teaches the hot path of one worker."""

    __slots__ = ("_hot", "_logged", "_planners")

    def __init__(self, hot: HotPath, planners: tuple[Planner, ...]) -> None:
        self._hot = hot
        self._planners = planners
        #: Servers whose log lines' request fields are known.
        self._logged: set[Server] = set()

    def offer(self, table: Table, data: bytes, info: Connection, reply: Reply) -> None:
        """A finished answer to `data`, which was no hit: keep it if it may be kept."""
        if len(data) > MAX_HEAD:
            return
        lines, replay = self._hot.lines, self._hot.replay
        first = reply.request.first
        if first.server not in self._logged:
            self._logged.add(first.server)
            for make in self._planners:
                if (plan := make(first)) is not None:
                    lines.care_about(plan.field_names, logged=True)
            if first.server.errors is not None:
                lines.care_about(first.server.errors.field_names, logged=True)
        try:
            line, found, values = lines.read(data, table.max_fields)
            lines.judge.check_request_line(line)
        except Unusual:
            return
        if reply.close and first.server.core.keep_alive and not _asks_to_close(line, values):
            # Closed for a reason of this connection's own.
            return
        replay.counters.misses += 1
        fields = {name: value for number, name, value in found if number}
        lines.care_about(replay.keep(table, line, fields, info.client_ip, reply))


def _asks_to_close(line: bytes, values: Values) -> bool:
    """RFC 9112 §9.3: whether the connection ends after this request by the client's own wish."""
    asked = values.get("connection")
    return asked == "close" or (asked is None and line.endswith(b" HTTP/1.0"))
