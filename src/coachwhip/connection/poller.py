"""The connections that wait for bytes: asked about together, read together, answered together.

A turn has two halves. First all that has arrived is read. Then one look takes in what has changed among the files, and each request is
answered; that look came after every request of the turn, so no answer is older than its request, and it is paid for once. Requests
that have a kept answer go first. On Linux all connections hang on one `epoll` descriptor of which the loop knows; elsewhere the
loop watches each, and a turn is one connection's. Whoever waits for room to send is watched by the loop itself.
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
        """Call `on_writable` of a connection in each turn of the loop in which its socket takes more, or do not call it.

        Not by edges: who has sent less than all waits for no edge if it was the file that had no more, and asking anew after every piece
        costs more than being told of it by the loop.
        """
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
        for connection, data in others:
            connection.guard(connection.arrived, data)
        hot.tally.sheets.hand_over()
        return others


class EpollPoller(Poller):
    """Asks one `epoll` descriptor, edge-triggered: a connection that was read to its end costs no second question."""

    __slots__ = ("_epoll", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, hot: HotPath) -> None:
        super().__init__(loop, hot)
        self._waiting: dict[int, ClientConnection] = {}
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._turn)

    def watch_reads(self, connection: ClientConnection, on: bool) -> None:
        fd = connection.fd
        if on:
            self._waiting[fd] = connection
            self._epoll.register(fd, _READS)
        else:
            del self._waiting[fd]
            self._epoll.unregister(fd)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _turn(self) -> None:
        arrived: list[Arrived] = []
        # Where the edge is past, but there is more to read: the end of input, or what did not fit.
        again: list[ClientConnection] = []
        waiting = self._waiting
        for fd, events in self._epoll.poll(0, TURN):
            connection = waiting[fd]
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
                self._epoll.modify(connection.fd, _READS)


if hasattr(select, "epoll"):
    from select import EPOLLIN

    _READS = EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
    _ENDS = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
