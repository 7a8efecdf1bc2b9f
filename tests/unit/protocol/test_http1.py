"""Request heads: the same verdict however the bytes arrive, and nothing but `BadRequest` for any of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.protocol.framing import decide_framing
from coachwhip.protocol.http1 import (
    MAX_BLANK_LINES,
    BadRequest,
    HeadReader,
    Limits,
    RequestHead,
    Rules,
    check_partial,
    find_head,
    parse_head,
    parse_usual,
)

SMALL = Limits(line=40, field_size=30, fields=3)

# Pieces that heads are made of, good and bad.
PIECES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"GET /a HTTP/1.0\r\n",
        b"GET /",
        b"Host: a\r\n",
        b"X: 1\r\n",
        b" fold\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b":",
        b"bad name: x\r\n",
        b"\0",
        b"x" * 35,
        b"\xff",
    ]
)
WIRE = st.lists(PIECES, max_size=10).map(b"".join) | st.binary(max_size=60)


def read(wire: bytes, size: int, rules: Rules, limits: Limits = SMALL) -> tuple[object, bytes]:
    """Feed *wire* in pieces of *size*; return the head, the error or None, and the octets behind the head."""
    reader = HeadReader(limits, rules)
    for start in range(0, len(wire), size):
        reader.feed(wire[start : start + size])
        try:
            head = reader.read()
        except BadRequest as error:
            return error, b""
        if head is not None:
            return head, reader.rest + wire[start + size :]
    return None, b""


@given(WIRE, st.integers(min_value=1, max_value=9), st.booleans())
def test_any_split_gives_the_same_result(wire: bytes, size: int, strict: bool) -> None:
    rules = Rules(strict=strict)
    assert read(wire, size, rules) == read(wire, max(1, len(wire)), rules)


@given(WIRE, st.booleans(), st.booleans(), st.booleans())
def test_parse_head_raises_bad_request_and_nothing_else(wire: bytes, strict: bool, lenient: bool, old: bool) -> None:
    try:
        head = parse_head(wire, SMALL, strict=strict, lenient_methods=lenient, allow_09=old)
        decide_framing(head, strict=strict)
    except BadRequest as error:
        assert error.status in (400, 414, 417, 501)
        assert len(error.detail) <= 80


@given(WIRE, st.booleans())
def test_the_reader_and_parse_head_agree(wire: bytes, strict: bool) -> None:
    result, rest = read(wire, max(1, len(wire)), Rules(strict=strict))
    if isinstance(result, RequestHead):
        whole = wire[: len(wire) - len(rest)]
        assert parse_head(whole, SMALL, strict=strict) == result
        assert find_head(wire, strict=strict) == len(whole)


@given(WIRE, st.booleans())
def test_what_is_refused_early_is_refused_in_the_end(wire: bytes, strict: bool) -> None:
    error = check_partial(wire, SMALL, Rules(strict=strict))
    if error is None:
        return
    for rest in (b"", b"\r\n\r\n", b"\r\nX: 1\r\n\r\n"):
        with pytest.raises(BadRequest) as caught:
            parse_head(wire + rest, SMALL, strict=strict)
        assert caught.value == error


@pytest.mark.parametrize(
    ("wire", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", None),
        (b"G" * 42, None),
        (b"G" * 43, (414, "AH00565")),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 30, (400, "AH00561")),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 4, None),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 5, (400, "AH00563")),
        (b"GET  / HTTP/1.1\r\n", (400, "AH03448")),
        (b"GET / HTTP/1.1\n", (400, "AH00566")),
    ],
)
def test_refusing_before_the_head_is_complete(wire: bytes, answer: tuple[int, str] | None) -> None:
    error = check_partial(wire, SMALL)
    assert (None if error is None else (error.status, error.log_id)) == answer


def test_a_simple_request_ends_with_its_line() -> None:
    result, rest = read(b"GET /a\r\nHost: ignored\r\n", 99, Rules())
    assert isinstance(result, RequestHead)
    assert (result.version, result.headers, rest) == (9, [], b"Host: ignored\r\n")


def test_too_many_empty_lines_are_no_request() -> None:
    wire = b"\r\n" * (MAX_BLANK_LINES + 1)
    assert find_head(wire) == len(wire)
    with pytest.raises(BadRequest):
        parse_head(wire)
    with pytest.raises(BadRequest):
        parse_head(b"")


def test_fields_by_name() -> None:
    head = parse_head(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\n\r\n")
    assert head.headers == [(b"Host", b"a"), (b"X-A", b"1"), (b"x-a", b"2")]
    assert head.get_all(b"x-a") == [b"1", b"2"]
    assert head.get(b"x-a") == b"1, 2"
    assert head.get(b"none") is None


NEARLY_USUAL = st.builds(
    lambda first, lines, end: first + b"".join(lines) + end,
    st.sampled_from([b"GET / HTTP/1.1\r\n", b"HEAD /a?b#c HTTP/1.0\r\n", b"POST /a?b=/?\xff HTTP/1.1\r\n", b"GET /a? HTTP/1.1\r\n"]),
    st.lists(st.sampled_from([
        b"Host: a\r\n", b"X: a b\t\xe9\r\n", b"X: \r\n", b"x:  1\r\n", b"X: 1 \r\n", b" f\r\n", b"X: a\n", b"Y: \x7f\r\n",
    ])),
    st.sampled_from([b"\r\n", b"\n", b"\r\nnext", b""]),
)  # fmt: skip


@given(WIRE | NEARLY_USUAL, st.sampled_from([SMALL, Limits(), Limits(fields=2), Limits(field_size=24)]), st.booleans(), st.booleans())
def test_what_is_judged_at_one_go_is_judged_as_line_by_line(wire: bytes, limits: Limits, strict: bool, lenient: bool) -> None:
    rules = Rules(strict=strict, lenient_methods=lenient)
    found = parse_usual(wire, limits, rules)
    if found is not None:
        head, end = found
        assert read(wire, max(1, len(wire)), rules, limits) == (head, wire[end:])


def test_usual_heads_are_judged_at_one_go() -> None:
    found = parse_usual(b"GET /a?b HTTP/1.1\r\nHost: x\r\nX-Y: a, b\r\n\r\nrest", Limits(), Rules())
    assert found is not None
    assert (found[0].target, found[0].headers, found[1]) == (b"/a?b", [(b"Host", b"x"), (b"X-Y", b"a, b")], 41)


def test_at_one_go_means_in_linear_time() -> None:
    hopeless = b"GET / HTTP/1.1\r\n" + b"X: " + b"a " * 50_000 + b"\r\n" + b"Y: z\r\n" * 50_000
    assert parse_usual(hopeless, Limits(), Rules()) is None
