"""Which rows there are: every file that declares some is imported here."""

from __future__ import annotations

from faults import changing, clients, clock, crowds, deaths, exhaustion, folders, fuzzers, leaving, reloads
from faults.rows import ROWS, Row

__all__ = ["DECLARING", "rows"]

DECLARING = (changing, clients, clock, crowds, deaths, exhaustion, folders, fuzzers, leaving, reloads)


def rows() -> dict[str, Row]:
    """Every row by its id, in the order of their numbers."""
    return dict(sorted(ROWS.items(), key=lambda item: int(item[0][1:])))
