"""Listening sockets: what `Listen` asks for, bound in the parent.

The parent keeps them for as long as it lives; workers inherit them, so a connection in a backlog outlives any worker.
Source: Apache manual, `Listen`, "Binding to Addresses and Ports".
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["BindError", "ListenAddress", "Listeners"]


class BindError(OSError):
    """An address cannot be bound; the text names it."""

    def __str__(self) -> str:
        return str(self.strerror)


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Host (None for all addresses) and port of a `Listen`; what the parent knows its sockets by."""

    host: str | None
    port: int

    def __str__(self) -> str:
        if self.host is None:
            return f"*:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Listeners:
    """The bound sockets by address."""

    def __init__(self) -> None:
        self._bound: dict[ListenAddress, socket.socket] = {}

    def sockets(self, addresses: Iterable[ListenAddress]) -> list[socket.socket]:
        """The sockets of these addresses."""
        return [self._bound[address] for address in addresses]

    def change(self, wanted: list[ListenAddress], backlog: int) -> None:
        """Bind what is wanted and not there yet, then close what is not wanted any more; or leave all as it was.

        `Listen 80` in place of `Listen 127.0.0.1:80` cannot be bound beside it, so an unwanted socket of the same port goes first.

        Raises:
            BindError: one of them is taken or not ours.
        """
        new = [address for address in wanted if address not in self._bound]
        unwanted = [address for address in self._bound if address not in wanted]
        ports = {address.port for address in new}
        in_the_way = [address for address in unwanted if address.port in ports]
        made: dict[ListenAddress, socket.socket] = {}
        self._close(in_the_way)
        try:
            for address in new:
                made[address] = bind(address, backlog)
        except OSError:
            for sock in made.values():
                sock.close()
            for address in in_the_way:
                self._bound[address] = bind(address, backlog)
            raise
        self._bound.update(made)
        self._close([address for address in unwanted if address in self._bound])

    def close(self) -> None:
        """Close all."""
        self._close(list(self._bound))

    def _close(self, addresses: Iterable[ListenAddress]) -> None:
        for address in addresses:
            self._bound.pop(address).close()


def bind(address: ListenAddress, backlog: int) -> socket.socket:
    """A listening socket; one for IPv4 and IPv6 together where no host is named.

    Raises:
        BindError: the address is taken or not ours.
    """
    if address.host is None:
        try:
            return _listen(socket.AF_INET6, ("::", address.port), backlog, dual=True)
        except BindError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            return _listen(socket.AF_INET, ("0.0.0.0", address.port), backlog)  # noqa: S104 -- asked for by `Listen`
    host = _resolve(address.host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listen(family, (host, address.port), backlog)


def _resolve(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise BindError(errno.EADDRNOTAVAIL, f"AH00077: alloc_listener: failed to set up sockaddr for {host}: {error}") from None


def _listen(family: socket.AddressFamily, where: tuple[str, int], backlog: int, *, dual: bool = False) -> socket.socket:
    sock: socket.socket | None = None
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(where)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        if sock is not None:
            sock.close()
        address, reason = ListenAddress(*where), error.strerror or str(error)
        text = f"({error.errno}){reason}: AH00072: make_sock: could not bind to address {address}"
        raise BindError(error.errno, text) from None
    return sock
