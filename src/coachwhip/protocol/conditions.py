"""Preconditions (RFC 9110 §13) in Apache's order and with Apache's notion of a weak date.

A pure decision: the caller hands over the request's fields and what is known of the representation, and gets the
outcome. Whether a request is conditional at all (a sub-request is not) is the caller's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from coachwhip.util.dates import parse_http_date
from coachwhip.util.etags import strong_match, weak_match

# A date is a strong validator only if the file did not change in the minute before it was told (RFC 9110 §8.8.2.2).
_STRONG_AGE = 60


class Verdict(Enum):
    """What the preconditions say."""

    OK = 200
    NOT_MODIFIED = 304
    FAILED = 412


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional fields of a request, None where absent. `range` matters only by its presence."""

    if_match: bytes | None = None
    if_unmodified_since: bytes | None = None
    if_none_match: bytes | None = None
    if_modified_since: bytes | None = None
    if_range: bytes | None = None
    range: bytes | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to decide."""
        return not (
            self.if_match is None
            and self.if_unmodified_since is None
            and self.if_none_match is None
            and self.if_modified_since is None
        )


def meets_conditions(
    conditions: Conditions,
    *,
    method: bytes,
    status: int,
    etag: bytes | None,
    mtime: int | None,
    now: int,
) -> Verdict:
    """Decide a request's preconditions.

    method: GET and HEAD may be answered 304, all others 412.
    status: what would be answered; preconditions apply to successes only.
    etag: the entity tag that would be sent, or None.
    mtime: time of change in seconds since the epoch (``Last-Modified``), or None when it is not known: then it is *now*.
    now: when the request came, in seconds since the epoch.
    """
    if not 200 <= status < 300 or not conditions:
        return Verdict.OK
    changed = now if mtime is None else min(mtime, now)
    if not _if_match(conditions, etag) or _modified_since(conditions, changed, now):
        return Verdict.FAILED
    readonly = method in (b"GET", b"HEAD")
    same_tag = _if_none_match(conditions, etag, readonly)
    if same_tag and not readonly:
        return Verdict.FAILED
    if not readonly or _insists_on_content(conditions):
        return Verdict.OK
    unchanged = _if_modified_since(conditions, changed, now)
    # Either field may veto a 304; at least one has to ask for it.
    if (same_tag or unchanged) and same_tag is not False and unchanged is not False:
        return Verdict.NOT_MODIFIED
    return Verdict.OK


def _insists_on_content(conditions: Conditions) -> bool:
    """Tell whether a field forbids a 304: a date to be unmodified since (readable or not), or a conditional range."""
    if conditions.if_range is not None and conditions.range is not None:
        return True
    return conditions.if_unmodified_since is not None


def _if_match(conditions: Conditions, etag: bytes | None) -> bool:
    value = conditions.if_match
    return value is None or value[:1] == b"*" or (etag is not None and strong_match(value, etag))


def _modified_since(conditions: Conditions, mtime: int, now: int) -> bool:
    """Tell whether ``If-Unmodified-Since`` fails. A date that cannot be read never does."""
    value = conditions.if_unmodified_since
    limit = None if value is None else parse_http_date(value)
    if limit is None or mtime <= limit:
        return False
    return not _too_weak_for_range(conditions, mtime, now)


def _too_weak_for_range(conditions: Conditions, mtime: int, now: int) -> bool:
    """Tell whether the date must not decide: it is a weak validator yet, and part of a representation is asked for."""
    return conditions.range is not None and now < mtime + _STRONG_AGE


def _if_none_match(conditions: Conditions, etag: bytes | None, readonly: bool) -> bool | None:
    """Tell whether the client has this very representation; None when it did not ask."""
    value = conditions.if_none_match
    if value is None:
        return None
    if value[:1] == b"*":
        return True
    if etag is None:
        return False
    # A range of a weakly equal representation would not fit the rest of it.
    match = weak_match if readonly and conditions.range is None else strong_match
    return match(value, etag)


def _if_modified_since(conditions: Conditions, mtime: int, now: int) -> bool | None:
    """Tell whether nothing changed since the date; None without the field. What is no date is a very old one."""
    if conditions.if_modified_since is None:
        return None
    since = parse_http_date(conditions.if_modified_since) or 0
    return mtime <= since <= now and not _too_weak_for_range(conditions, mtime, now)


def range_applies(conditions: Conditions, *, etag: bytes | None, mtime: int | None, now: int) -> bool:
    """Tell whether ``Range`` may be honoured in the light of ``If-Range`` (RFC 9110 §13.1.5).

    Arguments as for `meets_conditions`.
    """
    value = conditions.if_range
    if value is None or conditions.range is None:
        return conditions.range is not None
    if value[:1] == b'"':
        return value == etag
    date = parse_http_date(value)
    changed = now if mtime is None else min(mtime, now)
    return date is not None and date == changed and now >= changed + _STRONG_AGE
