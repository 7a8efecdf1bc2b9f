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


class _Names:
    """The hosts of one address: exact names by look-up, wildcards in order of appearance."""

    __slots__ = ("exact", "hosts", "wild")

    def __init__(self) -> None:
        self.hosts: list[Server] = []
        #: Lower-case name → place of the first host that has it.
        self.exact: dict[str, int] = {}
        self.wild: list[tuple[int, str]] = []

    def add(self, server: Server) -> None:
        place = len(self.hosts)
        self.hosts.append(server)
        for name in _exact_names(server):
            self.exact.setdefault(name, place)
        self.wild += [(place, alias.lower()) for alias in server.core.wild_aliases]

    def find(self, name: str) -> Server | None:
        """The first host that has `name`, by a name of its own or a wildcard."""
        place = self.exact.get(name, len(self.hosts))
        for at, pattern in self.wild:
            if at >= place:
                break
            if strcmp_match(pattern, name):
                place = at
                break
        return self.hosts[place] if place < len(self.hosts) else None


class HostTable:
    """The virtual hosts of a configuration, by address."""

    def __init__(self, main: Server, servers: Iterable[Server]) -> None:
        self.main = main
        self._by_address: dict[Address, _Names] = {}
        for server in servers:
            for address in dict.fromkeys(server.addresses) if server is not main else ():
                self._by_address.setdefault(address, _Names()).add(server)

    def _names(self, ip: str, port: int) -> _Names | None:
        table = self._by_address
        for address in ((ip, port), (ip, None), (None, port), (None, None)) if table else ():
            if (found := table.get(address)) is not None:
                return found
        return None

    def candidates(self, ip: str, port: int) -> list[Server]:
        """The name-based hosts of a local address, in order of appearance; empty if only the main server answers."""
        found = self._names(ip, port)
        return [] if found is None else found.hosts

    def by_address(self, ip: str, port: int) -> Server:
        """The server that a connection belongs to before any name is known."""
        found = self.candidates(ip, port)
        return found[0] if found else self.main

    def by_name(self, ip: str, port: int, name: str) -> Server | None:
        """The host of this address that has this name, or None."""
        if not self._by_address:
            return None
        found = self._names(ip, port)
        return None if found is None else found.find(name.removesuffix(".").lower())

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


def _exact_names(server: Server) -> list[str]:
    core = server.core
    own = core.server_name or server.machine_name
    return [name.lower() for name in (own, *core.aliases) if name is not None]


def _has_name(server: Server, name: str) -> bool:
    return name in _exact_names(server) or any(strcmp_match(alias.lower(), name) for alias in server.core.wild_aliases)
