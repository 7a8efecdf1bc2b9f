"""Request targets and host names: which URI a request line asks for (RFC 9112 §3.2, RFC 3986 §3).

Syntax only: nothing is decoded, mapped or matched with a virtual host here. `parse_target` is called for the request
line, `parse_host` for the ``Host`` field and for the host of an absolute target.
"""

from __future__ import annotations

import ipaddress
import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from coachwhip.protocol.errors import BadRequest


class TargetForm(Enum):
    """The four forms of RFC 9112 §3.2."""

    ORIGIN = "origin"
    ABSOLUTE = "absolute"
    AUTHORITY = "authority"
    ASTERISK = "asterisk"


class Target(NamedTuple):
    """A request target taken apart, all parts raw.

    path: begins with a slash, or is ``*``, or is empty (authority form).
    query: what follows the first ``?``, or None when there is no ``?``.
    scheme: lower case, absolute form only.
    host: the host of absolute and authority form, with the brackets of an IPv6 literal; else None.
    port: the port given there, or None.

    A server that speaks ``http`` takes the host from an absolute target only if the scheme is its own (Apache leaves
    the ``Host`` field in charge otherwise); a scheme that is neither is for a proxy to judge.
    """

    form: TargetForm
    path: bytes
    query: bytes | None = None
    scheme: bytes | None = None
    host: bytes | None = None
    port: int | None = None


_ASTERISK = Target(TargetForm.ASTERISK, b"*")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*):")
_LIKE_A_SCHEME = re.compile(rb"\?[^/?#]*:")
_AUTHORITY = re.compile(rb"(?:(?P<user>[^/?#]*)@)?(?P<host>\[[^\[\]/?#@]*\]|[^\[\]:/?#@]*)(?::(?P<port>[0-9]*))?")


def parse_target(target: bytes, *, method: bytes = b"GET", strict: bool = True) -> Target:
    """Take the request target apart.

    strict: ``HttpProtocolOptions Strict``: no fragment, no user name, and a host where the scheme needs one.

    Raises BadRequest (400): AH03450 for a target of no valid form, AH02421 for a fragment, AH02422 for a user name.
    """
    if target[:1] == b"/" and method != b"CONNECT":
        path, query = _split(target, strict)
        return Target(TargetForm.ORIGIN, path, query)
    if method == b"CONNECT":
        host, port, _ = _split_authority(target, target, strict)
        if port is None:
            raise _unparsable(target)
        return Target(TargetForm.AUTHORITY, b"", host=host, port=port)
    if target == b"*" and method == b"OPTIONS":
        return _ASTERISK
    if scheme := _SCHEME.match(target):
        return _absolute(target, scheme, strict, is_options=method == b"OPTIONS")
    if target[:1] == b"?" and not _LIKE_A_SCHEME.match(target):
        # No path at all: Apache reads it as the root, and so do its proxies; but not what has the shape of a scheme.
        path, query = _split(b"/" + target, strict)
        return Target(TargetForm.ORIGIN, path, query)
    raise _unparsable(target)


def _absolute(target: bytes, scheme: re.Match[bytes], strict: bool, *, is_options: bool) -> Target:
    name = scheme[1].lower()
    rest = target[scheme.end() :]
    host, port = None, None
    if rest.startswith(b"//"):
        host, port, rest = _split_authority(rest[2:], target, strict)
    if strict and not host and name in (b"http", b"https"):
        # RFC 9110 §4.2.1: a recipient rejects an http URI with an empty host. Apache serves it.
        raise _unparsable(target)
    if is_options and not rest:
        # RFC 9112 §3.2.4: so a proxy is asked about the whole server.
        return Target(TargetForm.ABSOLUTE, b"*", None, name, host, port)
    if rest[:1] in (b"", b"?", b"#"):
        rest = b"/" + rest
    path, query = _split(rest, strict)
    if path[:1] != b"/":
        raise _unparsable(target)
    return Target(TargetForm.ABSOLUTE, path, query, name, host, port)


def _split_authority(text: bytes, target: bytes, strict: bool) -> tuple[bytes, int | None, bytes]:
    """Return host, port and what follows the authority that *text* begins with."""
    found = _AUTHORITY.match(text)
    if found is None or text[found.end() : found.end() + 1] not in (b"", b"/", b"?", b"#"):
        raise _unparsable(target)
    if found["user"] is not None and strict:
        raise BadRequest(400, "HTTP Request Line; URI must not contain a username/password", "AH02422")
    return found["host"], _port(found["port"], target), text[found.end() :]


def _port(digits: bytes | None, target: bytes) -> int | None:
    if not digits:
        return None
    if len(digits) > 19 or int(digits) > 65535:
        raise _unparsable(target)
    return int(digits)


def _split(target: bytes, strict: bool) -> tuple[bytes, bytes | None]:
    target, fragment, _ = target.partition(b"#")
    if fragment and strict:
        raise BadRequest(400, "HTTP Request Line; URI must not contain a fragment", "AH02421")
    path, mark, query = target.partition(b"?")
    return path, query if mark else None


def _unparsable(target: bytes) -> BadRequest:
    return BadRequest(400, "HTTP Request Line; Unable to parse URI", "AH03450", detail=target)


_PORT = re.compile(rb"(.*):([0-9]+)", re.DOTALL)
_LITERAL_PORT = re.compile(rb":([0-9]{1,19})")
_NAME = re.compile(rb"[A-Za-z0-9._\-]+")
_DOTTED_NUMBERS = re.compile(rb"[0-9.]+")
_LEADING_ZERO = re.compile(rb"(?:^|\.)0[0-9]|^\.")
_BAD_TOP_LEVEL = re.compile(rb"\.[^.A-Za-z][^.]*")


@lru_cache(maxsize=256)
def parse_host(value: bytes, strict: bool = True) -> tuple[str, int | None]:
    """Return the host (lower case, no final dot, no brackets) and port that a ``Host`` value names.

    strict: RFC 3986's registered name, IPv4 or ``[IPv6]``, and a top-level label that begins with a letter; else only
        what would be dangerous is refused: slashes, backslashes and empty labels.

    Raises BadRequest (400).
    """
    if value[:1] == b"[":
        return _parse_literal(value)
    host, port = value, None
    if found := _PORT.fullmatch(value):
        host, port = found[1], int(found[2]) if len(found[2]) < 20 else 0
        if not 0 < port < 65536:
            raise _malformed(value)
    if not host or b".." in host or b"/" in host or b"\\" in host:
        raise _malformed(value)
    host = host.removesuffix(b".")
    if strict:
        _check_name(host, value)
    return host.lower().decode("latin-1"), port


def _check_name(host: bytes, value: bytes) -> None:
    if not _NAME.fullmatch(host):
        raise _malformed(value)
    if host.isdigit():
        raise BadRequest(400, "[strict] purely numeric host names not allowed", "AH02416", detail=value)
    if _DOTTED_NUMBERS.fullmatch(host):
        if host.count(b".") != 3 or _LEADING_ZERO.search(host):
            raise _malformed(value)
    elif b"." in host and _BAD_TOP_LEVEL.fullmatch(host[host.rindex(b".") :]):
        raise _malformed(value)


def _parse_literal(value: bytes) -> tuple[str, int | None]:
    address, bracket, rest = value[1:].partition(b"]")
    port = None
    if rest:
        found = _LITERAL_PORT.fullmatch(rest)
        port = int(found[1]) if found else 0
        if not 0 < port < 65536:
            raise _malformed(value)
    if not bracket or b"%" in address:
        raise _malformed(value)
    try:
        ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:
        raise _malformed(value) from None
    return address.lower().decode("ascii"), port


def _malformed(value: bytes) -> BadRequest:
    return BadRequest(400, "Client sent malformed Host header", "AH00550", detail=value)
