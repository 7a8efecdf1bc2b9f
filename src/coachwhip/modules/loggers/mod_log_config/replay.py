"""Log lines of replayed answers: for one kept answer, what of each line stays, and what has to be filled in each time.

The hot path asks for a template when an answer is kept, and fills it for every replay.
"""

from __future__ import annotations

from coachwhip.api import Request
from coachwhip.api.log import LogGaps, LogKind, LogTarget, LogTemplate
from coachwhip.modules.loggers.mod_log_config.formats import Format, Item

__all__ = ["plan_line"]


def plan_line(target: LogTarget, format: Format, first: Request, final: Request) -> LogTemplate:
    """The template of a line; `first` and `final` stand for the answer that was given."""
    form = b""
    gaps: dict[LogKind, list[tuple[int, Item]]] = {kind: [] for kind in LogKind}
    count = 0
    for item in format.items:
        kind = _kind(item, final)
        if kind is LogKind.SAME:
            form += item.read(first if item.original else final).encode("utf-8", "surrogateescape").replace(b"%", b"%%")
            continue
        gaps[kind].append((count, item))
        form += b"%b"
        count += 1
    return LogTemplate(
        target,
        form + b"\n",
        LogGaps(
            clients=tuple([gap for gap, _ in gaps[LogKind.CLIENT]]),
            seconds=tuple([gap for gap, _ in gaps[LogKind.SECOND]]),
            sents=tuple([gap for gap, _ in gaps[LogKind.SENT]]),
            fields=tuple([(gap, item.field) for gap, item in gaps[LogKind.FIELD]]),
            readers=tuple([(gap, item.read, item.original) for gap, item in gaps[LogKind.READ]]),
        ),
        field_names=frozenset(item.field for item in format.items if item.field),
    )


def _kind(item: Item, r: Request) -> LogKind:
    """An address stands for the client unless names are looked up; conditions on the status are decided already."""
    if item.kind is LogKind.CLIENT and r.core.hostname_lookups != "off":
        return LogKind.READ
    return item.kind
