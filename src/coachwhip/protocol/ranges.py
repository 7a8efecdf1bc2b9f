"""Byte ranges (RFC 9110 §14) with Apache's limits and Apache's way of joining ranges that touch.

A ``Range`` that cannot be read, or asks for too much work, is ignored, which the RFC allows: the whole representation
is the answer. Nothing here knows what is being sent; the range filter does.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, Literal

MAX_RANGES = 200
MAX_OVERLAPS = 20
MAX_REVERSALS = 20


class _Unsatisfiable(Enum):
    UNSATISFIABLE = "unsatisfiable"


#: The answer is 416: every range begins behind the end.
UNSATISFIABLE: Final = _Unsatisfiable.UNSATISFIABLE

ByteRange = tuple[int, int]
RangeResult = list[ByteRange] | Literal[_Unsatisfiable.UNSATISFIABLE] | None

# No number beyond 2**63 - 1, as Apache's length parser has it; 19 digits are enough to say that.
_SPEC = re.compile(rb"(?:0*([0-9]{1,19}))?-(?:0*([0-9]{1,19}))?")
_LARGEST = 2**63 - 1


def parse_ranges(
    header: bytes,
    size: int,
    *,
    max_ranges: int | None = MAX_RANGES,
    max_overlaps: int | None = MAX_OVERLAPS,
    max_reversals: int | None = MAX_REVERSALS,
) -> RangeResult:
    """Return the (first, last) octet pairs to send, `UNSATISFIABLE`, or None for "ignore the field".

    header: the value of ``Range``.
    size: octets of the representation.
    max_ranges: ``MaxRanges``; how many ranges may be left once touching neighbours are joined.
    max_overlaps, max_reversals: ``MaxRangeOverlaps``, ``MaxRangeReversals``; how often a range may touch the one
        before it, and how often such a range may begin before it. None is "unlimited" for all three.
    """
    if size <= 0 or header[:6].lower() != b"bytes=":
        return None
    joined = _Joiner()
    unsatisfiable = False
    for spec in _specs(header[6:]):
        bounds = _bounds(spec, size)
        if bounds is None:
            return None
        if bounds[0] >= size:
            unsatisfiable = True
            continue
        joined.add(*bounds)
    if not joined.ranges:
        return UNSATISFIABLE if unsatisfiable else None
    if _exceeds(joined.overlaps, max_overlaps) or _exceeds(joined.reversals, max_reversals):
        return None
    if _exceeds(len(joined.ranges), max_ranges) or sum(last - first + 1 for first, last in joined.ranges) > size:
        return None
    return joined.ranges


def _exceeds(count: int, limit: int | None) -> bool:
    return limit is not None and count > limit


def _specs(text: bytes) -> list[bytes]:
    """Split at runs of commas. An empty member in front spoils the list, one at the end does not (as in Apache)."""
    specs = text.split(b",")
    return specs[:1] + [spec for spec in specs[1:] if spec]


def _bounds(spec: bytes, size: int) -> ByteRange | None:
    """Return first and last octet of one range, cut to *size* at its end, or None when it cannot be read."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        return None
    first, last = (None if digits is None else int(digits) for digits in found.groups())
    if (first or 0) > _LARGEST or (last or 0) > _LARGEST:
        return None
    if first is None:
        return (max(0, size - last), size - 1) if last else None
    if last is None:
        return first, size - 1 if first < size else first
    return (first, min(last, size - 1)) if first <= last else None


class _Joiner:
    """Joins each range with the one before it when they touch, and counts how often that happened."""

    def __init__(self) -> None:
        self.ranges: list[ByteRange] = []
        self.overlaps = 0
        self.reversals = 0

    def add(self, first: int, last: int) -> None:
        if not self.ranges:
            self.ranges.append((first, last))
            return
        previous_first, previous_last = self.ranges[-1]
        if first > previous_last + 1 or last < previous_first - 1:
            self.ranges.append((first, last))
            return
        self.overlaps += 1
        if first < previous_first:
            self.reversals += 1
        self.ranges[-1] = (min(first, previous_first), max(last, previous_last))


def content_range(first: int, last: int, size: int) -> bytes:
    """Return the value of ``Content-Range`` for one range."""
    return b"bytes %d-%d/%d" % (first, last, size)


def part_head(boundary: bytes, content_type: bytes | None, first: int, last: int, size: int) -> bytes:
    """Return what precedes the octets of one part of ``multipart/byteranges`` (RFC 9110 §14.6), as Apache writes it."""
    kind = b"" if content_type is None else b"\r\nContent-type: " + content_type
    return b"\r\n--%b%b\r\nContent-range: %b\r\n\r\n" % (boundary, kind, content_range(first, last, size))


def parts_end(boundary: bytes) -> bytes:
    """Return what follows the last part."""
    return b"\r\n--%b--\r\n" % boundary


def byteranges_type(boundary: bytes) -> bytes:
    """Return the ``Content-Type`` of the whole multipart answer."""
    return b"multipart/byteranges; boundary=" + boundary
