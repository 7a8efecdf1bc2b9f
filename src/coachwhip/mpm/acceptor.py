"""Accepting: one listener in one worker, and serve-at-accept.

With TCP_DEFER_ACCEPT the first bytes of a request come with its connection. If the answer is kept, it is
given right here; if the client wants that one only, no connection object is ever made. Everything else is handed to the worker.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Protocol

from coachwhip.api.server import Connection, Server
from coachwhip.connection.hot import HotPath
from coachwhip.request.replay import Entry, Table

__all__ = ["TURN", "Acceptor", "Takes"]

#: Most connections accepted in one turn of the loop.
TURN = 64
READ_SIZE = 64 << 10
#: After these errors there is no room for another connection.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


#: Local addresses for which a guest is kept.
MAX_GUESTS = 256

Guest = tuple[Connection, "Table | None"]


class Takes(Protocol):
    """The worker, as an acceptor sees it."""

    hot: HotPath

    def server_of(self, ip: str, port: int) -> Server:
        """The server that answers at a local address."""

    def take(
        self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], data: bytes, entry: Entry | None
    ) -> None:
        """A connection that stays; `data` has arrived already, and the kept answer `entry`, if there is one, was given last."""

    def report(self, error: Exception) -> None:
        """A connection could not be begun; it is closed already."""


class Acceptor:
    """Accepts from one listener."""

    __slots__ = ("_accept", "_guests", "_is_v4", "_local", "_on_no_room", "_worker", "accepted", "listener", "turn")

    def __init__(
        self, listener: socket.socket, worker: Takes, *, at_once: bool, on_no_room: Callable[[Acceptor, OSError], None]
    ) -> None:
        """`at_once`: serve at accept. `on_no_room`: told when the process or the system is out of descriptors or memory."""
        self.listener = listener
        #: How many are accepted in one turn of the loop at most, and how many were in all.
        self.turn = 1
        self.accepted = 0
        # The descriptor alone: a `socket` object, and the system calls it makes to know itself, are for connections that stay.
        self._accept: Callable[[], tuple[int, tuple[Any, ...]]] = listener._accept  # type: ignore[attr-defined]
        self._worker = worker
        self._on_no_room = on_no_room
        self._is_v4 = listener.family == socket.AF_INET
        #: The one local address of this listener; None where connections may come to many.
        self._local = _one_address(listener)
        #: By local address, who stands for the client that is being answered at accept (look-ups and logs read its address), and the
        #: answers kept there; None where nothing is served at accept.
        self._guests: dict[tuple[str, int], Guest] | None = {} if at_once else None

    def accept(self) -> None:
        """Take what waits, up to a bound. Called when the listener is readable.

        As in `connection/poller.py`: all is read, then one look takes in what has changed, then each is answered.
        """
        arrived = self._arrived()
        try:
            if arrived:
                self._worker.hot.look()
        except Exception as error:
            for fd, _, _ in arrived:
                os.close(fd)
            self._worker.report(error)
            return
        for fd, client, data in arrived:
            try:
                local = self._local or _local_of(fd, self.listener.family)
                entry = self._answer(fd, client, local, data) if data else None
            except Exception as error:
                # Whatever is wrong with one connection, the client must not hang and the others must be served.
                os.close(fd)
                if not isinstance(error, OSError):
                    self._worker.report(error)
                continue
            if entry is not None and self._worker.hot.sending is None:
                # It is out and logged, and was the last.
                os.close(fd)
            else:
                self._hand_over(fd, client, local, data, entry)
        if arrived:
            self._worker.hot.sheets.hand_over()

    def _arrived(self) -> list[tuple[int, tuple[Any, ...], bytes]]:
        """New connections: descriptor, client, and what came with them."""
        arrived: list[tuple[int, tuple[Any, ...], bytes]] = []
        for _ in range(self.turn):
            try:
                fd, client = self._accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._on_no_room(self, error)
                break
            self.accepted += 1
            try:
                os.set_blocking(fd, False)
                data = os.read(fd, READ_SIZE)
            except BlockingIOError:
                # Nothing has come yet.
                data = b""
            except OSError:
                os.close(fd)
                continue
            arrived.append((fd, client if self._is_v4 else (_plain(client[0]), client[1]), data))
        return arrived

    def _hand_over(self, fd: int, client: tuple[Any, ...], local: tuple[str, int], data: bytes, entry: Entry | None) -> None:
        """A connection that stays, or whose answer is not all sent; from here on a `socket` owns the descriptor."""
        with contextlib.ExitStack() as unless_taken:
            sock = socket.socket(self.listener.family, socket.SOCK_STREAM, 0, fileno=fd)
            unless_taken.callback(sock.close)
            try:
                self._worker.take(sock, client, local, data, entry)
            except OSError:
                return
            except Exception as error:
                self._worker.report(error)
                return
            unless_taken.pop_all()

    def _answer(self, fd: int, client: tuple[Any, ...], local: tuple[str, int], data: bytes) -> Entry | None:
        """The kept answer to `data`, given as far as it can be; None if there is none. Raises OSError."""
        if self._guests is None:
            return None
        guest, table = self._guests.get(local) or self._new_guest(local)
        if table is None:
            return None
        guest.client_ip, guest.client_port = client
        return self._worker.hot.answer(table, data, guest, fd)

    def _new_guest(self, local: tuple[str, int]) -> Guest:
        guest = Connection(self._worker.server_of(*local), ("", 0), local, id=0)
        found = guest, self._worker.hot.table_of(guest)
        if self._guests is not None:
            # All of 127.0.0.0/8 may be this machine's.
            if len(self._guests) >= MAX_GUESTS:
                self._guests.clear()
            self._guests[local] = found
        return found


def _one_address(listener: socket.socket) -> tuple[str, int] | None:
    local = listener.getsockname()
    return None if local[0] in ("0.0.0.0", "::") else _address(local)  # noqa: S104 -- compared, not bound


def _local_of(fd: int, family: int) -> tuple[str, int]:
    """The address that a connection came to. Raises OSError."""
    sock = socket.SocketType(family, socket.SOCK_STREAM, 0, fd)
    try:
        return _address(sock.getsockname())
    finally:
        sock.detach()


def _address(name: tuple[Any, ...]) -> tuple[str, int]:
    return _plain(name[0]), name[1]


def _plain(ip: str) -> str:
    """An IPv4 client of a dual-stack listener under its IPv4 address, without a zone."""
    ip = ip.partition("%")[0]
    return ip.removeprefix("::ffff:") if ip.startswith("::ffff:") and "." in ip else ip
