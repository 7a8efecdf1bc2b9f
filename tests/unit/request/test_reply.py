"""From a finished record to the wire: length or chunks, keep-alive or the end, and where fields stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.api.buckets import Data, End, Stream
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.phases import Order
from coachwhip.api.request import Request

MakeWorld = Callable[..., Any]


def making(*acts: Callable[[Request], Any]) -> Module:
    """A module whose handler answers everything."""
    made = Module("probe_module", "mod_probe.c", replayable=True)

    @made.hook(phases.handler, Order.REALLY_FIRST)
    def handle(r: Request) -> Any:
        for act in acts:
            act(r)
        return Outcome.OK

    return made


def stream(r: Request) -> None:
    r.content_type = "text/plain"
    r.send(Stream(iter([b"one", b"", b"two"])), End())


def data(r: Request) -> None:
    r.send(Data(b"one"), Data(b"two"), End())


def test_a_body_that_is_there_has_a_length(world: MakeWorld) -> None:
    answer = world().add(making(data)).ask("/")
    assert (answer.fields["Content-Length"], answer.body, answer.reply.close) == ("6", b"onetwo", False)
    assert "Transfer-Encoding" not in answer.fields


def test_a_body_that_is_made_meanwhile_is_chunked(world: MakeWorld) -> None:
    answer = world().add(making(stream)).ask("/")
    assert answer.fields["Transfer-Encoding"] == "chunked" and "Content-Length" not in answer.fields
    assert answer.body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    assert answer.reply.request.bytes_sent == 6


def test_a_large_file_that_filters_leave_alone_goes_out_as_one(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coachwhip.filters.chain.PIECE", 4)
    monkeypatch.setattr("coachwhip.request.reply.SMALL", 4)
    config = "SetOutputFilter DEFLATE\nSetEnv no-gzip 1"
    made = world(config, {"htdocs/large.bin": "0123456789"}, ("authz_core", "filter", "deflate", "env"))
    answer = made.ask("/large.bin", {"Accept-Encoding": "gzip"})
    assert answer.body == b"0123456789"
    assert [(piece.start, piece.length) for piece in answer.reply.whole] == [(0, 10)]


def test_trailers_follow_the_chunks(world: MakeWorld) -> None:
    def act(r: Request) -> None:
        r.trailers_out.set("X-Sum", "6")
        stream(r)

    assert world().add(making(act)).ask("/").body.endswith(b"0\r\nX-Sum: 6\r\n\r\n")


@pytest.mark.parametrize(
    "act",
    [
        lambda r: setattr(r, "protocol_number", 1000),
        lambda r: r.env.__setitem__("Downgrade-1.0", "1"),
        lambda r: setattr(r, "keepalive", False),
    ],
)
def test_without_chunks_the_end_of_the_connection_ends_the_body(world: MakeWorld, act: Callable[[Request], Any]) -> None:
    answer = world().add(making(act, stream)).ask("/")
    assert (answer.body, answer.reply.close, answer.fields["Connection"]) == (b"onetwo", True, "close")
    assert "Transfer-Encoding" not in answer.fields


def test_a_head_request_tells_what_a_get_would(world: MakeWorld) -> None:
    w = world("", {"htdocs/f": "file"})
    get, head = w.ask("/f"), w.ask("HEAD /f")
    assert head.body == b""
    assert {k: v for k, v in head.fields.items() if k != "Date"} == {k: v for k, v in get.fields.items() if k != "Date"}


@pytest.mark.parametrize(("stated", "told"), [(None, None), ("0", None), ("10", "10")])
def test_a_head_request_without_a_body_made_for_it(world: MakeWorld, stated: str | None, told: str | None) -> None:
    def act(r: Request) -> None:
        if stated is not None:
            r.headers_out.set("Content-Length", stated)
        r.send(End())

    assert world().add(making(act)).ask("HEAD /").fields.get("Content-Length") == told


@pytest.mark.parametrize(
    ("config", "fields", "close", "keep_alive"),
    [
        ("", {}, False, None),
        ("", {"Connection": "close"}, True, None),
        ("", {"Connection": "Keep-Alive"}, False, "timeout=5, max=100"),
        ("MaxKeepAliveRequests 0", {"Connection": "keep-alive"}, False, "timeout=5"),
        ("KeepAlive Off", {}, True, None),
        ("KeepAliveTimeout 0", {}, True, None),
        # The client may still hold its body back.
        ("", {"Expect": "100-continue"}, True, None),
    ],
)
def test_keep_alive(world: MakeWorld, config: str, fields: dict[str, str], close: bool, keep_alive: str | None) -> None:
    answer = world(config).add(making(data)).ask("/", fields)
    assert (answer.reply.close, answer.fields.get("Keep-Alive")) == (close, keep_alive)
    assert (answer.fields.get("Connection") == "close") is close


def test_content_fields_stand_last(world: MakeWorld) -> None:
    def act(r: Request) -> None:
        r.content_type = "text/plain"
        r.headers_out.set("X-Mine", "1")
        data(r)

    names = list(world().add(making(act)).ask("/", {"Connection": "keep-alive"}).fields)
    assert names == ["Date", "Server", "X-Mine", "Content-Length", "Keep-Alive", "Connection", "Content-Type"]


def test_a_field_that_must_not_leave_is_a_500(world: MakeWorld) -> None:
    answer = world().add(making(lambda r: r.headers_out.set("X", "a\r\nY: b"), data)).ask("/")
    assert (answer.status, answer.log) == (500, ["core:3 AH02430"])
    assert "Y" not in answer.fields and b"onetwo" not in answer.body


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(world: MakeWorld, status: int) -> None:
    answer = world().add(making(lambda r: setattr(r, "status", status), data)).ask("/")
    assert (answer.status, answer.body, "Content-Length" in answer.fields) == (status, b"", False)


def test_an_unsatisfiable_range_takes_back_all_fields(world: MakeWorld) -> None:
    def act(r: Request) -> None:
        r.err_headers_out.set("X-Always", "1")
        data(r)

    answer = world().add(making(act)).ask("/", {"Range": "bytes=10-"})
    assert answer.status == 416
    assert answer.fields["Transfer-Encoding"] == "chunked" and "X-Always" not in answer.fields
