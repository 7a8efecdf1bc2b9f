"""Ranges cut a complete body into a 206, or into one part for each; files are never copied."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.buckets import Brigade, Data, File
from coachwhip.api.core import CoreDir
from coachwhip.api.headers import Headers, HeadersIn
from coachwhip.api.record import Record
from coachwhip.filters.ranges import Unsatisfiable, apply_ranges

TEXT = b"0123456789"


def request(value: str | None, **changed: Any) -> Any:
    fields = [] if value is None else [("Range", value)]
    plain: dict[str, Any] = {
        "status": 200, "status_line": None, "main": None, "is_http09": False, "core": CoreDir(), "method": "GET",
        "headers_in": HeadersIn(fields, Record()), "headers_out": Headers(), "content_type": "text/plain", "content_range": "",
    }  # fmt: skip
    return SimpleNamespace(**{**plain, **changed})


def cut(value: str | None, body: Brigade | None = None, *, applies: bool = True, **changed: Any) -> tuple[Any, Brigade]:
    r = request(value, **changed)
    body = [Data(TEXT[:4]), Data(TEXT[4:])] if body is None else body
    apply_ranges(r, body, lambda asked: applies)
    return r, body


def text(body: Brigade) -> bytes:
    return b"".join(b.data for b in body if isinstance(b, Data))


@pytest.mark.parametrize(
    ("value", "content", "field"),
    [
        ("bytes=2-5", b"2345", "bytes 2-5/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_one_range(value: str, content: bytes, field: str) -> None:
    r, body = cut(value)
    assert (r.status, text(body), r.content_range) == (206, content, field)


def test_several_ranges_are_parts_with_their_own_heads() -> None:
    r, body = cut("bytes=0-0,9-9")
    boundary = r.content_type.removeprefix("multipart/byteranges; boundary=").strip('"').encode()
    assert r.status == 206
    assert text(body) == (
        b"\r\n--%b\r\nContent-type: text/plain\r\nContent-range: bytes 0-0/10\r\n\r\n0"
        b"\r\n--%b\r\nContent-type: text/plain\r\nContent-range: bytes 9-9/10\r\n\r\n9\r\n--%b--\r\n" % (boundary, boundary, boundary)
    )


@pytest.mark.parametrize(
    ("value", "changed"),
    [
        (None, {}),
        ("lines=1-2", {}),
        ("bytes=x", {}),
        ("bytes=1-2", {"method": "PUT"}),
        ("bytes=1-2", {"status": 404}),
        ("bytes=1-2", {"main": object()}),
        ("bytes=1-2", {"core": CoreDir(max_ranges=0)}),
        ("bytes=1-2", {"applies": False}),
        ("bytes=1-2", {"headers_out": Headers([("Content-Range", "bytes 0-1/2")])}),
    ],
)
def test_the_whole_is_sent(value: str | None, changed: dict[str, Any]) -> None:
    r, body = cut(value, **changed)
    assert (r.status, text(body)) == (changed.get("status", 200), TEXT)


def test_beyond_the_end() -> None:
    with pytest.raises(Unsatisfiable):
        cut("bytes=10-")


def test_a_file_is_cut_by_numbers() -> None:
    _, body = cut("bytes=2-5", [File(object(), 100, 10)])  # type: ignore[arg-type]
    assert [(b.start, b.length) for b in body if isinstance(b, File)] == [(102, 4)]


@given(st.lists(st.binary(max_size=5), max_size=5), st.integers(0, 25), st.integers(0, 25))
def test_a_range_is_a_slice_however_the_body_is_split(pieces: list[bytes], first: int, count: int) -> None:
    whole = b"".join(pieces)
    body: Brigade = [Data(piece) for piece in pieces]
    if first >= len(whole):
        return
    cut(f"bytes={first}-{first + count}", body)
    assert text(body) == whole[first : first + count + 1]
