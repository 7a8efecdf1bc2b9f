"""When the system tells of room, where a large file is sent."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coachwhip.connection import waking
from coachwhip.connection.waking import largest_buffer, tell_later

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system has no such option")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Says what the system's settings are."""

    def settings(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        largest_buffer.cache_clear()

    monkeypatch.setattr(waking, "_SYSCTL", f"{tmp_path}/")
    yield settings
    largest_buffer.cache_clear()


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        yield sock


def bound(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


def test_the_largest_buffer_is_the_third_figure(system):
    system(tcp_wmem="4096\t16384\t4194304\n", tcp_notsent_lowat="4294967295\n")
    assert largest_buffer() == 4194304


def test_a_bound_of_the_administrator_is_left_alone(system, sock):
    system(tcp_wmem="4096\t16384\t4194304\n", tcp_notsent_lowat="131072\n")
    before = bound(sock)
    tell_later(sock)
    assert (largest_buffer(), bound(sock)) == (0, before)


@pytest.mark.parametrize("texts", [{}, {"tcp_wmem": "1 2 3"}, {"tcp_wmem": "1 2", "tcp_notsent_lowat": "9"}, {"tcp_wmem": "a b c"}])
def test_a_system_that_does_not_say_is_left_alone(system, sock, texts):
    system(**texts)
    before = bound(sock)
    tell_later(sock)
    assert (largest_buffer(), bound(sock)) == (0, before)


def test_nothing_is_held_back_that_the_buffer_has_room_for(system, sock):
    system(tcp_wmem="4096 16384 65536", tcp_notsent_lowat="4294967295")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    tell_later(sock)
    assert bound(sock) == 65536
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)
    tell_later(sock)
    assert bound(sock) == sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > 65536


def test_a_socket_of_another_kind_is_sent_on_as_it_is(system):
    system(tcp_wmem="4096 16384 65536", tcp_notsent_lowat="4294967295")
    near, far = socket.socketpair()
    with near, far:
        tell_later(near)
        assert near.send(b"x") == 1
