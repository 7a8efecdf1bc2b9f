"""Validators and preconditions of a request record: glue between `r` and the pure rules of `protocol.conditions`.

Where the rules make the answer depend on the clock, the record says that it is volatile.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from coachwhip.api.buckets import OpenFile
from coachwhip.api.core import ETag
from coachwhip.api.files import MISSING, REGULAR
from coachwhip.api.outcome import OK, Result
from coachwhip.api.request import Request
from coachwhip.protocol import conditions as rules
from coachwhip.protocol.conditions import Conditions, Verdict
from coachwhip.util.dates import http_date, parse_http_date
from coachwhip.util.etags import ETagFlag, make_digest_etag, make_etag
from coachwhip.util.remember import remember

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["conditions_of", "content_md5", "meets", "range_applies", "set_validators"]

#: A file that changed within this many seconds before the request may change again unseen: its tag is weak (RFC 9110 §8.8.1).
FRESH = 1.0
#: Within this many seconds after a change, a date is too weak a validator for a range.
STRONG_DATE = 60
_NO_TAG = ETag.NONE


def set_validators(pipeline: Pipeline, r: Request, parts: ETag) -> None:
    """`Last-Modified` from `r.mtime`, `ETag` from the file at hand, by `FileETag` and a negotiated list's own tag."""
    now = pipeline.now()
    if r.mtime is not None:
        changed = r.mtime
        if changed > now:
            changed = now
            r.record.make_volatile("file from the future")
        r.headers_out.set("Last-Modified", http_date(changed))
    etag = _etag(r, parts, now)
    if etag:
        r.headers_out.set("ETag", etag)


def _etag(r: Request, parts: ETag, now: float) -> str:
    stat = r.finfo
    if parts is _NO_TAG:
        r.notes["no-etag"] = "omit"
        return ""
    if stat.kind is MISSING:
        return ""
    weak = now - stat.mtime_ns / 1e9 <= FRESH
    if weak:
        # Only for a moment; the strong tag takes its place when the file has settled.
        r.record.make_volatile("file changed a moment ago")
    suffix = f";{r.vlist_validator}" if r.vlist_validator else ""
    if stat.kind is REGULAR and _is_digest(parts):
        file = r.files.open(r.filename or "")
        try:
            digest = hashlib.sha1(usedforsecurity=False)
            _feed(digest, file)
        finally:
            file.close()
        return _open(make_digest_etag(digest.digest(), suffix=suffix).decode("latin-1"), suffix)
    return _tag_of((stat.size, stat.mtime_ns, stat.inode, parts, weak, suffix))


@remember(most=256)
def _tag_of(file: tuple[int, int, int, ETag, bool, str]) -> str:
    """`file`: size, time of change in nanoseconds, inode, parts, whether the tag is weak, and its suffix."""
    size, mtime_ns, inode, parts, weak, suffix = file
    flags = ETagFlag(0)
    for part, flag in _FLAGS:
        if parts & part:
            flags |= flag
    tag = make_etag(size, mtime_ns // 1000, inode, flags=flags, weak=weak, suffix=suffix)
    return _open(tag.decode("latin-1"), suffix) if tag else ""


def _open(tag: str, suffix: str) -> str:
    """The tag of a negotiated answer ends without its quotation mark, as Apache's does: caches compare it octet for octet."""
    return tag[:-1] if suffix else tag


@remember(most=16)
def _is_digest(parts: ETag) -> bool:
    """Whether the tag is made from the content."""
    return bool(parts & ETag.DIGEST)


_FLAGS = ((ETag.INODE, ETagFlag.INODE), (ETag.MTIME, ETagFlag.MTIME), (ETag.SIZE, ETagFlag.SIZE))


def content_md5(file: OpenFile) -> str:
    """The value of `Content-MD5`: the file's MD5 in base64 (RFC 1864)."""
    digest = hashlib.md5(usedforsecurity=False)
    _feed(digest, file)
    return base64.b64encode(digest.digest()).decode("ascii")


def _feed(digest: hashlib._Hash, file: OpenFile) -> None:
    at = 0
    while piece := file.read_at(at, 1 << 20):
        digest.update(piece)
        at += len(piece)


#: The fields that `conditions_of` reads.
_FIELDS = frozenset(("if-match", "if-unmodified-since", "if-none-match", "if-modified-since", "if-range", "range"))


def conditions_of(r: Request) -> Conditions:
    """The conditional fields of the request."""

    def field(name: str) -> bytes | None:
        value = r.headers_in.get(name)
        return None if value is None else value.encode("latin-1")

    return Conditions(
        if_match=field("If-Match"),
        if_unmodified_since=field("If-Unmodified-Since"),
        if_none_match=field("If-None-Match"),
        if_modified_since=field("If-Modified-Since"),
        if_range=field("If-Range"),
        range=field("Range"),
    )


def meets(pipeline: Pipeline, r: Request) -> Result:
    """RFC 9110 §13: OK, 304 or 412."""
    if r.main is not None or r.no_local_copy or not r.headers_in.has_any(_FIELDS):
        return OK
    asked = conditions_of(r)
    if not asked:
        return OK
    _limit_validity(pipeline, r, asked)
    etag = r.headers_out.get("ETag")
    verdict = rules.meets_conditions(
        asked,
        method=r.method.encode("latin-1"),
        status=r.status,
        etag=etag.encode("latin-1") if etag else None,
        mtime=int(r.mtime) if r.mtime is not None else None,
        now=int(pipeline.now()),
    )
    return OK if verdict is Verdict.OK else verdict.value


def _limit_validity(pipeline: Pipeline, r: Request, asked: Conditions) -> None:
    """A date in the future, a range of a young file, a date where nothing says when it changed: the clock alone changes the verdict."""
    now = pipeline.now()
    if r.mtime is None and (asked.if_modified_since is not None or asked.if_unmodified_since is not None):
        # What has no time of change is taken to change all the time.
        r.record.make_volatile("date without a time of change")
    if asked.if_modified_since is not None:
        since = parse_http_date(asked.if_modified_since)
        if since is not None and since > now:
            r.record.make_volatile("date in the future")
    if asked.range is not None and r.mtime is not None and now < r.mtime + STRONG_DATE:
        r.record.make_volatile("range of a file changed within a minute")


def range_applies(pipeline: Pipeline, r: Request) -> bool:
    """Whether `Range` may be honoured in the light of `If-Range` (RFC 9110 §13.1.5)."""
    etag = r.headers_out.get("ETag")
    asked = conditions_of(r)
    if asked.if_range is not None:
        _limit_validity(pipeline, r, asked)
    return rules.range_applies(
        asked,
        etag=etag.encode("latin-1") if etag else None,
        mtime=int(r.mtime) if r.mtime is not None else None,
        now=int(pipeline.now()),
    )
