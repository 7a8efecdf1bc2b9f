"""Accepting: whatever goes wrong with one connection ends that one alone."""

from __future__ import annotations

import socket

import pytest

from coachwhip.api.server import Server
from coachwhip.connection.hot import HotPath
from coachwhip.mpm.acceptor import Acceptor
from coachwhip.request.replay import Entry, Replay


class Faulty:
    """A worker that fails to take what it is given."""

    def __init__(self, fault: Exception) -> None:
        self.hot = HotPath(Replay(0), ())
        self.fault = fault
        self.reported: list[Exception] = []

    def server_of(self, ip: str, port: int) -> Server:
        raise self.fault

    def take(
        self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], data: bytes, entry: Entry | None
    ) -> None:
        raise self.fault

    def report(self, error: Exception) -> None:
        self.reported.append(error)


@pytest.mark.parametrize(("fault", "is_reported"), [(KeyError("x"), True), (ConnectionResetError(), False)])
def test_a_connection_that_cannot_be_begun_is_closed_and_the_next_one_accepted(fault: Exception, is_reported: bool) -> None:
    worker = Faulty(fault)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        acceptor = Acceptor(listener, worker, at_once=False, on_no_room=lambda acceptor, error: None)
        for _ in range(2):
            with socket.create_connection(listener.getsockname(), timeout=10) as client:
                acceptor.accept()
                assert client.recv(1) == b""
    assert worker.reported == ([fault, fault] if is_reported else [])
