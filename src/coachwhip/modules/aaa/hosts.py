"""Client addresses and names, as `Require ip|host|forward-dns|local` and `Allow from` compare them.

Shared by mod_authz_host and mod_access_compat. Looking up names blocks and depends on others than this machine: an answer
that needed it is never replayed. Source: Apache manual, mod_authz_host.
"""

from __future__ import annotations

from collections.abc import Iterable

from coachwhip.api import Request
from coachwhip.util.networks import Subnet, parse_address, parse_subnet

__all__ = ["NetworkError", "client_is_in", "client_name", "is_in_domain", "looks_like_address", "names_client", "read_network"]

_BAD_ADDRESS = "The specified IP address is invalid."
_BAD_MASK = "The specified network mask is invalid."


class NetworkError(ValueError):
    """The text looks like a network and is none; the message says which half is wrong."""


def looks_like_address(text: str) -> bool:
    """Whether what stands before a slash can only be meant as an address: it has a colon, or nothing but digits and dots."""
    base = text.partition("/")[0]
    return ":" in base or (base != "" and not base.strip("0123456789."))


def read_network(text: str) -> Subnet:
    """A network that `looks_like_address`.

    Raises:
        NetworkError: address or mask is wrong.
    """
    try:
        return parse_subnet(text)
    except ValueError:
        base, slash, _ = text.partition("/")
    try:
        is_whole = bool(slash) and (":" in base or base.count(".") == 3) and parse_subnet(base) is not None
    except ValueError:
        is_whole = False
    raise NetworkError(_BAD_MASK if is_whole else _BAD_ADDRESS)


def client_is_in(r: Request, networks: Iterable[Subnet]) -> bool:
    """Whether the client's address is in one of the networks."""
    address = parse_address(r.client_ip)
    return address is not None and any(network.contains(address) for network in networks)


def client_name(r: Request) -> str | None:
    """The client's name, if looking that up again leads back to its address (a double reverse look-up)."""
    _may_look_up(r)
    name = r.engine.resolve(r.client_ip)
    return name if name is not None and names_client(r, name) else None


def names_client(r: Request, name: str) -> bool | None:
    """Whether `name` has the client's address among its own; None if it has none at all."""
    _may_look_up(r)
    found = [parse_address(address) for address in r.engine.addresses_of(name)]
    return parse_address(r.client_ip) in found if found else None


def _may_look_up(r: Request) -> None:
    r.engine.leave_loop(r)
    r.record.make_volatile("host name look-up")


def is_in_domain(name: str, domain: str) -> bool:
    """Whether a host name is `domain`, or ends in it at a dot."""
    name, domain = name.lower(), domain.lower()
    if name == domain:
        return True
    return name.endswith(domain) and (domain.startswith(".") or name[: -len(domain)].endswith("."))
