"""The settings of replay, set by mod_replay and read where answers are kept; and what replay has done so far. Sizes in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ReplayDir", "ReplayFigures", "ReplayServer"]


@dataclass(frozen=True, slots=True)
class ReplayDir:
    """What holds for the answers below a section."""

    on: bool = True
    #: Bodies up to this size are kept in memory, if need be; of larger ones, and of files that are not small, the head and the open file.
    max_body: int = 256 << 10
    #: Answers kept for one request line and host.
    variants: int = 64


@dataclass(frozen=True, slots=True)
class ReplayServer:
    """What holds for a worker as a whole; what the main server says counts."""

    #: Memory for kept answers, 0 to keep none.
    memory: int = 64 << 20


@dataclass(frozen=True, slots=True)
class ReplayFigures:
    """What replay did since the start, and what it keeps now."""

    #: Answers given again; answers that were made anew; dropped for want of room, and for a changed file.
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    stale: int = 0
    #: Answers kept now, and the memory they take.
    entries: int = 0
    memory: int = 0
    #: Why answers were not kept: reason → how many.
    volatile: Mapping[str, int] = field(default_factory=dict)
