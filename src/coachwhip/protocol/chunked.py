"""The chunked coding (RFC 9112 §7.1), both ways and without I/O.

`ChunkedDecoder` gives the same data, trailers and errors however its input is split, and holds no more than one line of
it back. Sizes are bounded before they are converted; extensions are checked and forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.fields import DEFAULT_LIMITS, Fields, FieldSection, Limits

#: The zero-sized chunk and an empty trailer section: the end of a chunked body.
LAST_CHUNK = b"0\r\n\r\n"

# Apache allows ten blanks after the size, then perhaps extensions of visible octets, blanks and obs-text.
_SIZE_LINE = re.compile(rb"0*([0-9A-Fa-f]*)[ \t]{0,10}(?:;[\t -~\x80-\xff]*)?")
_MAX_SIZE = 2**63 - 1
_HEX = re.compile(rb"0*([0-9A-Fa-f]+)")


def encode_chunk(data: bytes) -> bytes:
    """Return *data* as one chunk; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def encode_last_chunk(trailers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Return the end of a chunked body with its trailer fields, whose syntax the caller answers for."""
    return b"0\r\n" + b"".join([b"%b: %b\r\n" % trailer for trailer in trailers]) + b"\r\n"


class ChunkedDecoder:
    """Takes a chunked body apart.

    `feed` it bytes and it returns the data in them; once `done`, `trailers` are complete and `rest` is what followed
    the body. An error is final: the connection cannot be used again.
    """

    __slots__ = ("_limits", "_line", "_remaining", "_section", "_step", "_strict", "done", "rest")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, strict: bool = True) -> None:
        self._limits = limits
        self._strict = strict
        self._section = FieldSection(limits, strict=strict)
        self._line = bytearray()  # a line whose LF has not arrived
        self._remaining = 0  # octets of the present chunk still to come
        self._step = self._read_size
        self.done = False
        self.rest = b""

    @property
    def trailers(self) -> Fields:
        """The trailer fields, as sent."""
        return self._section.fields

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes from the wire; return the pieces of body data in them.

        Raises BadRequest: 400 for bad framing, 413 for a size or a line that is out of all bounds (AH01590, AH02656).
        """
        pieces: list[bytes] = []
        position = 0
        while position < len(data) and not self.done:
            position = self._step(data, position, pieces)
        if self.done:
            self.rest += data[position:]
        return pieces

    def _read_data(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        piece = data[position : position + self._remaining]
        pieces.append(piece)
        self._remaining -= len(piece)
        if not self._remaining:
            self._step = self._read_data_end
        return position + len(piece)

    def _read_data_end(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Expect CR LF, one octet at a time, so that a wrong one is refused at once."""
        octet = data[position]
        if octet == 0x0D and not self._line:
            self._line += b"\r"
        elif octet == 0x0A and (self._line or not self._strict):
            self._line.clear()
            self._step = self._read_size
        else:
            raise _bad_chunk()
        return position + 1

    def _read_size(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        line, position = self._read_line(data, position)
        # Apache's limit counts CR and LF; a line whose end has not come is given up when no end could save it. The CR does not count,
        # whether its LF has arrived or not.
        spare = 1 if line is None else -2
        if len((self._line if line is None else line).removesuffix(b"\r")) > self._limits.field_size + spare:
            raise _overflow()
        if line is not None:
            self._remaining = self._parse_size(line)
            self._step = self._read_data if self._remaining else self._read_trailer
        return position

    def _parse_size(self, raw: bytes) -> int:
        if (digits := _HEX.match(raw)) and (len(digits[1]) > 16 or int(digits[1], 16) > _MAX_SIZE):
            raise _overflow()
        line = raw.removesuffix(b"\r")
        if digits is None or not _SIZE_LINE.fullmatch(line) or (self._strict and not raw.endswith(b"\r")):
            raise _bad_chunk()
        return int(digits[1], 16)

    def _read_trailer(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        line, position = self._read_line(data, position)
        if line is None:
            self._section.check_length(self._line[:-1])
        elif self._section.take(line):
            self.done = True
        return position

    def _read_line(self, data: bytes, position: int) -> tuple[bytes | None, int]:
        """Return the line that ends in *data*, without its LF, or None when it does not; and where to go on."""
        end = data.find(b"\n", position)
        if end < 0:
            self._line += data[position:]
            return None, len(data)
        line = bytes(self._line) + data[position:end]
        self._line.clear()
        return line, end + 1


def _bad_chunk() -> BadRequest:
    return BadRequest(400, "Error reading/parsing chunk", "AH01590")


def _overflow() -> BadRequest:
    return BadRequest(413, "Error reading/parsing chunk (overflow)", "AH01590")
