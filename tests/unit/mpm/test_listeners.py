"""Listeners: all that is wanted is bound, or nothing; what both generations have is never closed."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from coachwhip.api.directives import Location
from coachwhip.mpm.listeners import BindError, ListenAddress, Listeners, Queue
from coachwhip.testing.site import free_port
from coachwhip.util.notes import notes_of


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    made = Listeners()
    yield made
    made.close()


def can_connect(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def local(port: int) -> ListenAddress:
    return ListenAddress("127.0.0.1", port)


def test_a_kept_listener_is_the_same_socket(listeners: Listeners) -> None:
    kept, gone, new = local(free_port()), local(free_port()), local(free_port())
    listeners.add([kept, gone], Queue(5))
    before = listeners.sockets([kept])
    listeners.add([kept, new], Queue(5))
    listeners.keep_only([kept, new])
    assert listeners.sockets([kept]) == before
    assert can_connect(new.port)
    assert not can_connect(gone.port)


def test_nothing_is_bound_if_one_cannot_be(listeners: Listeners) -> None:
    free = local(free_port())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = ListenAddress("127.0.0.1", other.getsockname()[1], Location("x.conf", 7))
        with pytest.raises(BindError) as caught:
            listeners.add([free, taken], Queue(5))
    assert caught.value.errno == errno.EADDRINUSE
    assert str(caught.value) == f"(98)Address already in use: AH00072: make_sock: could not bind to address 127.0.0.1:{taken.port}"
    assert notes_of(caught.value) == ["asked for at x.conf:7"]
    assert not can_connect(free.port)


def test_the_same_address_asked_for_by_another_line_is_the_same_listener(listeners: Listeners) -> None:
    one = local(free_port())
    listeners.add([one], Queue(5))
    moved = ListenAddress("127.0.0.1", one.port, Location("x.conf", 8))
    listeners.add([moved], Queue(5))
    assert listeners.sockets([moved]) == listeners.sockets([one])


def test_all_addresses_may_take_the_place_of_one(listeners: Listeners) -> None:
    one = local(free_port())
    everywhere = ListenAddress(None, one.port)
    listeners.add([one], Queue(5))
    listeners.add([everywhere], Queue(5))
    listeners.keep_only([everywhere])
    assert can_connect(one.port)
    assert can_connect(one.port, "127.0.0.2")


def test_nobody_else_gets_a_part_of_the_port_afterwards(listeners: Listeners) -> None:
    one = local(free_port())
    everywhere = ListenAddress(None, one.port)
    listeners.add([one], Queue(5))
    listeners.add([everywhere], Queue(5))
    listeners.keep_only([everywhere])
    with pytest.raises(BindError):
        Listeners().add([one], Queue(5))


def test_a_name_without_an_address_is_an_error_that_names_it(listeners: Listeners) -> None:
    with pytest.raises(BindError, match=r"nosuch\.invalid"):
        listeners.add([ListenAddress("nosuch.invalid", 1)], Queue(5))
