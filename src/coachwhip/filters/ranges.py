"""The byte-range filter: turns a whole 200 into a 206, or refuses with 416.

Works on a complete brigade only, as Apache's does: a body whose length is not known yet is sent whole. The rules for the
header are in `protocol.ranges`; this is the part that cuts buckets.
Source: RFC 9110 §14.2, §15.3.7; Apache manual, `MaxRanges`.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from coachwhip.api.buckets import Brigade, Data, File
from coachwhip.api.request import Request
from coachwhip.filters.head import content_type
from coachwhip.protocol.ranges import (
    UNSATISFIABLE,
    byteranges_type,
    content_range,
    parse_ranges,
    part_head,
    parts_end,
)

__all__ = ["Unsatisfiable", "apply_ranges"]

#: Chosen at the start and kept, as Apache does: nobody can foretell it, and an answer can be replayed.
_BOUNDARY = os.urandom(8).hex().encode("ascii")


class Unsatisfiable(Exception):
    """None of the ranges overlaps the body: the request is to be answered 416."""


def apply_ranges(r: Request, body: Brigade, applies: Callable[[Request], bool]) -> None:
    """Cut `body` (complete, without its `End`) in place if the request asks for ranges that are to be served.

    `applies` judges `If-Range`.

    Raises:
        Unsatisfiable: see there.
    """
    if r.status != 200 or r.main is not None or r.is_http09:
        return
    asked = r.headers_in.get("Range")
    if asked is None:
        return
    conf = r.core
    if "Content-Range" in r.headers_out or conf.max_ranges == 0 or r.method not in ("GET", "HEAD", "POST") or not applies(r):
        return
    size = sum(len(bucket) for bucket in body if isinstance(bucket, (Data, File)))
    ranges = parse_ranges(
        asked.encode("latin-1"),
        size,
        max_ranges=_limit(conf.max_ranges),
        max_overlaps=_limit(conf.max_range_overlaps),
        max_reversals=_limit(conf.max_range_reversals),
    )
    if ranges is None:
        return
    if ranges is UNSATISFIABLE:
        raise Unsatisfiable
    r.status = 206
    r.status_line = None
    r.headers_out.unset("Content-Length")
    if len(ranges) == 1:
        first, last = ranges[0]
        r.content_range = content_range(first, last, size).decode("ascii")
        body[:] = _cut(body, first, last)
        return
    kind = content_type(r)
    parts: Brigade = []
    for first, last in ranges:
        parts.append(Data(part_head(_BOUNDARY, kind.encode("latin-1") if kind else None, first, last, size)))
        parts += _cut(body, first, last)
    parts.append(Data(parts_end(_BOUNDARY)))
    r.content_type = byteranges_type(_BOUNDARY).decode("ascii")
    body[:] = parts


def _limit(value: int) -> int | None:
    return None if value < 0 else value


def _cut(body: Brigade, first: int, last: int) -> Brigade:
    """The octets `first` to `last` of the whole, without copying files."""
    out: Brigade = []
    at = 0
    for bucket in body:
        if not isinstance(bucket, (Data, File)):
            continue
        start, stop = max(first - at, 0), min(last + 1 - at, len(bucket))
        at += len(bucket)
        if start >= stop:
            continue
        if isinstance(bucket, Data):
            out.append(Data(bucket.data[start:stop]))
        else:
            out.append(File(bucket.file, bucket.start + start, stop - start))
    return out
