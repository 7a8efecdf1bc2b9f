"""Chunked bodies: the same data, trailers and errors however they are split, what is held back is bounded, and what is accepted is what
RFC 9112 §7.1 calls a chunked body (with Apache's ten blanks behind a size), read by a second, plain reader.
"""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

from coachwhip.protocol.chunked import ChunkedDecoder, encode_chunk, encode_last_chunk
from coachwhip.protocol.fields import Limits
from coachwhip.protocol.http1 import BadRequest
from fuzz.target import Check, Target, pieces, pieces_of, require, words

_LIMITS = (Limits(), Limits(line=30, field_size=30, fields=2))
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[ \t]{0,10}(?:;[\t -~\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*(?:\r\n[ \t]+[\t -~\x80-\xff]*)*\r\n")

#: Data, trailers and what followed (None while more has to come), or an error.
Result = tuple[bytes, object, bytes | None] | BadRequest


def _read(data: bytes, size: int, limits: Limits, strict: bool) -> Result:
    decoder = ChunkedDecoder(limits, strict=strict)
    body: list[bytes] = []
    for number, piece in enumerate(pieces(data, size), 1):
        try:
            body += decoder.feed(piece)
        except BadRequest as error:
            return error
        require(len(decoder._line) <= max(limits.line, limits.field_size) + 3, "no more than a line is held back")
        if decoder.done:
            return b"".join(body), list(decoder.trailers), decoder.rest + data[number * size :]
    return b"".join(body), list(decoder.trailers), None


def _plainly(data: bytes) -> tuple[bytes, bytes]:
    """The data of a complete body by the grammar, and what follows it. Raises Fault if it is none."""
    body, at = b"", 0
    while True:
        found = _CHUNK.match(data, at)
        require(found is not None, "a chunk begins with its size")
        if found is None:
            return body, b""
        size, at = int(found[1], 16), found.end()
        if size == 0:
            break
        body += data[at : at + size]
        require(data[at + size : at + size + 2] == b"\r\n", "a chunk ends with CR LF")
        at += size + 2
    while (trailer := _TRAILER.match(data, at)) is not None:
        at = trailer.end()
    require(data[at : at + 2] == b"\r\n", "trailers end with an empty line")
    return body, data[at + 2 :]


def _prepare(folder: Path) -> Check:
    def check(data: bytes) -> str:
        choice = zlib.adler32(data)
        strict, limits = choice % 4 != 0, _LIMITS[choice // 4 % 2]
        whole = _read(data, max(len(data), 1), limits, strict)
        apart = _read(data, pieces_of(data), limits, strict)
        require(whole == apart, "a body is the same however it is split")
        if isinstance(whole, BadRequest):
            return f"{whole.status} {whole.log_id} {whole.reason[:40]}"
        body, trailers, rest = whole
        if rest is None:
            return "more"
        if strict:
            require(_plainly(data) == (body, rest), "both readers find the same data and the same end")
        return f"{min(len(body), 3)} octets, {len(list(trailers))} trailers, {'more follows' if rest else 'nothing follows'}"  # type: ignore[call-overload]

    return check


def _generate(chance: random.Random) -> bytes:
    data = b""
    for _ in range(chance.randrange(4)):
        piece = chance.randbytes(chance.choice((1, 5, 15, 16, 200)))
        if chance.random() < 0.5:
            data += encode_chunk(piece)
        else:
            extension = chance.choice((b"", b" ", b";a", b";a=b", b' ; a="b"', b";\xff", b"\t\t"))
            data += b"0" * chance.randrange(3) + b"%X" % len(piece) + extension + b"\r\n" + piece + b"\r\n"
    trailers = [(b"A%d" % number, b"v" * chance.choice((0, 1, 30))) for number in range(chance.choice((0, 0, 1, 3)))]
    return data + encode_last_chunk(trailers) + chance.choice((b"", b"", b"GET / HTTP/1.1\r\n"))


CHUNKS = Target("chunks", words("chunks"), _generate, _prepare, longest=16_384)
