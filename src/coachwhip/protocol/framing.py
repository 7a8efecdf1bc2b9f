"""What a request head says about its body and its connection (RFC 9112 §6, §9.3; RFC 9110 §7.2, §10.1.1).

The rules on ``Host``, ``Content-Length``, ``Transfer-Encoding``, ``Expect`` and ``Connection`` are here and nowhere else.
Where Apache is laxer than a MUST of the RFC (two codings, a coding it cannot undo), this refuses: a body that two
programs measure differently is the root of request smuggling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.http1 import HTTP_11, RequestHead
from coachwhip.protocol.targets import Target, TargetForm, parse_host, parse_target

__all__ = [
    "BodyKind",
    "Framing",
    "Target",
    "TargetForm",
    "asks_to_close",
    "check_host",
    "decide_framing",
    "has_token",
    "parse_content_length",
    "parse_host",
    "parse_target",
]


class BodyKind(Enum):
    """How the end of a request body is found."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"


@dataclass(frozen=True, slots=True)
class Framing:
    """How to read the body and what to do with the connection afterwards.

    kind, length: the body; `length` is in octets and 0 unless `kind` is LENGTH.
    keepalive: the client allows another request on this connection.
    expect_continue: the client waits for ``100 Continue`` before it sends the body.
    must_close: whatever the client and the configuration say, this is the connection's last request.
    objection: the request is to be refused with this, although its body can be read.
    """

    kind: BodyKind
    length: int
    keepalive: bool
    expect_continue: bool
    must_close: bool
    objection: BadRequest | None = None


def decide_framing(head: RequestHead, *, strict: bool = True) -> Framing:
    """Decide body, persistence and expectation from a valid head.

    strict: ``HttpProtocolOptions Strict``; it is passed on to the check of ``Host``.

    An unknown expectation is an objection (417, AH00570).

    Raises BadRequest: 400 (AH10242, AH02539, AH00550, AH00569), 501 for codings that are known but not undone.
    """
    fields, version = head.by_name, head.version
    if _ABOUT_BODIES.isdisjoint(fields):
        check_host(head, strict=strict)
        keepalive = _keepalive(head) if b"connection" in fields else version >= HTTP_11
        return _BODILESS[keepalive, version < 1000]
    coding = head.get(b"transfer-encoding")
    length = head.get(b"content-length")
    octets = 0 if length is None else parse_content_length(length)
    if coding is not None:
        _check_coding(coding)
    check_host(head, strict=strict)
    expect_continue, objection = _expectation(head)
    if coding is not None:
        # RFC 9112 §6.1: a length beside a coding, or a coding in HTTP/1.0, is answered and the connection ends.
        must_close = length is not None or head.version < HTTP_11
        return Framing(BodyKind.CHUNKED, 0, _keepalive(head), expect_continue, must_close, objection)
    kind = BodyKind.NONE if length is None else BodyKind.LENGTH
    return Framing(kind, octets, _keepalive(head), expect_continue, head.version < 1000, objection)


_ABOUT_BODIES = frozenset((b"transfer-encoding", b"content-length", b"expect"))
#: The framing of a request that says nothing of a body, by `keepalive` and `must_close`.
_BODILESS = {
    (keepalive, must_close): Framing(BodyKind.NONE, 0, keepalive, False, must_close)
    for keepalive in (False, True)
    for must_close in (False, True)
}
_DIGITS = re.compile(rb"[0-9]+")
_MAX_LENGTH = 2**63 - 1


def parse_content_length(value: bytes) -> int:
    """Return the number that a ``Content-Length`` value names. Raises BadRequest (400, AH10242) for anything else."""
    significant = value.lstrip(b"0") or b"0"
    if _DIGITS.fullmatch(value) and len(significant) <= 19 and (octets := int(significant)) <= _MAX_LENGTH:
        return octets
    raise BadRequest(400, "client sent invalid Content-Length", "AH10242", detail=value)


def _check_coding(value: bytes) -> None:
    """Accept ``chunked`` alone; empty list members before it do not count (RFC 9110 §5.6.1)."""
    members = [member.strip(b" \t").lower() for member in value.split(b",")]
    if members[-1] != b"chunked":
        raise BadRequest(400, "client sent unknown Transfer-Encoding", "AH02539", detail=value)
    if any(members[:-1]):
        status = 400 if b"chunked" in members[:-1] else 501
        raise BadRequest(status, "client sent unknown Transfer-Encoding", "AH02539", detail=value)


def check_host(head: RequestHead, *, strict: bool = True) -> tuple[str, int | None] | None:
    """Return the host and port the request is for, or None when an old client names none.

    The host of an absolute target stands before the ``Host`` field (RFC 9112 §3.2.2), whose syntax then does not
    matter; but HTTP/1.1 has to send one.

    Raises BadRequest (400).
    """
    values = head.by_name.get(b"host", ())
    if len(values) > 1:
        # Whatever the options say: two programs would choose two of them.
        raise BadRequest(400, "Client sent malformed Host header", "AH00550", detail=b", ".join(values))
    value = values[0] if values else None
    if head.uri.host:
        if value is None and head.version >= HTTP_11:
            raise _hostless(head)
        host, _ = parse_host(head.uri.host, strict)
        return host, head.uri.port
    if value:
        return parse_host(value, strict)
    if head.version >= HTTP_11:
        raise _hostless(head)
    return None


def _hostless(head: RequestHead) -> BadRequest:
    reason = "client sent HTTP/1.1 request without hostname (see RFC2616 section 14.23)"
    return BadRequest(400, reason, "AH00569", detail=head.target)


def _expectation(head: RequestHead) -> tuple[bool, BadRequest | None]:
    """Whether ``100 Continue`` is waited for, and what there is against any other expectation."""
    value = head.get(b"expect")
    if not value:
        return False, None
    if value.lower() == b"100-continue":
        # An HTTP/1.0 client cannot be waiting for an interim response (RFC 9110 §10.1.1).
        return head.version >= HTTP_11, None
    return False, BadRequest(417, "client sent an unrecognized expectation value of Expect", "AH00570", close=False, detail=value)


def _keepalive(head: RequestHead) -> bool:
    connection = head.get(b"connection")
    if connection is None:
        return head.version >= HTTP_11
    if asks_to_close(connection):
        return False
    return head.version >= HTTP_11 or has_token(connection, b"keep-alive")


_NO_TOKEN = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def asks_to_close(value: bytes) -> bool:
    """Tell whether a ``Connection`` value asks for the end, read as widely as Apache reads it.

    Whatever is no token ends a member, and a member that ``close`` begins with is enough: where one server ends a connection, another
    that goes on would take what follows for a request.
    """
    return any(member and b"close".startswith(member) for member in _NO_TOKEN.split(value.lower()))


def has_token(value: bytes, token: bytes) -> bool:
    """Tell whether the comma-separated *value* has the member *token* (lower case), whatever its case there."""
    lowered = value.lower()
    return token in lowered and any(member.strip(b" \t") == token for member in lowered.split(b","))
