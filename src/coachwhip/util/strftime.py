"""Dates in a shape of the administrator's choice, in local time and in the C locale. Knows nothing of "now"."""

from __future__ import annotations

import time

__all__ = ["strftime"]


def strftime(shape: str, seconds: float) -> str:
    """*seconds* since the epoch as `strftime(3)` writes them; an unknown conversion is left to the C library."""
    try:
        return time.strftime(shape, time.localtime(int(seconds // 1)))
    except ValueError:
        return "-"
