"""Listening sockets: what `Listen` asks for, bound in the parent.

The parent keeps them for as long as it lives; workers inherit them, so a connection in a backlog outlives any worker.
Source: Apache manual, `Listen`, "Binding to Addresses and Ports".
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from coachwhip.api.directives import Location
from coachwhip.util.notes import asked_at

__all__ = ["CORK", "BindError", "Handed", "ListenAddress", "Listeners", "Queue", "resolve"]

#: Set on a listener, every connection has it from birth: what is sent waits for more, 200 ms at most, or for `close`, so that a short
#: answer and the end of its connection are one segment in place of two. Who keeps a connection lifts it. 0 where there is none.
CORK: int = getattr(socket, "TCP_CORK", 0)


class BindError(OSError):
    """An address cannot be bound; the text names it."""

    def __str__(self) -> str:
        return str(self.strerror)


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Host (None for all addresses) and port of a `Listen`; what the parent knows its sockets by."""

    host: str | None
    port: int
    #: The line; the same address may be asked for by another one after a reload.
    location: Location | None = field(default=None, compare=False)

    @property
    def places(self) -> list[Location]:
        """Its line, if there is one."""
        return [self.location] if self.location is not None else []

    def __str__(self) -> str:
        if self.host is None:
            return f"*:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Queue:
    """How a listener is set: connections that may wait in it, and bytes of the socket buffers that they get (0: the system's)."""

    backlog: int = 511
    receive_buffer: int = 0
    send_buffer: int = 0

    def set(self, sock: socket.socket) -> None:
        """Set a socket so that listens, or does not yet."""
        for option, size in ((socket.SO_RCVBUF, self.receive_buffer), (socket.SO_SNDBUF, self.send_buffer)):
            if size:
                sock.setsockopt(socket.SOL_SOCKET, option, size)


class Handed(Protocol):
    """Sockets that were bound for us by somebody else (`systemd.HandedSockets`)."""

    def find(self, address: ListenAddress) -> socket.socket | None:
        """One of our own that listens there, if one was handed over."""

    def check(self, wanted: Iterable[ListenAddress]) -> None:
        """Raises BindError if one of them is not wanted."""


class Listeners:
    """The bound sockets by address."""

    def __init__(self, handed: Handed | None = None) -> None:
        """`handed`: sockets that are used in place of binding."""
        self._bound: dict[ListenAddress, socket.socket] = {}
        self._handed = handed

    def sockets(self, addresses: Iterable[ListenAddress]) -> list[socket.socket]:
        """The sockets of these addresses."""
        return [self._bound[address] for address in addresses]

    def bound(self) -> dict[ListenAddress, socket.socket]:
        """All that are there."""
        return dict(self._bound)

    def adopt(self, address: ListenAddress, sock: socket.socket) -> None:
        """Take a socket that listens already, from whoever started this process; `add` does not bind that address then."""
        self._bound[address] = sock

    def add(self, wanted: list[ListenAddress], queue: Queue) -> None:
        """Bind what is wanted and not there yet, all of it or nothing, and set what is there already.

        Raises:
            BindError: one of them is taken or not ours, and its line is noted; or a socket that was handed over is not wanted.
        """
        if self._handed is not None:
            self._handed.check(wanted)
        made: dict[ListenAddress, socket.socket] = {}
        try:
            for address in wanted:
                if address not in self._bound:
                    with asked_at(address.places):
                        made[address] = self._find(address, queue) or bind(address, queue, self._in_the_way(address, wanted))
        except OSError:
            for sock in made.values():
                sock.close()
            raise
        self.set([address for address in wanted if address in self._bound], queue)
        self._bound.update(made)

    def set(self, addresses: Iterable[ListenAddress], queue: Queue) -> None:
        """Set listeners that are there; connections that come from now on have it."""
        for sock in self.sockets(addresses):
            queue.set(sock)
            sock.listen(queue.backlog)

    def keep_only(self, wanted: Iterable[ListenAddress]) -> None:
        """Close all others."""
        self._close([address for address in self._bound if address not in wanted])

    def close(self) -> None:
        """Close all."""
        self._close(list(self._bound))

    def _find(self, address: ListenAddress, queue: Queue) -> socket.socket | None:
        sock = self._handed.find(address) if self._handed is not None else None
        if sock is not None:
            queue.set(sock)
            sock.listen(queue.backlog)
        return sock

    def _in_the_way(self, address: ListenAddress, wanted: list[ListenAddress]) -> list[socket.socket]:
        """Sockets of the same port that will go, but not before the new one serves: `Listen 80` after `Listen 10.0.0.1:80`."""
        return [sock for old, sock in self._bound.items() if old.port == address.port and old not in wanted]

    def _close(self, addresses: Iterable[ListenAddress]) -> None:
        for address in addresses:
            self._bound.pop(address).close()


def bind(address: ListenAddress, queue: Queue, beside: Sequence[socket.socket] = ()) -> socket.socket:
    """A listening socket; one for IPv4 and IPv6 together where no host is named. `beside`: our own ones of the same port.

    Raises:
        BindError: the address is taken or not ours.
    """
    if address.host is None:
        try:
            return _listen(socket.AF_INET6, ("::", address.port), queue, beside, dual=True)
        except BindError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            return _listen(socket.AF_INET, ("0.0.0.0", address.port), queue, beside)  # noqa: S104 -- asked for by `Listen`
    host = resolve(address.host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listen(family, (host, address.port), queue, beside)


def resolve(host: str) -> str:
    """The IP address of a host.

    Raises:
        BindError: it has none.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise BindError(errno.EADDRNOTAVAIL, f"AH00077: alloc_listener: failed to set up sockaddr for {host}: {error}") from None


def _listen(
    family: socket.AddressFamily, where: tuple[str, int], queue: Queue, beside: Sequence[socket.socket], *, dual: bool = False
) -> socket.socket:
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if CORK:
            sock.setsockopt(socket.IPPROTO_TCP, CORK, 1)
        queue.set(sock)
        with _shared([*beside, sock] if beside else []):
            sock.bind(where)
            sock.listen(queue.backlog)
        sock.setblocking(False)
    except OSError as error:
        if sock is not None:
            sock.close()
        address, reason = ListenAddress(*where), error.strerror or str(error)
        text = f"({error.errno}){reason}: AH00072: make_sock: could not bind to address {address}"
        raise BindError(error.errno, text) from None
    return sock


@contextmanager
def _shared(sockets: list[socket.socket]) -> Iterator[None]:
    """Let these have the same port, for this moment alone: else somebody else could take a part of it later."""
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
