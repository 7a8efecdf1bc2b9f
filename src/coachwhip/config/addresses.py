"""Addresses of `<VirtualHost>`: `*`, `_default_`, IPv4, `[IPv6]` or a name, with or without a port.

Source: Apache manual, `<VirtualHost>`; the accepted spellings are those of 2.4.71.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from coachwhip.api.directives import DirectiveError

__all__ = ["Address", "Unresolved", "parse_addresses"]

#: (IP address or None for `*`, port or None for `*`).
Address = tuple[str | None, int | None]

_PORT = re.compile(r"(?P<host>.*?)(?::0*(?P<port>[0-9]{1,5}))?", re.ASCII | re.DOTALL)


class Unresolved(Exception):
    """A name that has no address now; Apache leaves it out with AH00547."""


def parse_addresses(word: str) -> list[Address]:
    """The addresses of one word of a `<VirtualHost>` line.

    Raises:
        DirectiveError: it cannot be an address.
        Unresolved: it may be a name, but has no address.
    """
    if re.fullmatch(r"[0-9]+", word, re.ASCII):
        raise DirectiveError("Missing address for VirtualHost", alone=True)
    host, port = _split(word)
    if host in ("*", "_default_"):
        return [(None, port)]
    if host.startswith("["):
        host = _ipv6(host)
    return [(found, port) for found in _resolve(host, word)]


def _split(word: str) -> tuple[str, int | None]:
    if word.endswith(":*"):
        return word[:-2], None
    found = re.fullmatch(r"(.*):([0-9]+)", word, re.ASCII | re.DOTALL)
    if found is None:
        return word, None
    digits = found[2].lstrip("0")
    if not found[1] or not digits or len(digits) > 5 or int(digits) > 65535:
        raise _invalid()
    return found[1], int(digits)


def _ipv6(host: str) -> str:
    if not host.endswith("]"):
        raise _invalid()
    return host[1:-1]


def _invalid() -> DirectiveError:
    return DirectiveError("The address or port is invalid", alone=True)


def _resolve(host: str, word: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(word) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))
