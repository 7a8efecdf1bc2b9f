"""Accepting: one listener in one worker, and serve-at-accept.

With TCP_DEFER_ACCEPT the first bytes of a request come with its connection. If the answer is kept, it is given right here; if the client
wants that one only, no connection object is ever made, and no guest either if it is ready. Everything else is handed to the worker.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from os import read, set_blocking
from typing import Any, Protocol

from coachwhip.connection.guest import Guest
from coachwhip.connection.hot import HotPath, New
from coachwhip.connection.peer import Sending
from coachwhip.mpm.listeners import CORK
from coachwhip.request.replay import Table

__all__ = ["TURN", "Acceptor", "Takes"]

#: Most connections accepted in one turn of the loop.
TURN = 64
READ_SIZE = 64 << 10
#: After these errors there is no room for another connection.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Takes(Protocol):
    """The worker, as an acceptor sees it."""

    hot: HotPath

    def guest(self, local: tuple[str, int], *, at_once: bool = False) -> Guest:
        """Who stands for new connections to a local address; `at_once`: kept answers are given to them."""

    def take(self, sock: socket.socket, guest: Guest, data: bytes) -> None:
        """A connection that stays, and what the guest was given; `data`: what has arrived, if that was nothing."""

    def report(self, error: Exception) -> None:
        """A connection could not be begun; it is closed already."""


class Acceptor:
    """Accepts from one listener."""

    __slots__ = (
        "_accept", "_asked", "_at_once", "_idle", "_is_v4", "_local", "_on_no_room", "_worker", "accepted", "listener", "turn",
    )  # fmt: skip

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
        self._at_once = at_once
        #: Guests who stand for nobody now: at most as many as connections come in one turn, and one more.
        self._idle: list[Guest] = []
        #: The local address that was asked for last, and its kept answers.
        self._asked: tuple[tuple[str, int], Table | None] = (("", 0), None)

    def accept(self) -> None:
        """Take what waits, up to a bound. Called when the listener is readable.

        As in `connection/poller.py`: all is read, then one look takes in what has changed, then each is answered.
        """
        arrived = self._arrived()
        if not arrived:
            return
        worker = self._worker
        others: list[tuple[New, Sending | None]]
        if self._at_once:
            try:
                others = worker.hot.serve_new(arrived)
            except Exception as error:
                for _, _, fd, _, _ in arrived:
                    os.close(fd)
                worker.report(error)
                return
        else:
            others = [(new, None) for new in arrived]
        if others:
            self._see_to(others)
        worker.hot.tally.sheets.hand_over()

    def _arrived(self) -> list[New]:
        """New connections, and what came with them."""
        arrived: list[New] = []
        accept, is_v4, own = self._accept, self._is_v4, self._local
        at, table = self._asked
        for _ in range(self.turn):
            try:
                fd, client = accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                break
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._on_no_room(self, error)
                break
            self.accepted += 1
            try:
                set_blocking(fd, False)
                local = own or _local_of(fd, self.listener.family)
                data = read(fd, READ_SIZE)
            except BlockingIOError:
                # Nothing has come yet.
                data = b""
            except OSError:
                os.close(fd)
                continue
            if local is not at:
                try:
                    at, table = local, self._table(local)
                except Exception as error:
                    os.close(fd)
                    self._worker.report(error)
                    continue
            arrived.append((table, data, fd, client if is_v4 else (_plain(client[0]), client[1]), local))
        return arrived

    def _table(self, local: tuple[str, int]) -> Table | None:
        """The kept answers for those that come to this address."""
        if local != self._asked[0]:
            guest = self._guest(local)
            self._idle.append(guest)
            self._asked = local, guest.table
        return self._asked[1]

    def _guest(self, local: tuple[str, int]) -> Guest:
        guest = self._idle.pop() if self._idle else None
        if guest is None or guest.local != local:
            guest = self._worker.guest(local, at_once=self._at_once)
        return guest

    def _see_to(self, others: list[tuple[New, Sending | None]]) -> None:
        """Serve those for whom nothing was ready, or not all of it is out, and hand over who stays."""
        worker = self._worker
        guests: list[tuple[Guest, bytes]] = []
        for (_, data, fd, client, local), sending in others:
            try:
                guest = self._guest(local)
            except Exception as error:
                os.close(fd)
                worker.report(error)
                continue
            guest.fd = fd
            guest.info.client_ip, guest.info.client_port = client
            if sending is not None:
                guest.replayed(sending.entry, sending)
            guests.append((guest, data))
        asking = [one for one in guests if one[0].sending is None]
        if asking and self._at_once:
            try:
                worker.hot.serve(asking)
            except Exception as error:
                for guest, _ in guests:
                    os.close(guest.fd)
                worker.report(error)
                return
        for guest, data in guests:
            if guest.fd < 0:
                # It was answered, and that was all.
                self._idle.append(guest)
            elif guest.error is None:
                self._hand_over(guest, data)
            else:
                # Whatever is wrong with one connection, the client must not hang and the others must be served.
                os.close(guest.fd)
                worker.report(guest.error)

    def _hand_over(self, guest: Guest, data: bytes) -> None:
        """A connection that stays, or whose answer is not all sent; from here on a `socket` owns the descriptor."""
        with contextlib.ExitStack() as unless_taken:
            sock = socket.socket(self.listener.family, socket.SOCK_STREAM, 0, fileno=guest.fd)
            unless_taken.callback(sock.close)
            try:
                if CORK:
                    sock.setsockopt(socket.IPPROTO_TCP, CORK, 0)
                self._worker.take(sock, guest, data)
            except OSError:
                return
            except Exception as error:
                self._worker.report(error)
                return
            unless_taken.pop_all()


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
