"""UDP for modules: one socket that sends, one that listens. Neither ever waits. IPv4, as in httpd's heartbeat modules.

For periodic work (`api.watchdog`) alone: nothing that a request's answer is made from may come through here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
from collections.abc import Mapping

from coachwhip.api.directives import DirectiveContext
from coachwhip.api.values import refuse

__all__ = ["Address", "DatagramListener", "DatagramSender", "NoAddress", "find_address", "read_address"]

#: An IP address and a port.
Address = tuple[str, int]
_SHAPE = re.compile(r"(.*):([0-9]+)", re.DOTALL)
#: Most datagrams that are taken at once.
MOST = 1000


class NoAddress(ValueError):
    """The text is no address, or names no host; the message says what is missing."""


def find_address(text: str) -> Address:
    """The address of "host:port"; a name is looked up.

    Raises:
        NoAddress: "No port provided", "No host provided", "Unable to parse" or "failed", the last if there is no such host.
    """
    if text.isascii() and text.isdigit():
        raise NoAddress("No host provided")
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise NoAddress("No port provided")
    host, port = found[1], int(found[2]) if len(found[2]) < 6 else 0
    if not host or not 0 < port < 65536:
        raise NoAddress("Unable to parse")
    try:
        return str(socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0]), port
    except (OSError, UnicodeError):
        raise NoAddress("failed") from None


def read_address(context: DirectiveContext, config: type, word: str, messages: Mapping[str, str], *, place: str) -> Address:
    """The argument of a directive that may stand once and sets `address` of a settings class.

    `messages`: sentences for what `find_address` raises; where there is none, its own, and that it is so "in" the `place`.

    Raises:
        DirectiveError: it stood before, or is no address.
    """
    if context.value_of(config, "address") is not None:
        raise refuse(f"{context.directive}: May only be specified once.")
    try:
        return find_address(word)
    except NoAddress as error:
        text = str(error)
        raise refuse(f"{context.directive}: {messages.get(text, f'{text} in {place}')}") from None


class DatagramSender:
    """Sends datagrams to one address."""

    def __init__(self, address: Address) -> None:
        """Raises OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = address

    def send(self, data: bytes) -> None:
        """Send one. Raises OSError, also if there is no room for it now."""
        self._socket.sendto(data, self._address)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class DatagramListener:
    """Receives datagrams for one address; joins it if it is one of a group."""

    def __init__(self, address: Address) -> None:
        """Raises OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            if ipaddress.ip_address(address[0]).is_multicast:
                group = struct.pack("=4sI", socket.inet_aton(address[0]), socket.INADDR_ANY)
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        except OSError:
            self._socket.close()
            raise

    def receive(self, limit: int) -> list[tuple[bytes, Address]]:
        """What has come, each cut to `limit` bytes, with its sender; () at once if nothing has. Raises OSError."""
        found: list[tuple[bytes, Address]] = []
        while len(found) < MOST:
            try:
                found.append(self._socket.recvfrom(limit))
            except BlockingIOError:
                break
        return found

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
