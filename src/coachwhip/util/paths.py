"""URL paths: one canonical form, computed once. (The room's escapes and wildcards are found here too.)

One canonical path is computed once per request: `normalize_path`, then `unescape_path`, and everything above uses the
result. All of this works on bytes and is total: a bad path is a `PathError` that carries the status Apache answers.
Knows nothing of documents, aliases or file systems. Behaviour is that of Apache 2.4.71, compared function by function.
"""

from __future__ import annotations

import re
from typing import Literal

from coachwhip.util.escapes import (
    escape_errorlog_item,
    escape_html,
    escape_logitem,
    escape_path,
    escape_path_segment,
    escape_uri,
    escape_urlencoded,
)
from coachwhip.util.wildcards import fnmatch, is_fnmatch, strcasecmp_match, strcmp_match

__all__ = [
    "EncodedSlashes",
    "PathError",
    "escape_errorlog_item",
    "escape_html",
    "escape_logitem",
    "escape_path",
    "escape_path_segment",
    "escape_uri",
    "escape_urlencoded",
    "fnmatch",
    "is_fnmatch",
    "normalize_path",
    "strcasecmp_match",
    "strcmp_match",
    "unescape_path",
]

EncodedSlashes = Literal["off", "on", "nodecode"]


class PathError(ValueError):
    """A path that is refused. `status` is the HTTP status to answer, `log_id` Apache's message number."""

    def __init__(self, status: int, reason: str, log_id: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.log_id = log_id


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(rb"%(?:([0-9A-Fa-f]{2}))?")
_NEEDS_WORK = re.compile(rb"%|//|/\.")


def _decode_unreserved(found: re.Match[bytes]) -> bytes:
    digits: bytes | None = found[1]
    if digits is None:
        raise PathError(400, "percent sign without two hexadecimal digits", "AH10244")
    octet = int(digits, 16)
    return bytes((octet,)) if octet in _UNRESERVED else found[0]


def normalize_path(
    path: bytes,
    *,
    merge_slashes: bool = True,
    decode_unreserved: bool = True,
    allow_relative: bool = False,
    allow_above_root: bool = False,
) -> bytes:
    """Return *path* without ``.`` and ``..`` segments (RFC 3986 §5.2.4) and, if asked, without empty ones.

    merge_slashes: ``MergeSlashes``; runs of ``/`` become one.
    decode_unreserved: decode ``%xx`` of unreserved characters (RFC 3986 §6.2.2.2) first, so that ``%2e`` counts as a
        dot; this may be done to a path once only. A ``%`` without two hexadecimal digits is then an error.
    allow_relative: accept a path that does not begin with a slash (``*`` alone always is).
    allow_above_root: a ``..`` at the root stays at the root; else it is an error, as it is in a request. In no case does
        the result lead above the root.

    Raises PathError (400).
    """
    if path == b"*":
        return path
    absolute = path.startswith(b"/")
    if not absolute and not (allow_relative and path):
        raise PathError(400, "path does not begin with a slash", "AH10244")
    if absolute and not _NEEDS_WORK.search(path):
        return path
    if decode_unreserved:
        path = _ESCAPE.sub(_decode_unreserved, path)
    kept = _resolve(path[absolute:].split(b"/"), merge_slashes, allow_above_root)
    return (b"/" if absolute else b"") + b"/".join(kept)


def _resolve(segments: list[bytes], merge_slashes: bool, allow_above_root: bool) -> list[bytes]:
    kept: list[bytes] = []
    last = segments.pop()
    for segment in segments:
        if segment == b"..":
            _climb(kept, allow_above_root)
        elif segment != b"." and (segment or not merge_slashes):
            kept.append(segment)
    if last == b"..":
        _climb(kept, allow_above_root)
    # "/a/." and "/a/.." name a folder, so they keep the final slash.
    kept.append(b"" if last in (b".", b"..") else last)
    return kept


def _climb(kept: list[bytes], allow_above_root: bool) -> None:
    if kept:
        kept.pop()
    elif not allow_above_root:
        raise PathError(400, "path leads above the root", "AH10244")


def unescape_path(raw: bytes, *, allow_encoded_slashes: EncodedSlashes = "off") -> bytes:
    """Return *raw* with each ``%xx`` decoded, once (``AllowEncodedSlashes``, Apache's core manual page).

    allow_encoded_slashes: "off" refuses ``%2F`` with 404, "on" decodes it, "nodecode" leaves it as it stands. Decoded
        slashes make new segments: after "on", Apache normalizes once more, without decoding and staying at the root.

    Raises PathError: 400 for a ``%`` without two hexadecimal digits, 404 for ``%00`` and a forbidden ``%2F``.
    """
    if b"%" not in raw:
        return raw
    forbidden = False

    def decode(found: re.Match[bytes]) -> bytes:
        nonlocal forbidden
        digits: bytes | None = found[1]
        if digits is None:
            raise PathError(400, "percent sign without two hexadecimal digits", "AH10244")
        octet = int(digits, 16)
        if octet == 0x2F and allow_encoded_slashes == "nodecode":
            return found[0]
        if octet == 0 or (octet == 0x2F and allow_encoded_slashes == "off"):
            forbidden = True
        return bytes((octet,))

    decoded = _ESCAPE.sub(decode, raw)
    if forbidden:
        raise PathError(404, "encoded slash or NUL in the path", "AH00026")
    return decoded
