"""What waits to be written on one socket: bytes and file slices, pulled from an answer at the client's pace.

Sends straight away what the socket takes; keeps at most one piece of a body in memory. Small pieces are gathered into one `send`,
files go out by `sendfile`. Knows the socket, not the loop: `flush` says whether the rest has to wait for writability.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from os import sendfile

from coachwhip.api.buckets import File, OpenFile
from coachwhip.connection.waking import tell_later

__all__ = ["ClientGone", "FileShrank", "Outbox", "send_with_file"]

GATHER = 64 << 10
#: The most that one turn of the loop spends on one connection, so that a fast reader cannot keep others waiting.
TURN = 4 << 20
#: Says to the system that a file follows at once, so that head and file may share a segment; 0 where it cannot be said.
MSG_MORE = getattr(socket, "MSG_MORE", 0)
#: `sendfile` does not work on this pair of descriptors; reading and sending does.
_NO_SENDFILE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class ClientGone(OSError):
    """The socket does not take bytes any more."""


class FileShrank(OSError):
    """A file became shorter, or cannot be read any more, while it was sent; the response cannot be completed."""


def send_with_file(sock: socket.socket | None, fd: int, head: bytes, file: File) -> int:
    """Send as much of these as the socket takes at once, without an outbox; returns the bytes, 0 if there is no socket yet.

    `fd`: the descriptor of `sock`.
    """
    if sock is None:
        return 0
    sent, count = 0, file.length
    try:
        sent = sock.send(head, MSG_MORE)
        if sent == len(head):
            sent += sendfile(fd, file.file.fileno(), file.start, count if count < TURN else TURN)
    except OSError:
        # It is full, or nobody is there any more, or this is no file for `sendfile`: whoever sends the rest finds out.
        return sent
    return sent


class Outbox:
    """The unsent rest of an answer."""

    __slots__ = ("_at", "_body", "_data", "_file", "_left", "_socket", "sent")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._data = b""
        #: The file that goes out behind `_data`: `_left` bytes of it, from `_at`. A large one goes out in hundreds of pieces.
        self._file: OpenFile | None = None
        self._at = self._left = 0
        self._body: Iterator[bytes | File] | None = None
        #: Bytes handed to the system since the last `put`.
        self.sent = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is left to send."""
        return not self._data and self._file is None and self._body is None

    def put(self, head: bytes, body: Iterator[bytes | File] | None, sent: int = 0) -> None:
        """Queue bytes and what follows them. Only while no body waits; what is left of earlier bytes goes first and is not counted.

        `sent`: bytes of the same answer that are out already.
        """
        self.sent = sent - len(self._data)
        self._data += head
        self._body = body

    def flush(self) -> bool:
        """Send; True when all is sent, False to be called again when the socket can be written.

        Raises:
            ClientGone: nobody takes it. FileShrank, and whatever the making of the body raises: it cannot be completed.
        """
        budget = TURN
        while budget > 0:
            pauses = self._file is None and self._gather()
            before = self.sent
            try:
                if self._data:
                    is_full = self._send_data()
                elif self._file is not None:
                    is_full = self._send_file(self._file)
                else:
                    return not pauses
            except BlockingIOError:
                return False
            except InterruptedError:
                continue
            if is_full:
                return False
            budget = 0 if pauses else budget - (self.sent - before)
        return self.is_empty

    def _gather(self) -> bool:
        """Pull body pieces until there is enough for one write, or a file. True if the body pauses, so that others have a turn."""
        if self._body is None or len(self._data) >= GATHER:
            return False
        pauses = False
        pieces = [self._data]
        size = len(self._data)
        for piece in self._body:
            if isinstance(piece, File):
                self._file, self._at, self._left = piece.file, piece.start, piece.length
                if piece.length > TURN:
                    tell_later(self._socket)
                break
            pieces.append(piece)
            size += len(piece)
            pauses = not piece
            if pauses or size >= GATHER:
                break
        else:
            self._body = None
        self._data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return pauses

    def _send_data(self) -> bool:
        """Returns whether the socket took less than it was offered: it is full."""
        flags = MSG_MORE if self._file is not None else 0
        offered = min(len(self._data), TURN)
        count = self._send(memoryview(self._data)[:offered], flags)
        self._data = self._data[count:]
        return count < offered

    def _send(self, data: memoryview | bytes, flags: int = 0) -> int:
        try:
            count = self._socket.send(data, flags)
        except (BlockingIOError, InterruptedError):
            raise
        except OSError as error:
            raise ClientGone(error.errno, error.strerror) from None
        self.sent += count
        return count

    def _send_file(self, file: OpenFile) -> bool:
        """As `_send_data`."""
        left = self._left
        offered = left if left < TURN else TURN
        fd = file.fileno()
        if fd < 0:
            raise FileShrank("file was closed")
        try:
            count = sendfile(self._socket.fileno(), fd, self._at, offered)
        except (BlockingIOError, InterruptedError):
            raise
        except OSError as error:
            if error.errno not in _NO_SENDFILE:
                # The system does not say which of the two failed; a file that fails is seen when it is read.
                self._read(file, 1)
                raise ClientGone(error.errno, error.strerror) from None
            offered = min(left, GATHER)
            count = self._send(self._read(file, offered))
        else:
            self.sent += count
        if count == 0:
            raise FileShrank("file became shorter while it was sent")
        self._at += count
        self._left = left - count
        if count == left:
            self._file = None
        return count < offered

    def _read(self, file: OpenFile, count: int) -> bytes:
        try:
            data = file.read_at(self._at, count)
        except OSError as error:
            raise FileShrank(f"file cannot be read any more: {error.strerror}") from error
        if not data:
            raise FileShrank("file became shorter while it was sent")
        return data

    def drop(self) -> None:
        """Forget what was not sent."""
        self._data, self._file = b"", None
        body, self._body = self._body, None
        close = getattr(body, "close", None)
        if close is not None:
            close()
