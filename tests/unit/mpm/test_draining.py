"""Draining: what waits in a listener is taken, and only what makes no progress is cut."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

from coachwhip.mpm.acceptor import TURN
from coachwhip.mpm.draining import TURNS, Stillness, take_waiting


class Acceptor:
    """Accepts one connection in a turn, however many it could."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.accepted: list[socket.socket] = []

    def accept(self) -> None:
        self.accepted.append(self.listener.accept()[0])


class Connection:
    moved = 0


def test_all_that_wait_are_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients = [socket.create_connection(listener.getsockname(), timeout=10) for _ in range(5)]
        acceptor: Any = Acceptor(listener)
        take_waiting(acceptor)
        assert len(acceptor.accepted) == 5
        assert acceptor.turn == TURN
        for sock in [*clients, *acceptor.accepted]:
            sock.close()


def test_a_flood_is_not_followed_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname(), timeout=10):
            turns = []
            endless: Any = SimpleNamespace(listener=listener, accept=lambda: turns.append(1))
            take_waiting(endless)
        assert len(turns) == TURNS


def test_only_what_has_not_moved_for_so_long_is_still() -> None:
    slow: Any = Connection()
    hung: Any = Connection()
    stillness = Stillness(30.0)
    for now in range(0, 30, 10):
        assert stillness.still([slow, hung], float(now)) == []
        slow.moved += 1
    assert stillness.still([slow, hung], 30.0) == [hung]


def test_patience_begins_anew_with_each_movement() -> None:
    one: Any = Connection()
    stillness = Stillness(10.0)
    stillness.still([one], 0.0)
    one.moved = 1
    assert stillness.still([one], 9.0) == []
    assert stillness.still([one], 18.0) == []
    assert stillness.still([one], 19.0) == [one]
