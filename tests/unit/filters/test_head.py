"""The head of a response: order, what a 304 leaves out, and that nothing a hook sets can break out of its line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.core import CoreDir
from coachwhip.api.headers import Headers
from coachwhip.api.table import Table
from coachwhip.filters.head import MAX_GOOD, MAX_LENGTH, BadHeader, content_type, head_bytes, merged_fields

DATE = "Mon, 01 Jan 2024 00:00:00 GMT"


def request(**changed: Any) -> Any:
    plain: dict[str, Any] = {
        "status": 200, "status_line": None, "env": Table(), "notes": Table(), "protocol_number": 1001, "core": CoreDir(),
        "content_type": None, "content_encodings": [], "content_languages": [], "no_cache": False, "now": lambda: 1704067200.0,
        "headers_out": Headers(), "err_headers_out": Headers(),
    }  # fmt: skip
    return SimpleNamespace(**{**plain, **changed})


def head(r: Any) -> list[str]:
    return head_bytes(r, merged_fields(r), 1704067200.5, "Name").decode("latin-1").split("\r\n")


def test_order_of_fields() -> None:
    r = request(
        err_headers_out=Headers([("X-Always", "1")]),
        headers_out=Headers([("X-Sometimes", "2")]),
        content_type="text/html",
        content_encodings=["gzip"],
        content_languages=["de", "fr", "de"],
    )
    assert head(r) == [
        "HTTP/1.1 200 OK", f"Date: {DATE}", "Server: Name", "X-Always: 1", "X-Sometimes: 2", "Content-Type: text/html",
        "Content-Encoding: gzip", "Content-Language: de,fr", "", "",
    ]  # fmt: skip


def test_a_304_does_not_describe_content() -> None:
    fields = [("ETag", '"a"'), ("Content-Length", "5"), ("Content-Range", "x"), ("Content-Location", "b")]
    r = request(status=304, headers_out=Headers(fields), content_type="text/html", content_languages=["en"])
    assert head(r)[3:-2] == ['ETag: "a"', "Content-Location: b"]


def test_a_hook_may_set_date_server_and_the_status_line() -> None:
    r = request(status_line="200 Fine", headers_out=Headers([("Date", "then"), ("Server", "me")]))
    assert head(r)[:3] == ["HTTP/1.1 200 Fine", "Date: then", "Server: me"]


@pytest.mark.parametrize(
    ("values", "sent"),
    [(["a, b", "B,c"], "a,b,c"), (["a", "*"], "*"), ([" a ,,a"], "a")],
)
def test_vary_is_folded(values: list[str], sent: str) -> None:
    assert merged_fields(request(headers_out=Headers(("Vary", v) for v in values))).get_all("Vary") == [sent]


def test_variables_and_notes_that_hide_fields() -> None:
    out = Headers([("Vary", "a"), ("ETag", '"a"')])
    assert len(merged_fields(request(headers_out=out, env=Table({"force-no-vary": "1"}), notes=Table({"no-etag": "omit"})))) == 0


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("text/plain;x=y", "text/plain;x=y; charset=utf-8"),
        ("text/html; charset=koi8-r", "text/html; charset=koi8-r"),
        ("text/css", "text/css"),
        (None, None),
    ],
)
def test_default_charset(kind: str | None, sent: str | None) -> None:
    assert content_type(request(content_type=kind, core=CoreDir(default_charset="utf-8"))) == sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nY: b"),
        ("X", "\0"),
        ("X Y", "a"),
        ("", "a"),
        ("X:", "a"),
        ("X", "\u0100"),
        ("Server", "a\nb"),
        ("Date", "\r"),
    ],
)
def test_what_must_not_leave(name: str, value: str) -> None:
    with pytest.raises(BadHeader):
        head(request(headers_out=Headers([(name, value)])))


def test_a_status_line_cannot_carry_a_field() -> None:
    with pytest.raises(BadHeader):
        head(request(status_line="200 OK\r\nX: y"))


def test_a_line_is_judged_however_many_were_good_before() -> None:
    for number in range(MAX_GOOD + 1):
        head(request(headers_out=Headers([("X", str(number))])))
    assert head(request(headers_out=Headers([("X", "0"), ("Y", "z" * 2 * MAX_LENGTH)])))[3:5] == ["X: 0", "Y: " + "z" * 2 * MAX_LENGTH]
    with pytest.raises(BadHeader):
        head(request(headers_out=Headers([("X", "0"), ("X", "0\nY: z")])))


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_field_is_one_line_or_refused(name: str, value: str) -> None:
    r = request(headers_out=Headers([(name, value)]))
    try:
        lines = head(r)
    except BadHeader:
        return
    assert len(lines) == (5 if name.lower() in ("date", "server") else 6)


def test_http_1_0_only_when_it_is_asked_for() -> None:
    assert head(request(env=Table({"force-response-1.0": "1"}), protocol_number=1000))[0] == "HTTP/1.0 200 OK"
    assert head(request(env=Table({"force-response-1.0": "1"})))[0] == "HTTP/1.1 200 OK"


def test_what_is_not_to_be_kept_has_expired_for_http_1_0_too() -> None:
    assert head(request(no_cache=True))[3] == f"Expires: {DATE}"
    own = request(no_cache=True, headers_out=Headers([("Expires", "0")]))
    assert head(own)[3:-2] == ["Expires: 0"]
