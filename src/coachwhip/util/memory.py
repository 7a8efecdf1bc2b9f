"""How much memory this process occupies."""

from __future__ import annotations

import os
import resource
import sys

__all__ = ["resident_bytes"]

_STATM = "/proc/self/statm"
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Bytes in main memory now; where the system does not say (no `/proc`), the most there have been."""
    try:
        with open(_STATM, "rb") as opened:
            return int(opened.read(128).split(b" ")[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Linux and the BSDs count kilobytes, macOS bytes.
        return peak if sys.platform == "darwin" else peak * 1024
