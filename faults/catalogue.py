"""Which rows there are: every file that declares some is imported here."""

from __future__ import annotations

from faults import changing, crowds, deaths, reloads
from faults.rows import ROWS, Row

__all__ = ["DECLARING", "rows"]

DECLARING = (changing, crowds, deaths, reloads)


def rows() -> dict[str, Row]:
    """Every row by its id, in the order of their numbers."""
    return dict(sorted(ROWS.items(), key=lambda item: int(item[0][1:])))
