"""The request line: method, target, version (RFC 9112 §3).

One line of bytes in, a `RequestLine` out, so that a known line can be looked up instead of parsed. `parse_request_line`
has two ways through: one expression for a good line, and a walk over a bad one that finds the fault Apache would report
first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.targets import Target, parse_target

#: The version of a request without one: HTTP/0.9, a "simple request" (no headers, no status line in the answer).
HTTP_09 = 9
HTTP_10 = 1000
HTTP_11 = 1001

#: The methods Apache 2.4.71 knows without ``RegisterHttpMethod``.
REGISTERED_METHODS: frozenset[bytes] = frozenset(
    (
        b"GET HEAD PUT POST DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
        b"VERSION-CONTROL CHECKOUT UNCHECKOUT CHECKIN UPDATE LABEL REPORT MKWORKSPACE MKACTIVITY BASELINE-CONTROL MERGE"
    ).split(b" ")
)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request line in its parts. `version` is major * 1000 + minor, as Apache counts; `uri` is `target` parsed."""

    method: bytes
    target: bytes
    version: int
    uri: Target


_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VISIBLE = rb"[!-~\x80-\xff]"
_GOOD = re.compile(rb"(" + _TOKEN + rb") (" + _VISIBLE + rb"+) HTTP/([1-9])\.([0-9])")
# Every line has this shape: blanks, word, blanks, word, blanks, word, blanks, rest.
_BLANKS, _WORD = rb"[ \t\v\f\r]*)", rb"[^ \t\v\f\r]*)"
_SHAPE = re.compile(
    rb"(?P<lead>" + _BLANKS + rb"(?P<method>" + _WORD + rb"(?P<gap1>" + _BLANKS + rb"(?P<target>" + _WORD
    + rb"(?P<gap2>" + _BLANKS + rb"(?P<protocol>" + _WORD + rb"(?P<gap3>" + _BLANKS + rb"(?P<rest>.*)",
    re.DOTALL,
)
_STRICT_METHOD = re.compile(_TOKEN)
_LOOSE_METHOD = re.compile(_VISIBLE + rb"+")
_TARGET = re.compile(_VISIBLE + rb"+")
_VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])")
_LOOSE_VERSION = re.compile(rb"HTTP/([1-9])\.([0-9])", re.IGNORECASE)


def parse_request_line(
    line: bytes,
    *,
    strict: bool = True,
    lenient_methods: bool = True,
    allow_09: bool = True,
    methods: frozenset[bytes] = REGISTERED_METHODS,
) -> RequestLine:
    """Parse one request line without its line end.

    strict, lenient_methods, allow_09: ``HttpProtocolOptions Strict|Unsafe``, ``LenientMethods|RegisteredMethods``,
        ``Allow0.9|Require1.0``; Apache's defaults are the defaults here.
    methods: the methods known when only registered ones are allowed.

    Raises BadRequest: 400, or 501 for an unregistered method.
    """
    if found := _GOOD.fullmatch(line):
        method, target = found[1], found[2]
        version = int(found[3]) * 1000 + int(found[4])
    else:
        method, target, version = _examine(line, strict, allow_09)
    if not lenient_methods and method not in methods:
        raise _refused("Unrecognized HTTP method (disallowed by RegisteredMethods)", "AH02423", method, status=501)
    return RequestLine(method, target, version, parse_target(target, method=method, strict=strict))


def _examine(line: bytes, strict: bool, allow_09: bool) -> tuple[bytes, bytes, int]:
    """Parse a line that is not in the usual form, or raise what is wrong with it, in Apache's order."""
    found = _SHAPE.fullmatch(line)
    if found is None or b"\0" in line or b"\n" in line:
        raise BadRequest(400, "request failed: malformed request line", "AH00566")
    method, target = found["method"], found["target"]
    if found["lead"] and line.strip(b" \t\v\f\r"):
        raise _refused("Invalid whitespace", "AH03447")
    if method or not found["lead"]:
        _check_method(method, strict)
    _check_gap(found["gap1"], strict)
    if not _TARGET.fullmatch(target):
        raise _refused("URI incorrectly encoded", "AH03454", target)
    _check_gap(found["gap2"], strict)
    if strict and found["gap3"]:
        raise _refused("Excess whitespace (disallowed by HttpProtocolOptions Strict)", "AH03448")
    _check_gap(found["gap3"], strict)
    if found["rest"]:
        raise _refused("Extraneous text found (perhaps whitespace was injected?)", "AH03449", found["rest"])
    return method, target, _version(method, found["protocol"], strict, allow_09)


def _check_method(method: bytes, strict: bool) -> None:
    if not (_STRICT_METHOD if strict else _LOOSE_METHOD).fullmatch(method):
        raise _refused("Invalid method token", "AH03445", method)


def _check_gap(gap: bytes, strict: bool) -> None:
    if strict and len(gap) > 1:
        raise _refused("Excess whitespace (disallowed by HttpProtocolOptions Strict)", "AH03448")
    if gap.strip(b" "):
        raise _refused("Invalid whitespace", "AH03447")


def _version(method: bytes, protocol: bytes, strict: bool, allow_09: bool) -> int:
    if protocol:
        if version := (_VERSION if strict else _LOOSE_VERSION).fullmatch(protocol):
            return int(version[1]) * 1000 + int(version[2])
        raise _refused("Unrecognized protocol (perhaps whitespace was injected?)", "AH02418", protocol)
    if not allow_09:
        raise _refused("Rejected HTTP/0.9 request", "AH02401")
    if strict and method != b"GET":
        raise _refused("Invalid method token (only GET is allowed for HTTP/0.9 requests)", "AH03444", method)
    return HTTP_09


def _refused(reason: str, log_id: str, detail: bytes = b"", *, status: int = 400) -> BadRequest:
    return BadRequest(status, f"HTTP Request Line; {reason}", log_id, detail=detail)
