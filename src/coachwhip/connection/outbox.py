"""What waits to be written on one socket: bytes and file slices, pulled from responses at the client's pace.

Sends straight away what the socket takes; keeps at most one piece of a body in memory. Small pieces are gathered into one `send`,
files go out by `sendfile`. Knows the socket, not the loop: `flush` says whether the rest has to wait for writability.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from coachwhip.api.buckets import File

__all__ = ["FileShrank", "Outbox"]

GATHER = 64 << 10
#: The most that one turn of the loop spends on one connection, so that a fast reader cannot keep others waiting.
TURN = 4 << 20


class FileShrank(OSError):
    """A file became shorter while it was sent; the response cannot be completed."""


class Outbox:
    """The unsent rest of the responses of one connection."""

    __slots__ = ("_body", "_data", "_file", "_socket", "sent")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._data = b""
        self._file: File | None = None
        self._body: Iterator[bytes | File] | None = None
        #: Bytes handed to the system so far.
        self.sent = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is left to send."""
        return not self._data and self._file is None and self._body is None

    def put(self, head: bytes, body: Iterator[bytes | File] | None) -> None:
        """Queue a response. Only when the one before is sent."""
        self._data += head
        self._body = body

    def flush(self) -> bool:
        """Send; True when all is sent, False to be called again when the socket can be written.

        Raises:
            OSError: the client is gone. FileShrank: the body cannot be completed.
        """
        budget = TURN
        while budget > 0:
            self._gather()
            before = self.sent
            try:
                if self._data:
                    self._send_data()
                elif self._file is not None:
                    self._send_file(self._file)
                else:
                    return True
            except BlockingIOError:
                return False
            except InterruptedError:
                continue
            budget -= self.sent - before
        return self.is_empty

    def _gather(self) -> None:
        """Pull body pieces until there is enough for one write, or a file."""
        if self._body is None or self._file is not None or len(self._data) >= GATHER:
            return
        pieces = [self._data]
        size = len(self._data)
        for piece in self._body:
            if isinstance(piece, File):
                self._file = piece
                break
            pieces.append(piece)
            size += len(piece)
            if size >= GATHER:
                break
        else:
            self._body = None
        self._data = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _send_data(self) -> None:
        flags = socket.MSG_MORE if self._file is not None and hasattr(socket, "MSG_MORE") else 0
        count = self._socket.send(self._data, flags)
        self.sent += count
        self._data = self._data[count:]

    def _send_file(self, file: File) -> None:
        fd = file.file.fileno()
        if fd < 0:
            raise FileShrank("file was closed")
        if not hasattr(os, "sendfile"):
            data = file.file.read_at(file.start, min(file.length, GATHER))
            if not data:
                raise FileShrank("file became shorter while it was sent")
            count = self._socket.send(data)
        else:
            count = os.sendfile(self._socket.fileno(), fd, file.start, min(file.length, TURN))
            if count == 0:
                raise FileShrank("file became shorter while it was sent")
        self.sent += count
        left = file.length - count
        if left:
            self._file = File(file.file, file.start + count, left)
        else:
            self._file = None

    def drop(self) -> None:
        """Forget what was not sent."""
        self._data, self._file = b"", None
        body, self._body = self._body, None
        close = getattr(body, "close", None)
        if close is not None:
            close()
