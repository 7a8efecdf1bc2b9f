"""Which virtual host answers: first by the local address, then by the request's host name.

The rules are Apache's ("Name-based Virtual Host Support", "An In-Depth Discussion of Virtual Host Matching"): a host that
names the address beats a wildcard; among those of one address the first whose ServerName or ServerAlias matches,
names before wildcards within each, else the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from coachwhip.api.core import CoreServer
from coachwhip.api.server import Server
from coachwhip.util.paths import strcmp_match

__all__ = ["HostTable"]

Address = tuple[str | None, int | None]


class HostTable:
    """The virtual hosts of a configuration, by address."""

    def __init__(self, main: Server, servers: Iterable[Server]) -> None:
        self.main = main
        self._by_address: dict[Address, list[Server]] = {}
        for server in servers:
            if server is main:
                continue
            for address in server.addresses:
                hosts = self._by_address.setdefault(address, [])
                if server not in hosts:
                    hosts.append(server)

    def candidates(self, ip: str, port: int) -> list[Server]:
        """The name-based hosts of a local address, in order of appearance; empty if only the main server answers."""
        table = self._by_address
        for address in ((ip, port), (ip, None), (None, port), (None, None)):
            if found := table.get(address):
                return found
        return []

    def by_address(self, ip: str, port: int) -> Server:
        """The server that a connection belongs to before any name is known."""
        found = self.candidates(ip, port)
        return found[0] if found else self.main

    def by_name(self, ip: str, port: int, name: str, asked_port: int | None) -> Server | None:
        """The host of this address that has this name, or None."""
        name = name.removesuffix(".").lower()
        for server in self.candidates(ip, port):
            if _has_name(server, name):
                return server
        return None

    def by_path(self, ip: str, port: int, path: str) -> Server | None:
        """For clients that send no Host: the host whose `ServerPath` leads the path."""
        for server in self.candidates(ip, port):
            own = server.config(CoreServer).server_path
            if own and (path == own or (path.startswith(own) and (own.endswith("/") or path[len(own) : len(own) + 1] == "/"))):
                return server
        return None

    def knows(self, server: Server, name: str) -> bool:
        """Whether `name` is one of this server's own (`StrictHostCheck`)."""
        return _has_name(server, name.removesuffix(".").lower())


def _has_name(server: Server, name: str) -> bool:
    core = server.core
    own = core.server_name or server.machine_name
    if own is not None and own.lower() == name:
        return True
    if any(alias.lower() == name for alias in core.aliases):
        return True
    return any(strcmp_match(alias.lower(), name) for alias in core.wild_aliases)
