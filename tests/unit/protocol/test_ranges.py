"""Byte ranges (RFC 9110 §14). Every answer was recorded from Apache 2.4.71 with a file of 10,000 octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.protocol.ranges import (
    UNSATISFIABLE,
    RangeResult,
    byteranges_type,
    content_range,
    parse_ranges,
    part_head,
    parts_end,
)

SIZE = 10000


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"bytes=0-0", [(0, 0)]),
        (b"bytes=0-", [(0, 9999)]),
        (b"bytes=-1", [(9999, 9999)]),
        (b"bytes=-0", None),
        (b"bytes=-10000", [(0, 9999)]),
        (b"bytes=-99999", [(0, 9999)]),
        (b"bytes=9999-", [(9999, 9999)]),
        (b"bytes=9999-9999", [(9999, 9999)]),
        (b"bytes=10000-", UNSATISFIABLE),
        (b"bytes=10000-10001", UNSATISFIABLE),
        (b"bytes=9-3", None),
        (b"bytes=0-99999", [(0, 9999)]),
        (b"bytes=0-99999999999999999999999", None),
        (b"bytes=99999999999999999999-", None),
        (b"bytes=", None),
        (b"bytes", None),
        (b"bytes=-", None),
        (b"bytes=a-b", None),
        (b"bytes=0", None),
        (b"bytes=0-1,", [(0, 1)]),
        (b"bytes=,0-1", None),
        (b"bytes=0-1,,2-3", [(0, 3)]),
        (b"bytes= 0-1", None),
        (b"bytes=0 -1", None),
        (b"bytes=0- 1", None),
        (b"bytes=0-1", [(0, 1)]),
        (b"bytes=0-1, 5-6", None),
        (b"bytes=0-1 ,5-6", None),
        (b"bytes=0-1,5-6", [(0, 1), (5, 6)]),
        (b"bytes=5-6,0-1", [(5, 6), (0, 1)]),
        (b"bytes=0-5,3-8", [(0, 8)]),
        (b"bytes=0-5,6-8", [(0, 8)]),
        (b"bytes=0-5,0-5", [(0, 5)]),
        (b"bytes=0-1,9999999-", [(0, 1)]),
        (b"bytes=10000-,20000-", UNSATISFIABLE),
        (b"bytes=0-0,a", None),
        (b"bytes=9-3,0-1", None),
        (b"bytes=0-1,9-3", None),
        (b"BYTES=0-1", [(0, 1)]),
        (b"Bytes=0-1", [(0, 1)]),
        (b"bytes =0-1", None),
        (b"chars=0-1", None),
        (b"bytes=0-1;2-3", None),
        (b"bytes=1_0-", None),
        (b"bytes=+1-2", None),
        (b"bytes=-+5", None),
        (b"bytes=--5", None),
        (b"bytes=0-1-2", None),
        (b"bytes=0x0-1", None),
        (b"bytes=00-001", [(0, 1)]),
        (b"bytes=0-9999", [(0, 9999)]),
        (b"bytes=0-9998", [(0, 9998)]),
        (b"bytes=1-9999", [(1, 9999)]),
        (b"bytes=0-4999,5000-9999", [(0, 9999)]),
        (b"bytes=0-1\t,\t5-6", None),
        (b"request-range", None),
        (b"bytes=-5,0-1", [(9995, 9999), (0, 1)]),
        (b"bytes=-5,-3", [(9995, 9999)]),
        (b"bytes=-1,-1", [(9999, 9999)]),
        (b"bytes=0-0,-1", [(0, 0), (9999, 9999)]),
        (b"bytes=5-,0-1", [(5, 9999), (0, 1)]),
        (b"bytes=0-9223372036854775807", [(0, 9999)]),
        (b"bytes=9223372036854775807-", UNSATISFIABLE),
        (b"bytes=-9223372036854775807", [(0, 9999)]),
        (b"bytes=-9223372036854775808", None),
        (b"bytes=0-1,2-3,4-5", [(0, 5)]),
        (b"bytes=0-1,10000-", [(0, 1)]),
        (b"bytes=10000-,0-1", [(0, 1)]),
        (b"bytes=-0,0-1", None),
        (b"bytes=0-1,-0", None),
        (b"bytes=9-3,9-3,9-3,9-3,9-3", None),
        (b"bytes=0-9999,0-9999", [(0, 9999)]),
        (b"bytes=0-9999,5-6", [(0, 9999)]),
        (b"bytes=0-,0-,0-", [(0, 9999)]),
        (b"bytes=0-8999,9500-9999,0-8999", None),
        (b"bytes=0-4998,5000-9999,0-1", None),
        (b"bytes=0-4998,5000-9999,0-0", [(0, 4998), (5000, 9999), (0, 0)]),
        (b"bytes=0-4998,5000-9999", [(0, 4998), (5000, 9999)]),
        (b"bytes=1-9999,0-0", [(0, 9999)]),
        (b"bytes=2-9999,0-0,0-0", [(2, 9999), (0, 0)]),
        (b"bytes=0-10,20-30,0-10", [(0, 10), (20, 30), (0, 10)]),
        (b"bytes=0-5000,6000-9999,0-1000", None),
        (b"bytes=0-4000,6000-9999,0-1999", None),
        (b"bytes=0-4000,6000-9999,0-1998", [(0, 4000), (6000, 9999), (0, 1998)]),
    ],
)
def test_ranges(header: bytes, answer: RangeResult) -> None:
    assert parse_ranges(header, SIZE) == answer


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"bytes=0-1,4-5,8-9", [(0, 1), (4, 5), (8, 9)]),
        (b"bytes=0-1,4-5,8-9,12-13", None),
        (b"bytes=0-5,3-8", [(0, 8)]),
        (b"bytes=0-5,3-8,7-9", None),
        (b"bytes=4-5,0-1", [(4, 5), (0, 1)]),
        (b"bytes=8-9,4-5,0-1", [(8, 9), (4, 5), (0, 1)]),
        (b"bytes=0-5,0-5", [(0, 5)]),
        (b"bytes=0-5,5-6,6-7", None),
        (b"bytes=5-6,3-5", [(3, 6)]),
        (b"bytes=5-6,3-5,1-3", None),
        (b"bytes=5-6,3-5,20-21", [(3, 6), (20, 21)]),
        (b"bytes=5-6,3-4,20-21,18-19", None),
        (b"bytes=5-6,3-4", [(3, 6)]),
    ],
)
def test_small_limits(header: bytes, answer: RangeResult) -> None:
    """``MaxRanges 3``, ``MaxRangeOverlaps 1``, ``MaxRangeReversals 1``."""
    assert parse_ranges(header, SIZE, max_ranges=3, max_overlaps=1, max_reversals=1) == answer


def disjoint(count: int) -> bytes:
    return b"bytes=" + b",".join(b"%d-%d" % (20 * n, 20 * n + 1) for n in range(count))


def test_default_limits() -> None:
    for count, answered in ((199, True), (200, True), (201, False)):
        assert (parse_ranges(disjoint(count), SIZE) is not None) is answered
    for count, answered in ((21, True), (22, False)):
        assert (parse_ranges(b"bytes=" + b",".join([b"0-5"] * count), SIZE) is not None) is answered
    assert parse_ranges(disjoint(201), SIZE, max_ranges=None) is not None
    assert parse_ranges(b"bytes=" + b",".join([b"10000-"] * 250), SIZE) is UNSATISFIABLE
    assert parse_ranges(b"bytes=0-1" + b",20000-" * 250, SIZE) == [(0, 1)]


def test_nothing_of_an_empty_file() -> None:
    assert parse_ranges(b"bytes=0-0", 0) is None
    assert parse_ranges(b"bytes=-1", 0) is None


def test_numbers_are_ascii_and_bounded() -> None:
    assert parse_ranges("bytes=٠-١".encode(), SIZE) is None
    assert parse_ranges(b"bytes=0-" + b"9" * 5000, SIZE) is None


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12), st.integers(1, 50)
)
def test_an_answer_is_never_longer_than_the_file(bounds: list[tuple[int, int]], size: int) -> None:
    answer = parse_ranges(b"bytes=" + b",".join(b"%d-%d" % pair for pair in bounds), size)
    if isinstance(answer, list):
        assert all(0 <= first <= last < size for first, last in answer)
        assert sum(last - first + 1 for first, last in answer) <= size


@given(st.binary())
def test_any_header_is_answered(header: bytes) -> None:
    parse_ranges(b"bytes=" + header, SIZE)


def test_the_parts_of_a_multipart_answer() -> None:
    assert content_range(0, 1, SIZE) == b"bytes 0-1/10000"
    assert byteranges_type(b"XX") == b"multipart/byteranges; boundary=XX"
    assert part_head(b"XX", b"text/plain", 0, 1, SIZE) == (
        b"\r\n--XX\r\nContent-type: text/plain\r\nContent-range: bytes 0-1/10000\r\n\r\n"
    )
    assert part_head(b"XX", None, 0, 1, SIZE) == b"\r\n--XX\r\nContent-range: bytes 0-1/10000\r\n\r\n"
    assert parts_end(b"XX") == b"\r\n--XX--\r\n"
