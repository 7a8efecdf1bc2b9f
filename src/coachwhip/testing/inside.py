"""A server inside the test's own process: the real worker, connections and hot path, on a loop that runs only while somebody asks.

For tests that ask hundreds of thousands of questions, or look at what a worker keeps. Connections are real sockets on the loopback.
The configuration is complete, as an `httpd.conf`; nothing is forked, no privilege is dropped, and time-outs do not pass.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from types import TracebackType

from coachwhip.api import phases
from coachwhip.config import LoadOptions
from coachwhip.mpm.policy import Policy
from coachwhip.mpm.worker import Worker, new_loop
from coachwhip.request.replay import Replay
from coachwhip.server import build

__all__ = ["Inside", "Line", "whole_answer"]

_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]{1,19})\r\n", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})[^\r\n]*\r\n")
#: Seconds of CPU: the loop turns all the while, and a busy machine must not count.
_PATIENCE = 2.0
#: So often the loop turns before the CPU time is asked for, which takes longer than most answers.
_TURNS = 100


def whole_answer(data: bytes, *, is_head: bool, ended: bool) -> int | None:
    """Where the first answer in `data` ends, or None if more has to come. `ended`: the server has closed."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return len(data) if ended else None
    head = data[:end]
    found = _STATUS.match(head)
    status = int(found[1]) if found is not None else 0
    if is_head or status in (204, 304) or 100 <= status < 200:
        return end
    if b"\r\nTransfer-Encoding: chunked\r\n" in head:
        return _end_of_chunks(data, end)
    length = _LENGTH.search(head)
    if length is None:
        return len(data) if ended else None
    end += int(length[1])
    return end if len(data) >= end or ended else None


def _end_of_chunks(data: bytes, at: int) -> int | None:
    while (found := _CHUNK.match(data, at)) is not None:
        at = found.end() + int(found[1], 16) + 2
        if found[1].strip(b"0") == b"":
            return at if len(data) >= at else None
    return None


class Line:
    """One connection to the server inside."""

    def __init__(self, inside: Inside, client: str = "127.0.0.1") -> None:
        """`client`: its address."""
        self._inside = inside
        self._socket, server = inside.connected_pair(client)
        self._socket.setblocking(False)
        self._data = b""
        #: The server has closed its side.
        self.ended = False
        guest = inside.worker.guest(inside.address)
        guest.info.client_ip, guest.info.client_port = self._socket.getsockname()
        inside.worker.take(server, guest, b"")

    def send(self, data: bytes) -> None:
        """Hand bytes to the system."""
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._inside.turn()

    def ask(self, request: bytes) -> bytes:
        """Send a request, run the loop until its answer is here, and return it: b"" if the server just closed.

        Raises:
            TimeoutError: no whole answer came.
        """
        self.send(request)
        return self.read(is_head=request.startswith(b"HEAD "))

    def read(self, *, is_head: bool = False) -> bytes:
        """The next whole answer. Raises as `ask`."""
        deadline, turns = 0.0, 0
        while (end := whole_answer(self._data, is_head=is_head, ended=self.ended)) is None:
            turns += 1
            if turns % _TURNS == 0:
                now = time.process_time()
                deadline = deadline or now + _PATIENCE
                if now > deadline:
                    raise TimeoutError(f"no whole answer, only {self._data[:200]!r}")
            self._inside.turn()
            self._receive()
        answer, self._data = self._data[:end], self._data[end:]
        return answer

    def _receive(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self._data += data

    def is_over(self) -> bool:
        """Whether the server has closed, or closes now."""
        for _ in range(3):
            self._inside.turn()
        self._receive()
        return self.ended and not self._data

    def close(self) -> None:
        """Close our side."""
        self._socket.close()

    def reset(self) -> None:
        """Be gone, as a client whose process was killed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class Inside:
    """A worker that serves connections made by `line`; a context manager that ends it."""

    def __init__(self, server_root: str, config: str, *, use_uvloop: bool = False, file: str = "httpd.conf") -> None:
        path = f"{server_root}/{file}"
        options = LoadOptions(server_root, path, texts={path: config.encode("utf-8", "surrogateescape")})
        self.instance = build(options)
        self.loop: asyncio.AbstractEventLoop = new_loop(use_uvloop)
        self.worker = Worker(self.instance.pipeline, [], Policy(threads=4), self.loop)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._lines: list[Line] = []
        startup = self.instance.startup
        startup.logs.attach(self.loop.call_soon, self.loop.call_later)
        self.instance.pipeline.hooks.run(phases.child_init, startup)

    @property
    def replay(self) -> Replay:
        """What the worker keeps."""
        return self.worker.hot.replay

    @property
    def hits(self) -> int:
        """Answers that were given again so far."""
        return self.worker.hot.tally.accesses

    def line(self, client: str = "127.0.0.1") -> Line:
        """A new connection from an address of this machine."""
        made = Line(self, client)
        self._lines.append(made)
        return made

    def ask(self, request: bytes) -> bytes:
        """One request on a connection of its own."""
        line = Line(self)
        try:
            return line.ask(request)
        finally:
            line.close()

    def turn(self) -> None:
        """Let the loop do what is ready, once."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def connected_pair(self, client_ip: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
        """The two ends of a connection over the loopback: the client's, the server's."""
        client = socket.create_connection(self.address, source_address=(client_ip, 0))
        server, peer = self._listener.accept()
        while peer != client.getsockname():
            # Somebody else's, who took this port for that of a server of his own.
            server.close()
            server, peer = self._listener.accept()
        server.setblocking(False)
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, server

    def close(self) -> None:
        """End the worker; logs are written."""
        self._listener.close()
        for line in self._lines:
            line.close()
        for connection in list(self.worker.connections):
            connection.close()
        self.turn()
        self.worker.poller.close()
        self.instance.pipeline.hooks.run(phases.child_exit, self.instance.startup)
        self.instance.startup.logs.detach()
        self.replay.watcher.close()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.instance.startup.logs.close()

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
