"""The gzip wrapper around a deflate stream: what is written, and a reader that takes it off again. Pure.

Source: RFC 1952.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import Enum

__all__ = ["HEADER", "GzipError", "GzipReader", "trailer"]

#: No name, no time, system Unix.
HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
TRAILER_SIZE = 8
_LARGEST_PIECE = 1 << 16


def trailer(checksum: int, size: int) -> bytes:
    """CRC-32 and length of the content (RFC 1952 §2.3.1)."""
    return checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


class GzipError(ValueError):
    """Not a sound gzip stream. `log_id` is httpd's message number."""

    def __init__(self, log_id: str, message: str) -> None:
        super().__init__(message)
        self.log_id = log_id


class _Stage(Enum):
    HEADER = 1
    BODY = 2
    TRAILER = 3
    DONE = 4


_HAS_CRC, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0


class GzipReader:
    """Takes compressed bytes and gives back plain ones; the first member alone.

    Pieces are small, so that whoever counts can stop a bomb early.
    """

    def __init__(self) -> None:
        self._kept = b""
        self._stage = _Stage.HEADER
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._checksum = 0
        self.total_in = 0
        self.total_out = 0
        #: Bytes after the end of the stream.
        self.surplus = 0

    @property
    def is_done(self) -> bool:
        """Whether the trailer was read and found right."""
        return self._stage is _Stage.DONE

    @property
    def has_begun(self) -> bool:
        """Whether the header is behind us."""
        return self._stage is not _Stage.HEADER

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes that `data` completes, at most 64 KiB at a time; raises GzipError."""
        if self._stage is _Stage.HEADER:
            data = self._kept + data
            self._kept = data
            size = header_size(data)
            if size is None:
                return
            data, self._kept, self._stage = data[size:], b"", _Stage.BODY
        if self._stage is _Stage.BODY:
            yield from self._inflate(data)
            data = self._zlib.unused_data if self._zlib.eof else b""
            if self._zlib.eof:
                self._stage = _Stage.TRAILER
        if self._stage is _Stage.TRAILER:
            data = self._kept + data
            self._kept = data
            if len(data) >= TRAILER_SIZE:
                self._check(data[:TRAILER_SIZE])
                self._stage, self._kept, data = _Stage.DONE, b"", data[TRAILER_SIZE:]
        if self._stage is _Stage.DONE:
            self.surplus += len(data)

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        self.total_in += len(data)
        is_full = True
        # A full piece may leave more inside zlib even when all input is taken.
        while (data or is_full) and not self._zlib.eof:
            try:
                plain = self._zlib.decompress(data, _LARGEST_PIECE)
            except zlib.error as error:
                raise GzipError("AH01392", f"Zlib error inflating data ({error})") from None
            data = self._zlib.unconsumed_tail
            is_full = len(plain) == _LARGEST_PIECE
            self.total_out += len(plain)
            self._checksum = zlib.crc32(plain, self._checksum)
            if plain:
                yield plain
        self.total_in -= len(self._zlib.unused_data)

    def _check(self, found: bytes) -> None:
        if found[:4] != self._checksum.to_bytes(4, "little"):
            raise GzipError("AH01394", "Zlib: CRC error inflating data")
        if found[4:] != (self.total_out & 0xFFFFFFFF).to_bytes(4, "little"):
            expected = int.from_bytes(found[4:], "little")
            raise GzipError(
                "AH01395", f"Zlib: Length {self.total_out} of inflated data does not match expected value {expected}"
            )


def header_size(data: bytes) -> int | None:
    """Bytes of the gzip header at the start of `data`, None if it is not complete. Raises GzipError (RFC 1952 §2.3)."""
    if len(data) < len(HEADER):
        return None
    if data[:3] != HEADER[:3]:
        raise GzipError("AH01387", "Zlib: Invalid header")
    flags = data[3]
    if flags & _RESERVED:
        raise GzipError("AH01388", f"Zlib: Invalid flags {flags:02x}")
    at = len(HEADER)
    if flags & _HAS_EXTRA:
        if len(data) < at + 2:
            return None
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & _HAS_CRC else 0
    return at if len(data) >= at else None
