"""When a client's request came and was answered, and how much went over the wire for it: what the connection counts and logs read.

One record for the request with all its sub-requests and internal redirects. Nothing in it is an input of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Traffic"]


@dataclass(slots=True)
class Traffic:
    """Seconds of the wall clock, and bytes of head and body together."""

    #: The first byte of the request's head.
    started: float = 0.0
    #: The last byte of the answer was handed to the system; None until then.
    finished: float | None = None
    #: The first byte of the answer, if `tracks_first_byte`; None until then.
    first_byte: float | None = None
    tracks_first_byte: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    #: The connection stays open after the answer.
    kept_alive: bool = False
    #: The request's field `Connection` as it came, joined if there were several: for the framing alone.
    connection: str = ""
