"""Accepting: one listener in one worker, and serve-at-accept.

With TCP_DEFER_ACCEPT the first bytes of a request come with its connection. If the answer is kept and the client wants one answer only,
it is given right here, and no connection object is ever made. Everything else is handed to the worker.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any, Protocol

from coachwhip.api.server import Connection, Server
from coachwhip.connection.hot import HotPath
from coachwhip.request.replay import Table

__all__ = ["Acceptor", "Takes"]

#: Connections accepted in one turn of the loop.
TURN = 64
READ_SIZE = 64 << 10
#: After these errors there is no room for another connection.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Takes(Protocol):
    """The worker, as an acceptor sees it."""

    hot: HotPath

    def server_of(self, ip: str, port: int) -> Server:
        """The server that answers at a local address."""

    def take(self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], data: bytes) -> None:
        """A connection that stays; `data` has arrived already."""

    def report(self, error: Exception) -> None:
        """A connection could not be begun; it is closed already."""

    def finish(self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], rest: bytes) -> None:
        """The end of an answer that the socket did not take at once; then close."""


class Acceptor:
    """Accepts from one listener."""

    __slots__ = ("_at_once", "_guest", "_is_v4", "_local", "_on_no_room", "_table", "_worker", "listener")

    def __init__(
        self, listener: socket.socket, worker: Takes, *, at_once: bool, on_no_room: Callable[[Acceptor, OSError], None]
    ) -> None:
        """`at_once`: serve at accept. `on_no_room`: told when the process or the system is out of descriptors or memory."""
        self.listener = listener
        self._worker = worker
        self._on_no_room = on_no_room
        self._is_v4 = listener.family == socket.AF_INET
        #: The one local address of this listener; None where connections may come to many.
        self._local = _one_address(listener)
        self._table: Table | None = None
        #: Stands for whoever is being answered at accept; look-ups and logs read the client's address from it.
        self._guest: Connection | None = None
        self._at_once = at_once
        if at_once and self._local is not None:
            self._guest = Connection(worker.server_of(*self._local), ("", 0), self._local, id=0)
            self._table = worker.hot.table_of(self._guest)

    def accept(self) -> None:
        """Take what waits, up to a bound. Called when the listener is readable."""
        for _ in range(TURN):
            try:
                sock, client = self.listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._on_no_room(self, error)
                return
            try:
                self._begin(sock, client)
            except OSError:
                sock.close()
            except Exception as error:
                # Whatever is wrong with one connection, the client must not hang and the others must be served.
                sock.close()
                self._worker.report(error)

    def _begin(self, sock: socket.socket, client: tuple[Any, ...]) -> None:
        """Costs at accept, for a kept answer: `recv`, the look-up, `send`, `close`."""
        try:
            data = sock.recv(READ_SIZE, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            data = b""
        who = client if self._is_v4 else (_plain(client[0]), client[1])
        if data and self._table is not None and self._serve(sock, who, data):
            return
        local = self._local or _address(sock.getsockname())
        self._worker.take(sock, who, local, data)

    def _serve(self, sock: socket.socket, client: tuple[Any, ...], data: bytes) -> bool:
        guest = self._guest
        if guest is None or self._table is None:
            return False
        guest.client_ip, guest.client_port = client
        hot = self._worker.hot
        wire = hot.find(self._table, data, guest, False)
        entry = hot.entry
        if wire is None or entry is None or not entry.close or entry.file is not None:
            return False
        try:
            sent = sock.send(wire, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        hot.log(guest, len(data), len(wire))
        if sent == len(wire):
            sock.close()
        else:
            self._worker.finish(sock, client, (guest.local_ip, guest.local_port), wire[sent:])
        return True


def _one_address(listener: socket.socket) -> tuple[str, int] | None:
    local = listener.getsockname()
    return None if local[0] in ("0.0.0.0", "::") else _address(local)  # noqa: S104 -- compared, not bound


def _address(name: tuple[Any, ...]) -> tuple[str, int]:
    return _plain(name[0]), name[1]


def _plain(ip: str) -> str:
    """An IPv4 client of a dual-stack listener under its IPv4 address, without a zone."""
    ip = ip.partition("%")[0]
    return ip.removeprefix("::ffff:") if ip.startswith("::ffff:") and "." in ip else ip
