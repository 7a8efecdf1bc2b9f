"""Hosts: which values name one, and which of two names counts. Verdicts were recorded from Apache 2.4.71."""

import pytest

from coachwhip.protocol.framing import asks_to_close, check_host, decide_framing
from coachwhip.protocol.http1 import BadRequest, parse_head
from coachwhip.protocol.targets import parse_host


def verdict(value: bytes, *, strict: bool = True) -> object:
    try:
        return parse_host(value, strict=strict)
    except BadRequest as error:
        assert error.status == 400
        return error.log_id


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (b"main.test", ("main.test", None)),
        (b"MAIN.Test:80", ("main.test", 80)),
        (b"main.test.", ("main.test", None)),
        (b"a:080", ("a", 80)),
        (b"a_b", ("a_b", None)),
        (b"-a", ("-a", None)),
        (b".a", (".a", None)),
        (b"1.2.3.4", ("1.2.3.4", None)),
        (b"1.2.3.4.", ("1.2.3.4", None)),
        (b"300.2.3.4", ("300.2.3.4", None)),
        (b"[::1]", ("::1", None)),
        (b"[::1]:80", ("::1", 80)),
        (b"[::FFFF:1.2.3.4]", ("::ffff:1.2.3.4", None)),
        (b"a" * 64, ("a" * 64, None)),
    ],
)
def test_hosts(value: bytes, answer: tuple[str, int | None]) -> None:
    assert verdict(value) == answer
    assert verdict(value, strict=False) == answer


@pytest.mark.parametrize(
    "value",
    [
        *(b"main.test:0", b"main.test:99999", b"main.test:65536", b"a:" + b"1" * 30, b":80", b"a..b", b"..", b"a/b", b"a\\b"),
        *(b"[::1]:80h:443", b"[::1]::80"),
        *(b"[::1", b"[::g]", b"[::1]x", b"[::1]:x", b"[::1]:", b"[v1.a:b]", b"[1.2.3.4]", b"[fe80::1%25eth0]", b""),
    ],
)
def test_no_hosts_at_all(value: bytes) -> None:
    assert verdict(value) == "AH00550"
    assert verdict(value, strict=False) == "AH00550"


@pytest.mark.parametrize(
    "value",
    [
        *(b"main.test:", b"main.test:8x", b"a, b", b"a b", b"a:+80", b"a: 80", b"u@a", b"a?b", b"a#b", b"a\xe9", b"::1", b"."),
        *(b"1.2.3", b"a.1", b"0x7f.1", b"a~b", b"a!b", b"a%41", b"a*b", b"*", b'"><script>', b"01.2.3.4"),
    ],
)
def test_hosts_for_unsafe_only(value: bytes) -> None:
    assert verdict(value) == "AH00550"
    assert isinstance(verdict(value, strict=False), tuple)


def test_numbers_are_no_names() -> None:
    assert verdict(b"12345") == "AH02416"


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", ("a", None)),
        (b"GET / HTTP/1.0\r\n", None),
        (b"GET / HTTP/1.0\r\nHost:\r\n", None),
        (b"GET / HTTP/1.1\r\n", "AH00569"),
        (b"GET / HTTP/1.1\r\nHost:\r\n", "AH00569"),
        (b"GET / HTTP/2.0\r\nX: y\r\n", "AH00569"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "AH00550"),
        (b"GET / HTTP/1.0\r\nHost: a b\r\n", "AH00550"),
        (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n", ("b", None)),
        (b"GET http://b:81/ HTTP/1.1\r\nHost: a b\r\n", ("b", 81)),
        (b"GET http://b/ HTTP/1.1\r\n", "AH00569"),
        (b"GET http://b<c/ HTTP/1.1\r\nHost: a\r\n", "AH00550"),
        (b"GET http://[::g]/ HTTP/1.1\r\nHost: a\r\n", "AH00550"),
        (b"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n", ("b", 443)),
    ],
)
def test_the_host_of_a_request(head: bytes, answer: object) -> None:
    request = parse_head(head + b"\r\n")
    if isinstance(answer, str):
        with pytest.raises(BadRequest) as caught:
            decide_framing(request)
        assert caught.value.log_id == answer
    else:
        assert check_host(request) == answer
        decide_framing(request)


@pytest.mark.parametrize(
    "value", [b"close", b"Close", b"keep-alive, close", b"c", b"clo", b"close?", b"cl[se", b"x;close", b"close\xe9", b"x\tclose"]
)
def test_the_end_is_asked_for_wherever_apache_sees_it(value: bytes) -> None:
    assert asks_to_close(value)


@pytest.mark.parametrize("value", [b"", b"keep-alive", b"x", b"closed", b"xclose", b"close-", b", ,"])
def test_the_end_is_not_asked_for(value: bytes) -> None:
    assert not asks_to_close(value)
