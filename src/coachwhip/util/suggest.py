"""What was probably meant: the known name nearest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like *name*, letters' case aside, or None when none is like it.

    Candidates keep their own spelling; of equally good ones the first in order wins.
    """
    spelled: dict[str, str] = {}
    for candidate in candidates:
        spelled.setdefault(candidate.lower(), candidate)
    found = get_close_matches(name.lower(), spelled, n=1, cutoff=0.72)
    return spelled[found[0]] if found else None
