"""What a response body is made of: buckets, in order, ended by `End`.

Handlers produce buckets, filters turn buckets into buckets, the connection writes them. A `File` is never read into memory
unless a filter asks for its bytes; a `Stream` is unrolled by whoever drives the chain, so filters never meet one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from coachwhip.api.files import FileStat

__all__ = ["Brigade", "Bucket", "Data", "End", "File", "Flush", "OpenFile", "Stream"]


class OpenFile(Protocol):
    """A regular file that the file layer opened and checked."""

    #: What was opened, and its size in bytes then.
    stat: FileStat
    size: int

    def fileno(self) -> int:
        """The descriptor."""

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; short only at the end of the file.

        Raises:
            OSError: if the file cannot be read any more.
        """

    def close(self) -> None:
        """Give the descriptor back; may be called twice."""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes in memory."""

    data: bytes

    def __len__(self) -> int:
        return len(self.data)


@dataclass(slots=True)
class File:
    """`length` bytes from `start` of an open file."""

    file: OpenFile
    start: int
    length: int

    def __len__(self) -> int:
        return self.length

    def after(self, count: int) -> File | None:
        """What is left when `count` bytes of it are out; None if nothing is."""
        return File(self.file, self.start + count, self.length - count) if count < self.length else None

    def read(self) -> bytes:
        """The bytes; raises OSError if the file has become shorter."""
        length = self.length
        data = self.file.read_at(self.start, length)
        if len(data) != length:
            raise OSError("file became shorter while it was sent")
        return data


@dataclass(frozen=True, slots=True)
class Stream:
    """Pieces that are made while the response is sent; their total length is not known."""

    pieces: Iterator[bytes]


class Flush:
    """Send what there is before going on."""

    __slots__ = ()


class End:
    """The body is complete. A body that stops without it was cut."""

    __slots__ = ()


Bucket = Data | File | Stream | Flush | End
Brigade = list[Bucket]
