"""RFC 9112 section 2: the message. Line ends, empty lines, how a head is found. Verdicts as Apache 2.4.71's."""

import pytest

from coachwhip.protocol.http1 import BadRequest, HeadReader, Limits, Rules, find_head, parse_head

GOOD = b"GET /a.txt HTTP/1.1\r\nHost: main.test\r\n\r\n"


def verdict(raw: bytes, *, strict: bool = True) -> str:
    reader = HeadReader(Limits(), Rules(strict=strict))
    reader.feed(raw)
    try:
        return "wait" if reader.read() is None else "ok"
    except BadRequest as error:
        return f"{error.status} {error.log_id}"


@pytest.mark.parametrize(
    ("raw", "strict", "unsafe"),
    [
        (GOOD, "ok", "ok"),
        (GOOD[:-1], "wait", "wait"),
        (GOOD[:-2], "wait", "wait"),
        (b"", "wait", "wait"),
        # §2.2: a recipient MAY recognise a bare LF. Strict does not, since others may read it otherwise.
        (b"GET /a.txt HTTP/1.1\nHost: main.test\n\n", "400 AH00566", "ok"),
        (b"GET /a.txt HTTP/1.1\r\nX-A: 1\nX-B: 2\r\n\r\n", "400 AH00567", "ok"),
        (b"GET /a.txt HTTP/1.1\r\nHost: main.test\r\n\n", "400 AH00567", "ok"),
        # §2.2: a bare CR ends no line.
        (b"GET /a.txt HTTP/1.1\rHost: main.test\r\r", "wait", "wait"),
        (b"GET /a.txt HTTP/1.1\r\nHost: main.test\r\r\n\r\n", "400 AH02427", "400 AH03451"),
        # §2.2: empty lines before the request line are ignored, as many as a server likes.
        (b"\r\n" + GOOD, "ok", "ok"),
        (b"\r\n" * 10 + GOOD, "ok", "ok"),
        (b"\r\n" * 11 + GOOD, "400 AH03445", "400 AH03445"),
        (b"\n" + GOOD, "400 AH00566", "ok"),
        (b" \r\n" + GOOD, "400 AH03454", "400 AH03454"),
        # §2.2: no blank between the start-line and the first header field.
        (b"GET /a.txt HTTP/1.1\r\n X: y\r\n\r\n", "400 AH03442", "400 AH03442"),
        (b"GET /a\0b HTTP/1.1\r\n\r\n", "400 AH00566", "400 AH00566"),
        (b"GET /a HTTP/1.1\r\nX-A: a\0b\r\n\r\n", "400 AH00567", "400 AH00567"),
    ],
)
def test_line_ends(raw: bytes, strict: str, unsafe: str) -> None:
    assert verdict(raw) == strict
    assert verdict(raw, strict=False) == unsafe


@pytest.mark.parametrize(
    ("buffer", "start", "end"),
    [
        (GOOD, 0, len(GOOD)),
        (GOOD + b"body", 0, len(GOOD)),
        (b"xx" + GOOD, 2, len(GOOD) + 2),
        (b"\r\n" + GOOD, 0, len(GOOD) + 2),
        (GOOD[:-1], 0, None),
        (b"\r\n\r\n", 0, None),
        (b"", 0, None),
        (b"GET /a.txt\r\nnot a header", 0, 12),
        (b"GET / HTTP/1.0\r\n\r\n", 0, 18),
    ],
)
def test_find_head(buffer: bytes, start: int, end: int | None) -> None:
    assert find_head(buffer, start) == end
    assert find_head(bytearray(buffer), start) == end


def test_find_head_unsafe() -> None:
    assert find_head(b"GET / HTTP/1.0\nA: b\n\nbody", strict=False) == 21
    assert find_head(b"GET / HTTP/1.0\r\nA: b\r\n\nbody", strict=False) == 23


def test_what_follows_a_head_is_left_over() -> None:
    reader = HeadReader()
    reader.feed(b"\r\n" + GOOD + b"rest")
    head = reader.read()
    assert head is not None
    assert head.get(b"host") == b"main.test"
    assert reader.rest == b"rest"


def test_a_head_without_its_empty_line_can_be_parsed() -> None:
    assert parse_head(GOOD[:-2]).headers == parse_head(GOOD).headers == parse_head(GOOD[:-4]).headers


def test_an_idle_connection_has_not_started() -> None:
    reader = HeadReader()
    assert not reader.started
    reader.feed(b"\r\n")
    reader.read()
    assert not reader.started
    reader.feed(b"G")
    assert reader.started
