"""Ending well: what a worker does that is to take no more connections and to lose none that it has."""

from __future__ import annotations

import select
from collections.abc import Iterable

from coachwhip.connection.serve import ClientConnection
from coachwhip.mpm.acceptor import TURN, Acceptor

__all__ = ["GRACE", "Stillness", "take_waiting"]

#: How long a connection without a request may stay open, in seconds: a request may be on its way to it.
GRACE = 1.0
#: Turns of accepting that a flood of connections can cost a worker that is about to go.
TURNS = 64


class Stillness:
    """Which connections make no progress."""

    def __init__(self, patience: float) -> None:
        """`patience`: how long that is borne, in seconds."""
        self._patience = patience
        #: Connection → bytes that it has moved, and the monotonic second at which that was first seen.
        self._seen: dict[ClientConnection, tuple[int, float]] = {}

    def still(self, connections: Iterable[ClientConnection], now: float) -> list[ClientConnection]:
        """Those that have moved nothing for too long. To be asked about once a second."""
        before = self._seen
        self._seen = {}
        for connection in connections:
            moved = connection.moved
            seen = before.get(connection)
            self._seen[connection] = seen if seen is not None and seen[0] == moved else (moved, now)
        return [connection for connection, (_, since) in self._seen.items() if now - since >= self._patience]


def take_waiting(acceptor: Acceptor) -> None:
    """Accept all that wait in a listener: once the last process closes it, the system would reset them."""
    waiting = select.poll()
    waiting.register(acceptor.listener, select.POLLIN)
    acceptor.turn = TURN
    for _ in range(TURNS):
        if not waiting.poll(0):
            return
        acceptor.accept()
