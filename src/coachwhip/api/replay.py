"""The settings of replay, set by mod_replay and read where answers are kept. Sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReplayDir", "ReplayServer"]


@dataclass(frozen=True, slots=True)
class ReplayDir:
    """What holds for the answers below a section."""

    on: bool = True
    #: Bodies up to this size are kept in memory; of larger ones the head and the open file.
    max_body: int = 256 << 10
    #: Answers kept for one request line and host.
    variants: int = 64


@dataclass(frozen=True, slots=True)
class ReplayServer:
    """What holds for a worker as a whole; what the main server says counts."""

    #: Memory for kept answers, 0 to keep none.
    memory: int = 64 << 20
