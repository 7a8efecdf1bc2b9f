"""Physical lines to logical lines, with every byte kept.

A logical line is one or more physical lines joined by a backslash before the line end. `raw` is what stood in the file, `text`
what the language sees: joined, cut at a NUL, trimmed. Knows nothing of directives. First station of the flow:
bytes → lines → tree → reading → evaluation.
Source: Apache manual, "Configuration Files"; the corner cases are those of 2.4.71, tried one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coachwhip.util.words import SPACES

__all__ = ["LINE_LIMIT", "Line", "decode", "encode", "split_lines"]

#: Longest logical line in bytes.
LINE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line. `b"".join(line.raw for line in lines)` is the file."""

    raw: bytes
    text: str
    #: Number of the first physical line, from 1, and the number that Apache names in messages (the last one).
    first: int
    number: int

    @property
    def is_blank(self) -> bool:
        """Empty, or a comment."""
        return not self.text or self.text[0] == "#"


def decode(data: bytes) -> str:
    """Configuration bytes as text; any byte survives the way back through `encode`."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` read."""
    return text.encode("utf-8", "surrogateescape")


def split_lines(data: bytes) -> Iterator[Line]:
    """Cut a file into logical lines.

    A comment that ends in a backslash swallows the next line, and a backslash at the very end of the file stays: as Apache does.
    """
    start = position = 0
    number = first = 1
    text = b""
    while position < len(data):
        end = data.find(b"\n", position) + 1 or len(data)
        text, goes_on = _unfold(text, data[position:end])
        position = end
        # At the end of the file Apache has counted a line that is not there before it notices.
        if goes_on:
            number += 1
        if goes_on and position < len(data):
            continue
        yield Line(data[start:position], decode(text).strip(SPACES), first, number)
        start = position
        text = b""
        number += 1
        first = number


def _unfold(text: bytes, physical: bytes) -> tuple[bytes, bool]:
    """`text` with a physical line added, its end removed; True if a backslash asks for the next one."""
    nul = physical.find(b"\0")
    if nul >= 0:
        return text + physical[:nul], False
    text += physical
    if not physical.endswith(b"\n"):
        return text, False
    text = text[:-2] if text.endswith(b"\r\n") else text[:-1]
    return (text[:-1], True) if text.endswith(b"\\") else (text, False)
