"""The connections that wait for bytes: asked about together, read together, answered together.

A turn has two halves. First all that has arrived is read. Then one look takes in what has changed among the files, and each request is
answered; that look came after every request of the turn, so no answer is older than its request, and it is paid for once. Requests
that have a kept answer go first. On Linux all connections hang on one `epoll` descriptor of which the loop knows; elsewhere the
loop watches each, and a turn is one connection's.
"""

from __future__ import annotations

import asyncio
import select
from os import read
from typing import TYPE_CHECKING

from coachwhip.connection.hot import HotPath

if TYPE_CHECKING:
    from coachwhip.connection.serve import ClientConnection

__all__ = ["Poller"]

READ_SIZE = 64 << 10
#: Connections read in one turn; the others have theirs in the next.
TURN = 64

Arrived = tuple["ClientConnection", "bytes | None"]


class Poller:
    """Reads for the connections of one worker."""

    __slots__ = ("_loop", "hot")

    def __init__(self, loop: asyncio.AbstractEventLoop, hot: HotPath) -> None:
        self.hot = hot
        self._loop = loop

    @staticmethod
    def on(loop: asyncio.AbstractEventLoop, hot: HotPath) -> Poller:
        """The one for this system."""
        return EpollPoller(loop, hot) if hasattr(select, "epoll") else Poller(loop, hot)

    def watch_reads(self, connection: ClientConnection, on: bool) -> None:
        """Read what comes for a connection, or leave it in the socket. Both must be off before the descriptor is given back."""
        if on:
            self._loop.add_reader(connection.fd, self._read_one, connection)
        else:
            self._loop.remove_reader(connection.fd)

    def watch_writes(self, connection: ClientConnection, on: bool) -> None:
        """Call `on_writable` of a connection when its socket takes more, at once if it does now; or do not call it."""
        if on:
            self._loop.add_writer(connection.fd, connection.on_writable)
        else:
            self._loop.remove_writer(connection.fd)

    def close(self) -> None:
        """The worker ends; all connections are forgotten by then."""

    def _read_one(self, connection: ClientConnection) -> None:
        try:
            data = read(connection.fd, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = None
        self.serve([(connection, data)])

    def serve(self, arrived: list[Arrived]) -> list[Arrived]:
        """Answer what was read in this turn; returns what had no kept answer. Costs: what `HotPath.serve` says."""
        hot = self.hot
        try:
            others = hot.serve(arrived)
        except Exception as error:
            # What is kept cannot be told from what has changed; whoever asked must not wait for ever.
            for connection, _ in arrived:
                connection.fault(error)
            return []
        hot.sheets.hand_over()
        for connection, data in others:
            connection.guard(connection.arrived, data)
        return others


class EpollPoller(Poller):
    """Asks one `epoll` descriptor, edge-triggered: a connection that was read to its end, or filled, costs no second question."""

    __slots__ = ("_epoll", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, hot: HotPath) -> None:
        super().__init__(loop, hot)
        self._waiting: dict[int, ClientConnection] = {}
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._turn)

    def watch_reads(self, connection: ClientConnection, on: bool) -> None:
        self._ask(connection)

    def watch_writes(self, connection: ClientConnection, on: bool) -> None:
        # Where room is not waited for any more, the question is left as it is: it is answered once more at most.
        if on or not connection.is_reading:
            self._ask(connection)

    def _ask(self, connection: ClientConnection) -> None:
        """Ask for what the connection waits for; what is there already is told of in the next turn."""
        fd = connection.fd
        wanted = (_READS if connection.is_reading else 0) | (_WRITES if connection.is_writing else 0)
        if not wanted:
            del self._waiting[fd]
            self._epoll.unregister(fd)
        elif fd in self._waiting:
            self._epoll.modify(fd, wanted)
        else:
            self._waiting[fd] = connection
            self._epoll.register(fd, wanted)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _turn(self) -> None:
        arrived: list[Arrived] = []
        # Where the edge is past, but there is more to read: the end of input, or what did not fit.
        again: list[ClientConnection] = []
        writable: list[tuple[int, ClientConnection]] = []
        waiting = self._waiting
        for fd, events in self._epoll.poll(0, TURN):
            connection = waiting[fd]
            if events != EPOLLIN:
                if connection.is_writing:
                    writable.append((fd, connection))
                if not connection.is_reading:
                    continue
            try:
                data = read(fd, READ_SIZE)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError:
                arrived.append((connection, None))
                continue
            arrived.append((connection, data))
            if events != EPOLLIN and events & _ENDS and data:
                again.append(connection)
        if arrived:
            # No head that has a kept answer is as long as a read can be.
            again += [connection for connection, data in self.serve(arrived) if data and len(data) == READ_SIZE]
        for connection in again:
            if waiting.get(connection.fd) is connection:
                self._ask(connection)
        for fd, connection in writable:
            if waiting.get(fd) is connection and connection.is_writing:
                connection.on_writable()


if hasattr(select, "epoll"):
    from select import EPOLLIN

    _READS = EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
    _WRITES = select.EPOLLOUT | select.EPOLLET
    _ENDS = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
