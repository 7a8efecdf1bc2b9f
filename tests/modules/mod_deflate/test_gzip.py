"""Compression and its refusals; bytes and brigade boundaries as recorded from Apache 2.4.71 with zlib 1.2.13."""

from __future__ import annotations

import gzip
import random

import pytest

from coachwhip.modules.filters.mod_deflate.accept import accepts_gzip, first_encoding
from coachwhip.modules.filters.mod_deflate.gzip import GzipError, GzipReader, header_size


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        (None, False), ("gzip", True), ("GZIP", True), ("x-gzip", False), ("*", False), ("gzip;q=0", False), ("gzip; q=0", False),
        ("gzip;q=0.00", False), ("gzip;q=0.001", True), ("deflate, GZIP ; q=0.5", True), ("br;q=1,gzip", True), ("", False),
    ],
)  # fmt: skip
def test_accept_encoding(field: str | None, answer: bool) -> None:
    assert accepts_gzip(field) is answer


def test_identity_is_no_encoding() -> None:
    assert first_encoding("identity, 8bit") is None
    assert first_encoding("identity, br") == "br"


def read(data: bytes, step: int) -> bytes:
    reader = GzipReader()
    out = b"".join(piece for at in range(0, len(data), step) for piece in reader.feed(data[at : at + step]))
    assert reader.is_done
    return out


@pytest.mark.parametrize("step", [1, 7, 100000])
def test_a_stream_is_read_however_it_is_cut(step: int) -> None:
    plain = random.Random(1).randbytes(3000)
    assert read(gzip.compress(plain), step) == plain


def test_pieces_stay_small_however_much_a_stream_unfolds_to() -> None:
    pieces = list(GzipReader().feed(gzip.compress(bytes(5_000_000))))
    assert max(map(len, pieces)) <= 1 << 16
    assert sum(map(len, pieces)) == 5_000_000


@pytest.mark.parametrize(
    ("data", "log_id"),
    [(b"not gzip at all", "AH01387"), (b"\x1f\x8b\x08\xe0" + bytes(6), "AH01388")],
)
def test_a_bad_header_is_refused(data: bytes, log_id: str) -> None:
    with pytest.raises(GzipError) as error:
        header_size(data)
    assert error.value.log_id == log_id


def test_a_wrong_checksum_is_refused() -> None:
    data = bytearray(gzip.compress(b"hello"))
    data[-8] ^= 1
    with pytest.raises(GzipError) as error:
        list(GzipReader().feed(bytes(data)))
    assert error.value.log_id == "AH01394"


def test_a_header_with_name_and_comment_is_skipped() -> None:
    head = b"\x1f\x8b\x08\x18" + bytes(6) + b"name\0comment\0"
    assert header_size(head + b"x") == len(head)
    assert header_size(head[:-1]) is None
