"""Where a connection is. README.md of this folder has the picture of what leads where."""

from __future__ import annotations

from enum import Enum

__all__ = ["ANSWERING", "CLOSED", "IDLE", "LINGERING", "NEW", "READING", "SENDING", "State"]


class State(Enum):
    """Where a connection is; the scoreboard's letters follow from it."""

    NEW = "new"
    READING = "reading"
    ANSWERING = "answering"
    SENDING = "sending"
    IDLE = "idle"
    LINGERING = "lingering"
    CLOSED = "closed"


#: The same as plain names, see `api/outcome.py`.
NEW, READING, ANSWERING, SENDING = State.NEW, State.READING, State.ANSWERING, State.SENDING
IDLE, LINGERING, CLOSED = State.IDLE, State.LINGERING, State.CLOSED
