"""Listening sockets: what `Listen` asks for, bound once, in the parent.

The parent keeps them for as long as it lives; workers inherit them, so a connection in a backlog outlives any worker.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

__all__ = ["BindError", "ListenAddress", "bind_all"]


class BindError(OSError):
    """An address cannot be bound; the text names it."""


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Host (None for all addresses) and port of a `Listen`; what the parent knows its sockets by."""

    host: str | None
    port: int

    def __str__(self) -> str:
        if self.host is None:
            return f"*:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind_all(addresses: list[ListenAddress], backlog: int) -> list[socket.socket]:
    """Bind and listen on all, or on none.

    Raises:
        BindError: one of them is taken or not ours.
    """
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            sockets += _bind(address, backlog)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bind(address: ListenAddress, backlog: int) -> list[socket.socket]:
    if address.host is None:
        try:
            return [_listen(socket.AF_INET6, ("::", address.port), address, backlog, dual=True)]
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
            return [_listen(socket.AF_INET, ("0.0.0.0", address.port), address, backlog)]  # noqa: S104 -- asked for by `Listen`
    host = _resolve(address.host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return [_listen(family, (host, address.port), address, backlog)]


def _resolve(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _listen(
    family: socket.AddressFamily, where: tuple[str, int], address: ListenAddress, backlog: int, *, dual: bool = False
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(where)
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        raise BindError(error.errno, f"({error.errno}){reason}: AH00072: make_sock: could not bind to address {address}") from None
    return sock
