"""RFC 9112 section 6: how long the body is. Verdicts as Apache 2.4.71's, stricter where the RFC says MUST."""

import pytest

from coachwhip.protocol.framing import BodyKind, Framing, decide_framing
from coachwhip.protocol.http1 import BadRequest, parse_head


def frame(*lines: bytes, start: bytes = b"POST / HTTP/1.1") -> Framing:
    return decide_framing(parse_head(b"\r\n".join((start, b"Host: main.test", *lines)) + b"\r\n\r\n"))


def verdict(*lines: bytes, start: bytes = b"POST / HTTP/1.1") -> str:
    try:
        framing = frame(*lines, start=start)
    except BadRequest as error:
        assert error.close
        return f"{error.status} {error.log_id}"
    return f"{framing.kind.value} {framing.length}"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (b"0", "length 0"),
        (b"5", "length 5"),
        (b"005", "length 5"),
        (b"010", "length 10"),
        (b"0" * 1000 + b"7", "length 7"),
        (b"9223372036854775807", "length 9223372036854775807"),
        (b"9223372036854775808", "400 AH10242"),
        (b"99999999999999999999", "400 AH10242"),
        (b"9" * 5000, "400 AH10242"),
        (b"", "400 AH10242"),
        (b"+5", "400 AH10242"),
        (b"-5", "400 AH10242"),
        (b"-0", "400 AH10242"),
        (b"0x5", "400 AH10242"),
        (b"5a", "400 AH10242"),
        (b"5 5", "400 AH10242"),
        (b"5e0", "400 AH10242"),
        (b"5.0", "400 AH10242"),
        (b"0_5", "400 AH10242"),
        (b"5;x", "400 AH10242"),
        (b"5, 5", "400 AH10242"),
        (b"\xd9\xa5", "400 AH10242"),
        (b"\xb2", "400 AH10242"),
        (b"\xa05\xa0", "400 AH10242"),
    ],
)
def test_content_length(value: bytes, answer: str) -> None:
    """§6.2: digits and nothing else."""
    assert verdict(b"Content-Length: " + value) == answer


@pytest.mark.parametrize("lines", [(b"5", b"5"), (b"5", b"6"), (b"", b"5")])
def test_two_lengths(lines: tuple[bytes, bytes]) -> None:
    """§6.3: even equal ones may be refused, and Apache refuses them."""
    assert verdict(*(b"Content-Length: " + value for value in lines)) == "400 AH10242"


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (b"chunked", "chunked 0"),
        (b"CHUNKED", "chunked 0"),
        (b"\tchunked \t", "chunked 0"),
        (b",chunked", "chunked 0"),
        (b"chunked,", "400 AH02539"),
        (b"", "400 AH02539"),
        (b"identity", "400 AH02539"),
        (b"xchunked", "400 AH02539"),
        (b"chunked1", "400 AH02539"),
        (b"chunked, identity", "400 AH02539"),
        (b"gzip", "400 AH02539"),
        (b'"chunked"', "400 AH02539"),
        (b"chunked;q=1", "400 AH02539"),
        (b"chunked chunked", "400 AH02539"),
        (b"\xa0chunked", "400 AH02539"),
        (b"chun\xe2\x84\xaaed", "400 AH02539"),
        # Apache reads these two as one chunked coding; §6.1 forbids the first and asks for 501 on the second.
        (b"chunked, chunked", "400 AH02539"),
        (b"gzip, chunked", "501 AH02539"),
    ],
)
def test_transfer_encoding(value: bytes, answer: str) -> None:
    """§6.1, §6.3: chunked is the last coding, or the message has no end that two programs would agree on."""
    assert verdict(b"Transfer-Encoding: " + value) == answer


@pytest.mark.parametrize("second", [b"chunked", b"identity"])
def test_two_codings(second: bytes) -> None:
    assert verdict(b"Transfer-Encoding: chunked", b"Transfer-Encoding: " + second) == "400 AH02539"


def test_length_beside_a_coding() -> None:
    """§6.3: the coding wins, and the connection ends."""
    framing = frame(b"Content-Length: 6", b"Transfer-Encoding: chunked")
    assert (framing.kind, framing.must_close) == (BodyKind.CHUNKED, True)
    assert verdict(b"Content-Length: x", b"Transfer-Encoding: chunked") == "400 AH10242"
    assert verdict(b"Content-Length: 5", b"Transfer-Encoding: cow") == "400 AH02539"


def test_a_coding_in_http_10() -> None:
    """§6.1: treated as faulty, processed, and the connection closed."""
    framing = frame(b"Transfer-Encoding: chunked", b"Connection: keep-alive", start=b"POST / HTTP/1.0")
    assert (framing.kind, framing.must_close) == (BodyKind.CHUNKED, True)


def test_no_body() -> None:
    assert frame() == Framing(BodyKind.NONE, 0, True, False, False)
    assert frame(b"Transfer_Encoding: chunked").kind is BodyKind.NONE


def test_names_in_any_case() -> None:
    assert frame(b"cONTENT-lENGTH: 5").length == 5


@pytest.mark.parametrize(
    ("value", "version", "answer"),
    [
        (b"100-continue", b"1.1", True),
        (b"100-CONTINUE", b"1.1", True),
        (b"", b"1.1", False),
        (b"100-continue", b"1.0", False),
    ],
)
def test_expect(value: bytes, version: bytes, answer: bool) -> None:
    framing = frame(b"Expect: " + value, start=b"POST / HTTP/" + version)
    assert framing.expect_continue is answer


@pytest.mark.parametrize("value", [b"200-maybe", b"y 100-continue", b"100-continue, x"])
def test_unknown_expectations(value: bytes) -> None:
    objection = frame(b"Expect: " + value).objection
    assert objection is not None and (objection.status, objection.log_id) == (417, "AH00570")
