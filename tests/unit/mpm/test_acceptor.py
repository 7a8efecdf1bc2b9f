"""Accepting: whatever goes wrong with one connection ends that one alone."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from coachwhip.api.server import Connection
from coachwhip.connection.guest import Guest
from coachwhip.connection.hot import HotPath
from coachwhip.mpm.acceptor import Acceptor
from coachwhip.mpm.listeners import CORK, ListenAddress, Listeners, Queue
from coachwhip.request.replay import Replay


class Host:
    """A worker that keeps what it is given, or fails to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.hot = HotPath(Replay(0), ())
        self.fault = fault
        self.taken: list[socket.socket] = []
        self.reported: list[Exception] = []

    def guest(self, local: tuple[str, int], *, at_once: bool = False) -> Guest:
        server: Any = None
        return Guest(Connection(server, ("", 0), local, id=0), local, None)

    def take(self, sock: socket.socket, guest: Guest, data: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        self.taken.append(sock)

    def report(self, error: Exception) -> None:
        self.reported.append(error)


def acceptor(worker: Host, listener: socket.socket, *, at_once: bool = False) -> Acceptor:
    listener.setblocking(False)
    return Acceptor(listener, worker, at_once=at_once, on_no_room=lambda acceptor, error: None)


@pytest.mark.parametrize(("fault", "is_reported"), [(KeyError("x"), True), (ConnectionResetError(), False)])
def test_a_connection_that_cannot_be_begun_is_closed_and_the_next_one_accepted(fault: Exception, is_reported: bool) -> None:
    worker = Host(fault)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepts = acceptor(worker, listener)
        for _ in range(2):
            with socket.create_connection(listener.getsockname(), timeout=10) as client:
                accepts.accept()
                assert client.recv(1) == b""
    assert worker.reported == ([fault, fault] if is_reported else [])


@pytest.mark.parametrize("at_once", [False, True])
def test_where_no_guest_can_be_made_the_connection_is_closed(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Host()
    fault = KeyError("x")

    def fail(local: tuple[str, int], *, at_once: bool = False) -> Guest:
        raise fault

    monkeypatch.setattr(worker, "guest", fail)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepts = acceptor(worker, listener, at_once=at_once)
        with socket.create_connection(listener.getsockname(), timeout=10) as client:
            accepts.accept()
            assert client.recv(1) == b""
    assert worker.reported == [fault]


@pytest.mark.skipif(not CORK, reason="this system has no TCP_CORK")
def test_a_new_connection_holds_back_what_it_sends_until_it_is_one_that_stays() -> None:
    worker = Host()
    listeners = Listeners()
    address = ListenAddress("127.0.0.1", 0)
    listeners.add([address], Queue())
    (listener,) = listeners.sockets([address])
    try:
        with socket.create_connection(listener.getsockname(), timeout=10):
            acceptor(worker, listener).accept()
            (taken,) = worker.taken
            with taken:
                assert listener.getsockopt(socket.IPPROTO_TCP, CORK)
                assert not taken.getsockopt(socket.IPPROTO_TCP, CORK)
    finally:
        listeners.close()
