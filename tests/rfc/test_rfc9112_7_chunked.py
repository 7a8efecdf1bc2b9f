"""RFC 9112 section 7: the chunked coding. Verdicts were recorded from Apache 2.4.71 behind a CGI program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.protocol.chunked import LAST_CHUNK, ChunkedDecoder, encode_chunk, encode_last_chunk
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.fields import Limits

TAIL = b"\r\nhello\r\n0\r\n\r\n"
HELLO = "hello"


def decode(body: bytes, size: int = 0, *, strict: bool = True, limits: Limits = Limits()) -> str:  # noqa: B008
    """Return the data, "wait" for an unfinished body, or the refusal; fed in pieces of *size* octets (0: at once)."""
    decoder = ChunkedDecoder(limits, strict=strict)
    data = b""
    step = size or max(1, len(body))
    try:
        for start in range(0, len(body), step):
            data += b"".join(decoder.feed(body[start : start + step]))
    except BadRequest as error:
        return f"{error.status} {error.log_id}"
    return data.decode("latin-1") if decoder.done else "wait"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"5" + TAIL, HELLO),
        (b"0005" + TAIL, HELLO),
        (b"0" * 8000 + b"5" + TAIL, HELLO),
        (b"a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n", "0123456789" * 2),
        (b"0\r\n\r\n", ""),
        # Apache allows ten blanks after the size.
        (b"5 " + TAIL, HELLO),
        (b"5\t" + TAIL, HELLO),
        (b"5" + b" " * 10 + TAIL, HELLO),
        (b"5" + b" " * 11 + TAIL, "400 AH01590"),
        # §7.1.1: extensions are ignored, whatever they say, as long as they are text.
        (b'5;a=b ; c = "d"' + TAIL, HELLO),
        (b"5 ;a" + TAIL, HELLO),
        (b"5;;" + TAIL, HELLO),
        (b"5;a\tb\xe9" + TAIL, HELLO),
        (b"5\r\nhello\r\n0;x\r\n\r\n", HELLO),
        (b"5;a\x01" + TAIL, "400 AH01590"),
        (b"5;a\x7f" + TAIL, "400 AH01590"),
        (b"5;a\rb" + TAIL, "400 AH01590"),
        (b"5;a\0b" + TAIL, "400 AH01590"),
        (b'5;a="\r\n"' + TAIL, "400 AH01590"),
        # sizes that only some programs would read
        (b"0x5" + TAIL, "400 AH01590"),
        (b"+5" + TAIL, "400 AH01590"),
        (b"-5" + TAIL, "400 AH01590"),
        (b"0_5" + TAIL, "400 AH01590"),
        (b" 5" + TAIL, "400 AH01590"),
        (b"\t5" + TAIL, "400 AH01590"),
        (b"\xa05" + TAIL, "400 AH01590"),
        (b"\xd9\xa5" + TAIL, "400 AH01590"),
        (b"5g" + TAIL, "400 AH01590"),
        (b'"5"' + TAIL, "400 AH01590"),
        (b"5.0" + TAIL, "400 AH01590"),
        (b"5," + TAIL, "400 AH01590"),
        (b"5 x" + TAIL, "400 AH01590"),
        (b"" + TAIL, "400 AH01590"),
        (b";a" + TAIL, "400 AH01590"),
        (b"7fffffffffffffff\r\nhello", "wait"),
        (b"8000000000000000" + TAIL, "413 AH01590"),
        (b"ffffffffffffffff" + TAIL, "413 AH01590"),
        (b"10000000000000005" + TAIL, "413 AH01590"),
        (b"f" * 5000 + TAIL, "413 AH01590"),
        (b"0" * 8187 + b"5" + TAIL, HELLO),
        (b"0" * 8188 + b"5" + TAIL, "413 AH01590"),
        (b"5;" + b"a" * 8186 + TAIL, HELLO),
        (b"5;" + b"a" * 8187 + TAIL, "413 AH01590"),
        (b"5;" + b" " * 8187 + TAIL, "413 AH01590"),
        (b"5\r\nhello\r\n0;" + b"a" * 8187 + b"\r\n\r\n", "413 AH01590"),
        (b"0" * 8191, "wait"),
        (b"0" * 8192, "413 AH01590"),
        # line ends
        (b"5\nhello\r\n0\r\n\r\n", "400 AH01590"),
        (b"5\r\nhello\n0\r\n\r\n", "400 AH01590"),
        (b"5\r\nhello\r\n0\n\r\n", "400 AH01590"),
        (b"5\r\nhello\r\n0\r\n\n", "400 AH00567"),
        (b"5\rhello\r\n0\r\n\r\n", "400 AH01590"),
        (b"5\r\r\nhello\r\n0\r\n\r\n", "400 AH01590"),
        (b"5\r\nhello0\r\n\r\n", "400 AH01590"),
        (b"5\r\nhelloXX0\r\n\r\n", "400 AH01590"),
        (b"5\r\nhello\rX", "400 AH01590"),
        (b"5\r\nhello\r\n\r\n0\r\n\r\n", "400 AH01590"),
        # unfinished
        (b"", "wait"),
        (b"5", "wait"),
        (b"5\r", "wait"),
        (b"5\r\nhel", "wait"),
        (b"5\r\nhello\r\n0\r\n", "wait"),
        # §7.1.2: trailers
        (b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n", HELLO),
        (b"5\r\nhello\r\n0\r\nX-T: 1\r\n 2\r\n\r\n", HELLO),
        (b"5\r\nhello\r\n0\r\n" + b"X: 1\r\n" * 100 + b"\r\n", HELLO),
        (b"5\r\nhello\r\n0\r\n" + b"X: 1\r\n" * 101 + b"\r\n", "400 AH00563"),
        (b"5\r\nhello\r\n0\r\nX-T : 1\r\n\r\n", "400 AH02426"),
        (b"5\r\nhello\r\n0\r\n X-T: 1\r\n\r\n", "400 AH03442"),
        (b"5\r\nhello\r\n0\r\nbad\r\n\r\n", "400 AH02426"),
        (b"5\r\nhello\r\n0\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "400 AH02426"),
        (b"5\r\nhello\r\n0\r\nX: " + b"a" * 8200 + b"\r\n\r\n", "400 AH00561"),
        (b"5\r\nhello\r\n0\r\nX: " + b"a" * 8200, "400 AH00561"),
    ],
)
def test_decoding(body: bytes, answer: str) -> None:
    assert decode(body) == answer
    assert decode(body, 1) == answer
    assert decode(body, 7) == answer


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"5\nhello\r\n0\r\n\r\n", HELLO),
        (b"5\r\nhello\n0\r\n\r\n", HELLO),
        (b"5\r\nhello\r\n0\n\n", HELLO),
        (b" 5" + TAIL, "400 AH01590"),
        (b"5;a\x01" + TAIL, "400 AH01590"),
        (b"5\r\nhello0\r\n\r\n", "400 AH01590"),
    ],
)
def test_unsafe_takes_a_bare_lf(body: bytes, answer: str) -> None:
    assert decode(body, strict=False) == answer
    assert decode(body, 1, strict=False) == answer


def test_trailers_and_what_follows_the_body() -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"2\r\nab\r\n1\r\nc\r\n0\r\nX: 1\r\nY: 2\r\n\r\nGET / HT") == [b"ab", b"c"]
    assert decoder.feed(b"TP/1.1") == []
    assert decoder.done
    assert decoder.trailers == [(b"X", b"1"), (b"Y", b"2")]
    assert decoder.rest == b"GET / HTTP/1.1"


@given(st.lists(st.binary(max_size=40), max_size=8), st.data())
def test_what_is_encoded_is_decoded_however_it_is_split(pieces: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(encode_chunk(piece) for piece in pieces) + LAST_CHUNK + b"next"
    decoder = ChunkedDecoder()
    body, position = b"", 0
    while position < len(wire):
        step = data.draw(st.integers(min_value=1, max_value=len(wire)))
        body += b"".join(decoder.feed(wire[position : position + step]))
        position += step
    assert body == b"".join(pieces)
    assert decoder.done
    assert decoder.rest == b"next"


hostile = st.lists(
    st.sampled_from([b"0", b"5", b"a", b"\r\n", b"\n", b"\r", b";x", b" ", b"hello", b"X: 1", b"\r\n\r\n", b"0\r\n", b"\0"]),
    max_size=14,
)


@given(hostile.map(b"".join), st.integers(min_value=1, max_value=9), st.booleans())
def test_any_input_gives_the_same_verdict_however_it_is_split(wire: bytes, size: int, strict: bool) -> None:
    assert decode(wire, size, strict=strict) == decode(wire, strict=strict)


def test_encoding() -> None:
    assert encode_chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert encode_chunk(b"") == b""
    assert encode_last_chunk() == LAST_CHUNK
    assert encode_last_chunk([(b"X", b"1")]) == b"0\r\nX: 1\r\n\r\n"


@pytest.mark.parametrize("length", [29, 30, 31, 32, 33])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r", b"\r\r\n", b""])
def test_a_long_size_line_is_refused_alike_however_it_is_split(length: int, end: bytes) -> None:
    body = (b"5;" + b"x" * (length - 2) + end + b"hello\r\n0\r\n\r\n")[: None if end else length]
    limits = Limits(line=30, field_size=30, fields=3)
    for strict in (True, False):
        assert len({decode(body, size, strict=strict, limits=limits) for size in (0, 1, 2, 3, 30, 31, 32)}) == 1
