"""RFC 9112 section 9: whether the connection may live on."""

import pytest

from coachwhip.protocol.framing import decide_framing, has_token
from coachwhip.protocol.http1 import parse_head


@pytest.mark.parametrize(
    ("version", "connection", "keepalive"),
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Close", False),
        (b"1.1", b"keep-alive, close", False),
        (b"1.1", b"keep-alive", True),
        (b"1.1", b"closed", True),
        (b"1.1", b',,,;="', True),
        (b"1.0", None, False),
        (b"1.0", b"Keep-Alive", True),
        (b"1.0", b"keep-alive, close", False),
        (b"1.0", b"Upgrade", False),
    ],
)
def test_persistence(version: bytes, connection: bytes | None, keepalive: bool) -> None:
    lines = b"" if connection is None else b"Connection: " + connection + b"\r\n"
    head = parse_head(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + lines + b"\r\n")
    framing = decide_framing(head)
    assert framing.keepalive is keepalive
    assert not framing.must_close


def test_a_simple_request_is_the_last_one() -> None:
    assert decide_framing(parse_head(b"GET /\r\n")).must_close


def test_tokens() -> None:
    assert has_token(b"a, B ,c", b"b")
    assert not has_token(b"a, bc", b"b")
    assert not has_token(b"a b", b"b")
    assert not has_token(b"", b"b")
