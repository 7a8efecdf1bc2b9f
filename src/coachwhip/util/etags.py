"""Entity tags: reading lists of them, comparing them, and making Apache's (RFC 9110 §8.8.3, core's ``FileETag``).

Tags are bytes as they stand in the header, quotes and ``W/`` included.
"""

from __future__ import annotations

import base64
import hashlib
import re
from enum import Flag, auto
from functools import cache

_MEMBER = re.compile(rb'(?:[^",]|"[^"]*"?)+')


class ETagFlag(Flag):
    """The words of ``FileETag``; NONE alone makes no tag."""

    NONE = 0
    INODE = auto()
    MTIME = auto()
    SIZE = auto()
    DIGEST = auto()

    #: There is one of each combination; Enum's own hash, of the name, is slow.
    __hash__ = object.__hash__


#: ``FileETag``'s default.
DEFAULT_FLAGS = ETagFlag.MTIME | ETagFlag.SIZE


def parse_etag_list(value: bytes) -> list[bytes]:
    """Return the members of an ``If-Match`` or ``If-None-Match`` value, in order, as they stand there.

    Commas inside the quotes belong to the tag. Text that is no tag is kept, as the odd member it is: nothing equals it.
    """
    return [tag for found in _MEMBER.finditer(value) if (tag := found[0].strip(b" \t"))]


def strong_match(value: bytes, etag: bytes) -> bool:
    """Tell whether the list *value* holds *etag* by strong comparison: equal, and neither of them weak."""
    return not etag.startswith(b"W/") and etag in parse_etag_list(value)


def weak_match(value: bytes, etag: bytes) -> bool:
    """Tell whether the list *value* holds *etag* by weak comparison: equal but for the ``W/`` of either."""
    bare = etag.removeprefix(b"W/")
    return any(tag.removeprefix(b"W/") == bare for tag in parse_etag_list(value))


def make_etag(
    size: int,
    mtime_us: int,
    inode: int = 0,
    *,
    flags: ETagFlag = DEFAULT_FLAGS,
    weak: bool = False,
    suffix: str = "",
) -> bytes | None:
    """Return Apache's tag for a file: hexadecimal numbers in the order inode, size, time of change. None for no flags.

    mtime_us: microseconds since the epoch.
    weak: put ``W/`` in front; see `is_weak`.
    suffix: what names a variant or a coding, e.g. ``;vlv`` or ``-gzip``; it goes inside the quotes.
    """
    shape = _shape(flags)
    if not shape:
        return None
    tag = shape % {"inode": inode & _64_BITS, "size": size & _64_BITS, "mtime": mtime_us & _64_BITS}
    return f'{"W/" if weak else ""}"{tag}{suffix}"'.encode("latin-1")


_64_BITS = 0xFFFF_FFFF_FFFF_FFFF


@cache
def _shape(flags: ETagFlag) -> str:
    """The numbers of a tag, in Apache's order."""
    numbers = ((ETagFlag.INODE, "%(inode)x"), (ETagFlag.SIZE, "%(size)x"), (ETagFlag.MTIME, "%(mtime)x"))
    return "-".join([number for flag, number in numbers if flag in flags])


def is_weak(mtime_us: int, request_time_us: int) -> bool:
    """Tell whether a file is too new for a strong tag: it changed within the second before the request, or after it.

    Both in microseconds since the epoch. Another change in that second could go unnoticed (RFC 9110 §8.8.1).
    """
    return request_time_us - mtime_us <= 1_000_000


def make_digest_etag(content_sha1: bytes, *, suffix: str = "") -> bytes:
    """Return the tag of ``FileETag Digest``: the SHA-1 digest (20 octets) of the content in base64."""
    return b'"' + base64.b64encode(content_sha1) + suffix.encode("latin-1") + b'"'


def content_digest(content: bytes) -> bytes:
    """Return the SHA-1 digest that `make_digest_etag` takes. It tells versions apart and protects nothing."""
    return hashlib.sha1(content, usedforsecurity=False).digest()
