"""Where Apache 2.4.71 is laxer than a rule, requests are refused here; what `HttpProtocolOptions Unsafe` lets through is the last column.

Each row was sent to Apache first, whose answer under `Strict` is in the first column of answers. "close": answered, and the connection
ends; "open": answered, and it may live on.
"""

import pytest

from coachwhip.protocol.chunked import ChunkedDecoder
from coachwhip.protocol.framing import decide_framing
from coachwhip.protocol.http1 import BadRequest, parse_head

HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST


def answer(head: bytes, *, strict: bool) -> str:
    """The status of a refusal, or what becomes of the connection."""
    try:
        framing = decide_framing(parse_head(head, strict=strict), strict=strict)
    except BadRequest as error:
        return str(error.status)
    return "close" if framing.must_close or not framing.keepalive else "open"


@pytest.mark.parametrize(
    ("rule", "head", "apache", "ours", "unsafe"),
    [
        ("RFC 9110 §4.2.1: an http address has a host", b"GET http:///a HTTP/1.1\r\n" + HOST + b"\r\n", "open", "400", "open"),
        ("the same", b"GET http:/a HTTP/1.1\r\n" + HOST + b"\r\n", "open", "400", "open"),
        ("RFC 9112 §6.1: chunked once", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", "open", "400", "400"),
        ("the same, in two lines", POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n", "open", "400", "400"),
        ("RFC 9112 §6.1: an unknown coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "open", "501", "501"),
        (
            "RFC 9112 §6.1: a coding in HTTP/1.0 ends the connection",
            b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", "open", "close", "close",
        ),
        ("a port is 16 bits long", b"GET http://a:99999/ HTTP/1.1\r\n" + HOST + b"\r\n", "open", "400", "400"),
        ("the same", b"GET / HTTP/1.1\r\nHost: a:4294967376\r\n\r\n", "open", "400", "400"),
        ("RFC 9112 §3.2: one Host beside an absolute target", b"GET http://a/ HTTP/1.1\r\n" + HOST * 2 + b"\r\n", "open", "400", "400"),
    ],
)  # fmt: skip
def test_a_head(rule: str, head: bytes, apache: str, ours: str, unsafe: str) -> None:
    assert answer(head, strict=True) == ours
    assert answer(head, strict=False) == unsafe
    assert ours != apache, f"{rule}: no longer stricter"


@pytest.mark.parametrize(
    ("head", "ours", "unsafe"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", "400", "open"),
        (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", "400", "open"),
        (b"GET /#f HTTP/1.1\r\n" + HOST + b"\r\n", "400", "open"),
        (b"GET http://u@a/ HTTP/1.1\r\n" + HOST + b"\r\n", "400", "open"),
        (b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n", "400", "open"),
        (b"GET / http/1.1\r\n" + HOST + b"\r\n", "400", "open"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X(: y\r\n\r\n", "400", "open"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: \x01\r\n\r\n", "400", "open"),
        (b"GET / HTTP/1.1\r\nHost: a_b\x80\r\n\r\n", "400", "open"),
        # Never let through.
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: \0\r\n\r\n", "400", "400"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n", "400", "400"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X : y\r\n\r\n", "400", "400"),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", "400", "400"),
        (POST + b"Content-Length: 1, 1\r\n\r\n", "400", "400"),
        (POST + b"Content-Length: +1\r\n\r\n", "400", "400"),
    ],
)
def test_what_unsafe_lets_through_and_what_nothing_does(head: bytes, ours: str, unsafe: str) -> None:
    assert answer(head, strict=True) == ours
    assert answer(head, strict=False) == unsafe


@pytest.mark.parametrize(("body", "is_strict"), [(b"1\nx\n0\n\n", True), (b"1\r\nx\r\n0\r\n\r\n", False)])
def test_chunk_lines_that_end_in_lf_alone(body: bytes, is_strict: bool) -> None:
    """Apache takes them under `Unsafe`; here the connection reads bodies strictly whatever the option says."""
    decoder = ChunkedDecoder(strict=True)
    if is_strict:
        with pytest.raises(BadRequest):
            decoder.feed(body)
    else:
        assert b"".join(decoder.feed(body)) == b"x"
        assert decoder.done
