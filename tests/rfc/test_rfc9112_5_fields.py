"""RFC 9112 section 5: field lines, folding, limits. Verdicts were recorded from Apache 2.4.71."""

import pytest

from coachwhip.protocol.fields import parse_field_line
from coachwhip.protocol.http1 import BadRequest, Limits, parse_head


def verdict(lines: bytes, limits: Limits = Limits(), *, strict: bool = True) -> str:  # noqa: B008 - frozen
    try:
        parse_head(b"GET / HTTP/1.1\r\n" + lines + b"\r\n", limits, strict=strict)
    except BadRequest as error:
        return f"{error.status} {error.log_id}"
    return "ok"


@pytest.mark.parametrize(
    ("line", "strict", "unsafe"),
    [
        (b"X-A: 1", "ok", "ok"),
        (b"X-A:1", "ok", "ok"),
        (b"X-A:", "ok", "ok"),
        (b"X-A: \xe9\t\xff", "ok", "ok"),
        # §5.1: no blank between name and colon.
        (b"X-A : 1", "400 AH02426", "400 AH03452"),
        (b"X-A\t: 1", "400 AH02426", "400 AH03452"),
        (b"X A: 1", "400 AH02426", "400 AH03452"),
        (b"X-A", "400 AH02426", "400 AH00564"),
        (b": x", "400 AH02426", "400 AH03453"),
        (b"X\x01A: x", "400 AH02426", "ok"),
        (b"X(A): x", "400 AH02426", "ok"),
        (b"X-\xe9: a", "400 AH02426", "ok"),
        (b"Content-Length\xa0: 5", "400 AH02426", "ok"),
        (b"\x85X: 5", "400 AH02426", "ok"),
        # RFC 9110 §5.5: no control characters in a value.
        (b"X-A: a\rX-B: b", "400 AH02427", "400 AH03451"),
        (b"X-A: a\x01b", "400 AH02427", "ok"),
        (b"X-A: a\x7fb", "400 AH02427", "ok"),
        (b"X-A:\x0b1", "400 AH02427", "400 AH03451"),
        (b"X-A: 1\x0c", "400 AH02427", "400 AH03451"),
        (b"X-A: a\x1b[2J", "400 AH02427", "ok"),
        (b"X-A: a\x00b", "400 AH00567", "400 AH00567"),
    ],
)
def test_field_line(line: bytes, strict: str, unsafe: str) -> None:
    assert verdict(line + b"\r\n") == strict
    assert verdict(line + b"\r\n", strict=False) == unsafe


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (b"Host: a", b"Host", b"a"),
        (b"x:", b"x", b""),
        (b"x: \t a b \t ", b"x", b"a b"),
        (b"x:a:b", b"x", b"a:b"),
        (b"x: \xa0a\xa0", b"x", b"\xa0a\xa0"),
    ],
)
def test_name_and_value(line: bytes, name: bytes, value: bytes) -> None:
    assert parse_field_line(line) == (name, value)


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        # §5.2: a fold becomes one space.
        (b"X: 1\r\n 2\r\n", [(b"X", b"1 2")]),
        (b"X: 1 \r\n  2 \r\n\t3\r\nY: z\r\n", [(b"X", b"1 2 3"), (b"Y", b"z")]),
        (b"X:\r\n\t2\r\n", [(b"X", b"2")]),
        (b"X: 1\r\n : 2\r\n", [(b"X", b"1 : 2")]),
    ],
)
def test_folding(lines: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    assert parse_head(b"GET / HTTP/1.1\r\n" + lines + b"\r\n").headers == fields


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (b" X: y\r\n", "400 AH03442"),
        (b"X: 1\r\n \r\n", "400 AH03443"),
        (b"X: 1\r\n\t \t\r\nY: 2\r\n", "400 AH03443"),
        (b"Bad Name: 1\r\n a\r\n", "400 AH02426"),
    ],
)
def test_bad_folding(lines: bytes, answer: str) -> None:
    assert verdict(lines) == answer


SMALL = Limits(line=50, field_size=60, fields=5)


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (b"X: " + b"a" * 58 + b"\r\n", "ok"),
        (b"X: " + b"a" * 59 + b"\r\n", "400 AH00561"),
        (b"X" * 62 + b"\r\n", "400 AH00561"),
        (b"X: " + b"a" * 53 + b"\r\n b\r\n", "ok"),
        (b"X: " + b"a" * 54 + b"\r\n b\r\n", "400 AH00562"),
        (b"X: \r\n  \t" + b"a" * 55 + b"\r\n", "ok"),
        (b"X: \r\n  \t" + b"a" * 56 + b"\r\n", "400 AH00562"),
        (b"X: " + b"a" * 38 + b"\r\nx: " + b"b" * 20 + b"\r\n", "ok"),
        (b"X: " + b"a" * 39 + b"\r\nx: " + b"b" * 20 + b"\r\n", "400 AH00560"),
        (b"X: 1\r\n" * 5, "ok"),
        (b"X: 1\r\n" * 6, "400 AH00563"),
        (b"X: 1\r\n" + b" 2\r\n" * 20, "ok"),
        # the fault that comes first on the wire is the one reported
        (b"A: 1\r\n" * 5 + b"bad name: 1\r\n", "400 AH00563"),
        (b"A: 1\r\n" * 4 + b"bad name: 1\r\nF: 1\r\n", "400 AH02426"),
        (b"Bad Name: 1\r\nX: " + b"a" * 100 + b"\r\n", "400 AH00561"),
        (b"Bad Name: 1\r\n" + b"X: a\r\n" * 20, "400 AH02426"),
    ],
)
def test_limits(lines: bytes, answer: str) -> None:
    assert verdict(lines, SMALL) == answer


def test_no_limit_on_the_number_of_fields() -> None:
    assert verdict(b"X: 1\r\n" * 500, Limits(fields=0)) == "ok"


@pytest.mark.parametrize(("length", "answer"), [(51, "ok"), (52, "414 AH00565")])
def test_request_line_limit(length: int, answer: str) -> None:
    line = b"GET /" + b"a" * (length - 14) + b" HTTP/1.1"
    assert len(line) == length
    try:
        parse_head(line + b"\r\n\r\n", SMALL)
    except BadRequest as error:
        assert f"{error.status} {error.log_id}" == answer
    else:
        assert answer == "ok"


def test_notes_for_the_error_page() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_head(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 100 + b"\r\n\r\n", SMALL)
    assert caught.value.notes == "Size of a request header field exceeds server limit."
    assert caught.value.detail == b"X-Long"
    with pytest.raises(BadRequest) as caught:
        parse_head(b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 6 + b"\r\n", SMALL)
    assert caught.value.notes == "The number of request header fields exceeds this server's limit."
