"""A worker: one event loop, the connections that live in it, and a pool of threads for what may block.

It accepts from listeners that the parent owns. It drains when asked: no new connections, idle ones closed, busy ones finished.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coachwhip.api import phases
from coachwhip.api.log import ModuleLog
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.outcome import Outcome
from coachwhip.api.replay import ReplayServer
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server
from coachwhip.connection.hot import HotPath
from coachwhip.connection.poller import Poller
from coachwhip.connection.serve import ClientConnection
from coachwhip.mpm.acceptor import Acceptor
from coachwhip.mpm.scoreboard import Board, WorkerScoreboard
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.replay import Replay

__all__ = ["Worker", "new_loop"]

LOG = ModuleLog("mpm_event")
#: Seconds between looks at time-outs, and until a listener is tried again when there was no room.
TICK = 1.0


def new_loop(use_uvloop: bool = True) -> asyncio.AbstractEventLoop:
    """uvloop's event loop where it is installed, else asyncio's."""
    if use_uvloop:
        try:
            import uvloop
        except ImportError:
            pass
        else:
            loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
            return loop
    return asyncio.new_event_loop()


class Worker:
    """Implements `connection.Host`."""

    def __init__(
        self,
        pipeline: Pipeline,
        listeners: list[socket.socket],
        threads: int,
        loop: asyncio.AbstractEventLoop,
        board: Board | None = None,
        row: int = 0,
        generation: int = 0,
    ) -> None:
        """`board` and `row`: where the parent wants its figures; without, it has a scoreboard of its own."""
        self.pipeline = pipeline
        self.loop = loop
        self.draining = False
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._connections: set[ClientConnection] = set()
        self._ids = itertools.count()
        self._stopped = loop.create_future()
        providers = pipeline.startup.providers
        planners = tuple([providers.get("log_plan", name) for name in providers.names("log_plan")])
        self.hot = HotPath(Replay(pipeline.startup.main.config(ReplayServer).memory), planners)
        self.poller = Poller.on(loop, self.hot)
        if board is None:
            board = Board(2)
            row = board.claim()
        self._scoreboard = WorkerScoreboard(board, row, self, threads, generation=generation)
        pipeline.startup.scoreboard = self._scoreboard
        #: The only server there is, if there are no virtual hosts.
        self._single = None if pipeline.startup.servers else pipeline.startup.main
        # Hooks of others may want to see every connection.
        hooks = pipeline.hooks.hooks(phases.pre_connection)
        at_once = all(hook.module.replayable for hook in hooks)
        self._acceptors = [Acceptor(one, self, at_once=at_once, on_no_room=self._pause) for one in listeners]

    def run(self, on_running: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` or the end of a `drain`. `on_running`: called once the loop runs, when signals are heard."""
        asyncio.set_event_loop(self.loop)
        logs = self.pipeline.startup.logs
        logs.attach(self.loop.call_soon, self.loop.call_later)
        self.pipeline.hooks.run(phases.child_init, self.pipeline.startup)
        for acceptor in self._acceptors:
            self._defer(acceptor.listener)
            self.loop.add_reader(acceptor.listener, acceptor.accept)
        self.loop.call_later(TICK, self._tick)
        self.loop.call_soon(on_running)
        try:
            self.loop.run_until_complete(self._stopped)
        finally:
            self._close_all()
            self.poller.close()
            self._scoreboard.publish()
            self.pipeline.hooks.run(phases.child_exit, self.pipeline.startup)
            logs.detach()
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    def _close_all(self) -> None:
        self._unlisten()
        for connection in list(self._connections):
            connection.close()

    def _unlisten(self) -> None:
        for acceptor in self._acceptors:
            self.loop.remove_reader(acceptor.listener)
        self._acceptors = []

    # -- accepting

    def _defer(self, listener: socket.socket) -> None:
        """Let the system hold a connection back until its first bytes are there (`AcceptFilter http data`, the default)."""
        core = self.pipeline.startup.main.core
        if core.accept_filters.get("http", "data") == "none" or not hasattr(socket, "TCP_DEFER_ACCEPT"):
            return
        seconds = self.pipeline.startup.main.config(ServerMpm).listen_tcp_defer_accept
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)

    def server_of(self, ip: str, port: int) -> Server:
        """See `Takes`."""
        return self._single or self.pipeline.hosts.by_address(ip, port)

    def take(self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], data: bytes) -> None:
        """See `Takes`."""
        info = Connection(self.server_of(*local), client, local, id=next(self._ids))
        if self.pipeline.hooks.run(phases.pre_connection, info) is not Outcome.OK:
            sock.close()
            return
        self._adopt(sock, info).start(data)

    def report(self, error: Exception) -> None:
        """See `Takes`."""
        LOG.error(self.pipeline.startup.main, "", "a connection was not begun: %s: %s", type(error).__name__, error)

    def finish(self, sock: socket.socket, client: tuple[str, int], local: tuple[str, int], rest: bytes) -> None:
        """See `Takes`."""
        info = Connection(self.server_of(*local), client, local, id=next(self._ids))
        self._adopt(sock, info).send_rest(rest)

    def _adopt(self, sock: socket.socket, info: Connection) -> ClientConnection:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = ClientConnection(self, sock, info)
        self._connections.add(connection)
        return connection

    def _pause(self, acceptor: Acceptor, error: OSError) -> None:
        """Out of descriptors: say so, and try again when some connection may have ended."""
        LOG.error(self.pipeline.startup.main, "", "cannot accept a connection: %s", error.strerror)
        self.loop.remove_reader(acceptor.listener)
        self.loop.call_later(TICK, self._resume, acceptor)

    def _resume(self, acceptor: Acceptor) -> None:
        if acceptor in self._acceptors:
            self.loop.add_reader(acceptor.listener, acceptor.accept)

    # -- what connections ask of it

    def run_in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """See `Host`."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="worker")
        return self.loop.run_in_executor(self._pool, work)

    def forget(self, connection: ClientConnection) -> None:
        """See `Host`."""
        self._connections.discard(connection)
        if self.draining and not self._connections:
            self.stop()

    def answered(self, connection: ClientConnection, r: Request, sent: int) -> None:
        """See `Host`."""
        self._scoreboard.count(r, sent)

    @property
    def connections(self) -> Iterable[ClientConnection]:
        """See `scoreboard.Live`."""
        return self._connections

    # -- time and the end

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            connection.check_time(now)
        self._scoreboard.publish()
        if not self._stopped.done():
            self.loop.call_later(TICK, self._tick)

    def drain(self) -> None:
        """Finish what is begun, then stop."""
        if self.draining:
            return
        self.draining = self.poller.is_draining = True
        self._unlisten()
        for connection in list(self._connections):
            connection.drain()
        if not self._connections:
            self.stop()

    def stop(self) -> None:
        """Stop now."""
        if not self._stopped.done():
            self._stopped.set_result(None)
