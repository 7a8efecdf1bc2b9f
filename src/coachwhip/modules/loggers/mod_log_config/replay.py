"""Log lines of replayed answers: for one kept answer, what of each line stays, and what has to be filled in each time.

The hot path asks for a template when an answer is kept, and fills it for every replay.
"""

from __future__ import annotations

from coachwhip.api import Request
from coachwhip.api.log import LogKind, LogTarget, LogTemplate
from coachwhip.modules.loggers.mod_log_config.formats import Format, Item

__all__ = ["plan_line"]


def plan_line(target: LogTarget, format: Format, first: Request, final: Request) -> LogTemplate:
    """The template of a line; `first` and `final` stand for the answer that was given."""
    pieces: list[bytes] = []
    gaps: dict[LogKind, list[tuple[int, Item]]] = {kind: [] for kind in LogKind}
    for item in format.items:
        kind = _kind(item, final)
        if kind is not LogKind.SAME:
            gaps[kind].append((len(pieces), item))
            pieces.append(b"")
            continue
        pieces.append(item.read(first if item.original else final).encode("utf-8", "surrogateescape"))
    pieces.append(b"\n")
    return LogTemplate(
        target,
        tuple(pieces),
        clients=tuple([at for at, _ in gaps[LogKind.CLIENT]]),
        seconds=tuple([at for at, _ in gaps[LogKind.SECOND]]),
        sents=tuple([at for at, _ in gaps[LogKind.SENT]]),
        fields=tuple([(at, item.field) for at, item in gaps[LogKind.FIELD]]),
        readers=tuple([(at, item.read, item.original) for at, item in gaps[LogKind.READ]]),
        field_names=frozenset(item.field for item in format.items if item.field),
    )


def _kind(item: Item, r: Request) -> LogKind:
    """An address stands for the client unless names are looked up; conditions on the status are decided already."""
    if item.kind is LogKind.CLIENT and r.core.hostname_lookups != "off":
        return LogKind.READ
    return item.kind
