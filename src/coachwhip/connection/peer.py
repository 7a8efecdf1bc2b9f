"""Who asks for kept answers, as the hot path sees it: a connection, or a guest; and what it is told of an answer that is not all out."""

from __future__ import annotations

import time
from socket import socket
from typing import Protocol

from coachwhip.api.server import Connection
from coachwhip.connection.shapes import Values
from coachwhip.connection.states import State
from coachwhip.request.replay import Entry, Table

__all__ = ["Peer", "Rest", "Sending"]


class Sending:
    """A kept answer that is not out yet, or not logged: what is to follow, and what its log line will say when it is out, or cut."""

    __slots__ = ("arrived", "entry", "file", "rest", "second", "sent", "started", "values")

    def __init__(self, entry: Entry, values: Values, arrived: int, sent: int, second: bytes) -> None:
        self.entry = entry
        self.values = values
        #: Bytes of the request, bytes of the answer that went out so far, and what is to follow: bytes, and behind them a file.
        self.arrived = arrived
        self.sent = sent
        self.rest = entry.wire[sent:]
        self.file = entry.file if entry.file is None or sent <= len(entry.wire) else entry.file.after(sent - len(entry.wire))
        #: When it began: the second as `%t` has it, and the wall clock.
        self.second = second
        self.started = time.time()


class Peer(Protocol):
    """Who asks: a connection, or a new one that may not become one."""

    state: State
    info: Connection

    @property
    def table(self) -> Table | None:
        """Where its kept answers are; None if there are none for it."""

    @property
    def fd(self) -> int:
        """Where its answers go."""

    @property
    def socket(self) -> socket | None:
        """The same, if there is one yet."""

    @property
    def clock(self) -> Rest:
        """How long it may rest."""

    def replayed(self, entry: Entry, sending: Sending | None) -> None:
        """This answer was given. `sending`: what is to follow of it, or to be logged."""

    def fault(self, error: Exception) -> None:
        """A fault of ours."""


class Rest(Protocol):
    """Until when a connection may wait for its next request."""

    deadline: float
