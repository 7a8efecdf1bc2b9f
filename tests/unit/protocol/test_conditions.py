"""Preconditions (RFC 9110 §13). Answers were recorded from Apache 2.4.71 with files of known time and tag."""

import pytest

from coachwhip.protocol.conditions import Conditions, Verdict, meets_conditions, range_applies
from coachwhip.util.dates import http_date

NOW = 1_800_000_000
OLD = 1_700_000_000
TAG = b'"32-60a24181e4000"'


def date(seconds: int) -> bytes:
    return http_date(seconds).encode("ascii")


def answer(
    conditions: Conditions, *, method: bytes = b"GET", etag: bytes | None = TAG, mtime: int | None = OLD, status: int = 200
) -> int:
    verdict = meets_conditions(conditions, method=method, status=status, etag=etag, mtime=mtime, now=NOW)
    if verdict is Verdict.OK and range_applies(conditions, etag=etag, mtime=mtime, now=NOW):
        return 206
    return verdict.value


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (TAG, 200),
        (b"*", 200),
        (b'"x", ' + TAG, 200),
        (b"W/" + TAG, 412),
        (b'"x"', 412),
        (b"x" + TAG, 412),
        (b'"x" ' + TAG, 412),
        (b"", 412),
    ],
)
def test_if_match(value: bytes, status: int) -> None:
    assert answer(Conditions(if_match=value)) == status
    assert answer(Conditions(if_match=value), method=b"PUT") == status


@pytest.mark.parametrize(
    ("value", "status"),
    [(date(OLD), 200), (date(OLD + 1), 200), (date(OLD - 1), 412), (b"junk", 200), (b"", 200)],
)
def test_if_unmodified_since(value: bytes, status: int) -> None:
    assert answer(Conditions(if_unmodified_since=value)) == status


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (TAG, 304),
        (b"W/" + TAG, 304),
        (b"*", 304),
        (b'"a,b", ' + TAG, 304),
        (b'"x"', 200),
        (b"x" + TAG, 200),
        (b"", 200),
    ],
)
def test_if_none_match(value: bytes, status: int) -> None:
    assert answer(Conditions(if_none_match=value)) == status
    assert answer(Conditions(if_none_match=value), method=b"HEAD") == status


def test_if_none_match_fails_other_methods() -> None:
    assert answer(Conditions(if_none_match=b"*"), method=b"PUT") == 412
    assert answer(Conditions(if_none_match=b'"x"'), method=b"PUT") == 200
    assert answer(Conditions(if_none_match=b"W/" + TAG), method=b"PUT") == 200


def test_a_part_wants_a_strong_tag() -> None:
    assert answer(Conditions(if_none_match=b"W/" + TAG, range=b"bytes=0-1")) == 206
    assert answer(Conditions(if_none_match=TAG, range=b"bytes=0-1")) == 304


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (date(OLD), 304),
        (date(OLD + 1), 304),
        (date(OLD - 1), 200),
        (date(NOW), 304),
        (date(NOW + 1), 200),
        (b"junk", 200),
        (b"", 200),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ],
)
def test_if_modified_since(value: bytes, status: int) -> None:
    assert answer(Conditions(if_modified_since=value)) == status


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        (Conditions(if_none_match=TAG, if_modified_since=date(OLD - 1)), 200),
        (Conditions(if_none_match=b'"x"', if_modified_since=date(OLD)), 200),
        (Conditions(if_none_match=TAG, if_modified_since=date(OLD)), 304),
        (Conditions(if_none_match=b"", if_modified_since=date(NOW)), 200),
        (Conditions(if_none_match=TAG, if_modified_since=b""), 200),
        (Conditions(if_match=b"*", if_none_match=TAG), 304),
        (Conditions(if_match=b'"x"', if_none_match=TAG), 412),
        (Conditions(if_unmodified_since=date(OLD), if_none_match=TAG), 200),
        (Conditions(if_unmodified_since=b"junk", if_none_match=TAG), 200),
        (Conditions(if_unmodified_since=date(OLD - 1), if_none_match=TAG), 412),
        (Conditions(if_unmodified_since=date(OLD), if_modified_since=date(NOW)), 200),
    ],
)
def test_several_conditions(conditions: Conditions, status: int) -> None:
    assert answer(conditions) == status


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (None, 206),
        (TAG, 206),
        (date(OLD), 206),
        (b"W/" + TAG, 200),
        (b'"x", ' + TAG, 200),
        (date(OLD + 1), 200),
        (date(OLD - 1), 200),
        (b"junk", 200),
        (b"", 200),
        (b"*", 200),
    ],
)
def test_if_range(value: bytes | None, status: int) -> None:
    assert answer(Conditions(if_range=value, range=b"bytes=0-1")) == status
    if value is not None:
        # An answer to a conditional range is never 304, but without Range the field means nothing.
        assert answer(Conditions(if_range=value, range=b"bytes=0-1", if_none_match=TAG)) == status
        assert answer(Conditions(if_range=value, if_none_match=TAG)) == 304


def test_a_file_of_this_minute_has_a_weak_date() -> None:
    fresh = NOW - 5
    assert answer(Conditions(if_range=date(fresh), range=b"bytes=0-1"), mtime=fresh) == 200
    assert answer(Conditions(if_modified_since=date(fresh)), mtime=fresh) == 304
    assert answer(Conditions(if_modified_since=date(fresh), range=b"bytes=0-1"), mtime=fresh) == 206
    assert answer(Conditions(if_unmodified_since=date(fresh - 1)), mtime=fresh) == 412
    assert answer(Conditions(if_unmodified_since=date(fresh - 1), range=b"bytes=0-1"), mtime=fresh) == 206


def test_a_file_of_the_future_changed_now() -> None:
    future = NOW + 86400
    assert answer(Conditions(if_unmodified_since=date(NOW)), mtime=future) == 200
    assert answer(Conditions(if_modified_since=date(NOW)), mtime=future) == 304
    assert answer(Conditions(if_modified_since=date(future)), mtime=future) == 200


def test_only_successes_are_conditional() -> None:
    assert answer(Conditions(if_match=b'"x"'), status=404) == 200
    assert not Conditions(range=b"bytes=0-1", if_range=TAG)


def test_without_a_tag_or_time() -> None:
    assert answer(Conditions(if_match=TAG), etag=None) == 412
    assert answer(Conditions(if_none_match=TAG), etag=None) == 200
    assert answer(Conditions(if_modified_since=date(NOW)), mtime=None) == 304
    assert answer(Conditions(if_modified_since=date(NOW - 1)), mtime=None) == 200
