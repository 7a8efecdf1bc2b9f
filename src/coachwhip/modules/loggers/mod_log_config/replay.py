"""Log lines of replayed answers: for one kept answer, what of each line stays and what has to be read again.

The hot path asks for a plan when an answer is kept, and fills it in for every replay.
"""

from __future__ import annotations

from coachwhip.api import Request
from coachwhip.api.log import LogPiece
from coachwhip.modules.loggers.mod_log_config.formats import Format

__all__ = ["fields_of", "is_steady", "plan_line"]


def plan_line(format: Format, first: Request, final: Request) -> tuple[LogPiece, ...]:
    """The pieces of a line: bytes that stay, joined, and readers of what may differ."""
    pieces: list[LogPiece] = []
    for item in format.items:
        if item.volatile:
            pieces.append((item.read, item.original))
            continue
        text = item.read(first if item.original else final).encode("utf-8", "surrogateescape")
        if pieces and isinstance(pieces[-1], bytes):
            pieces[-1] += text
        else:
            pieces.append(text)
    if pieces and isinstance(pieces[-1], bytes):
        pieces[-1] += b"\n"
    else:
        pieces.append(b"\n")
    return tuple(pieces)


def fields_of(format: Format) -> frozenset[str]:
    """Lower-case names of the request fields that its volatile items read."""
    return frozenset(item.field for item in format.items if item.field)


def is_steady(format: Format) -> bool:
    """Whether lines differ only by client, second and request fields."""
    return all(item.steady or not item.volatile for item in format.items)
