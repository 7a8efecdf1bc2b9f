"""The floor: what reading requests and writing answers cost by themselves, from Python, on this machine.

`python -m coachwhip.bench.floor PORT ROOT keep|new` answers every request with what the first one asked for. It looks at no other, keeps
no log, asks for no file again and ends nobody who is slow: it is no server, but no server in Python that reads and writes once for
each request can cost less. `new`: a connection ends with its first answer.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from dataclasses import dataclass

__all__ = ["main"]

READ_SIZE = 64 << 10
#: As `request/replay.py` has it: from here on a file goes out from itself at less cost.
SENDFILE_SIZE = 32 << 10
TURN = 64
_HEAD = (
    "HTTP/1.1 {status}\r\nDate: Tue, 01 Jul 2025 12:00:00 GMT\r\nServer: floor\r\nLast-Modified: Tue, 01 Jul 2025 12:00:00 GMT\r\n"
    'ETag: "264-638de64d51900"\r\nAccept-Ranges: bytes\r\n{length}Keep-Alive: timeout=300\r\nConnection: {connection}\r\n'
    "Content-Type: text/html\r\n\r\n"
)


@dataclass(slots=True)
class _Answer:
    """Bytes, and behind them `size` bytes of a file unless its descriptor is -1."""

    wire: bytes
    file: int = -1
    size: int = 0


def _answer(request: bytes, root: str, connection: str) -> _Answer:
    """What this request asks for. Raises OSError if there is no such file."""
    if b"\r\nif-modified-since:" in request.lower():
        return _Answer(_HEAD.format(status="304 Not Modified", length="", connection=connection).encode("ascii"))
    path = request.split(b" ", 2)[1].decode("ascii")
    file = os.open(root + (path + "index.html" if path.endswith("/") else path), os.O_RDONLY)
    size = os.fstat(file).st_size
    head = _HEAD.format(status="200 OK", length=f"Content-Length: {size}\r\n", connection=connection).encode("ascii")
    if size >= SENDFILE_SIZE:
        return _Answer(head, file, size)
    with open(file, "rb") as page:
        return _Answer(head + page.read())


def main(port: int, root: str, *, keeps: bool) -> None:
    """Answer for ever. Raises OSError if the port is taken."""
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    listener.setblocking(False)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    if keeps:
        _answer_kept(listener, root)
    else:
        # The answer and the end of its connection are one segment, as in `mpm/listeners.py`.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        _answer_new(listener, root)


def _answer_kept(listener: socket.socket, root: str) -> None:
    epoll = select.epoll()
    door = listener.fileno()
    epoll.register(door, select.EPOLLIN)
    kept: dict[int, socket.socket] = {}
    answer: _Answer | None = None
    while True:
        for fd, _ in epoll.poll(-1, TURN):
            if fd == door:
                new, _ = listener.accept()
                new.setblocking(False)
                kept[new.fileno()] = new
                epoll.register(new.fileno(), select.EPOLLIN | select.EPOLLET)
                continue
            try:
                data = os.read(fd, READ_SIZE)
                if not data:
                    kept.pop(fd).close()
                    continue
                if answer is None:
                    answer = _answer(data, root, "Keep-Alive")
                if answer.file < 0:
                    os.write(fd, answer.wire)
                else:
                    kept[fd].send(answer.wire, socket.MSG_MORE)
                    os.sendfile(fd, answer.file, 0, answer.size)
            except ConnectionError:
                kept.pop(fd).close()


def _answer_new(listener: socket.socket, root: str) -> None:
    epoll = select.epoll()
    epoll.register(listener.fileno(), select.EPOLLIN)
    accept = listener._accept  # type: ignore[attr-defined]
    answer: _Answer | None = None
    while True:
        epoll.poll(-1, TURN)
        for _ in range(TURN):
            try:
                fd, _ = accept()
            except BlockingIOError:
                break
            try:
                data = os.read(fd, READ_SIZE)
                if answer is None:
                    answer = _answer(data, root, "close")
                os.write(fd, answer.wire)
            except ConnectionError:
                pass
            os.close(fd)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], keeps=sys.argv[3] == "keep")
