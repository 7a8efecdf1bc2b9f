"""A worker: one event loop, the connections that live in it, and a pool of threads for what may block.

It accepts from listeners that the parent owns. It drains when asked: no new connections, idle ones closed, busy ones finished.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coachwhip.api import phases
from coachwhip.api.log import ModuleLog
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.outcome import Outcome
from coachwhip.api.replay import ReplayServer
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.hot import HotPath
from coachwhip.connection.serve import ClientConnection
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.replay import Replay

__all__ = ["Worker", "new_loop"]

LOG = ModuleLog("mpm_event")
#: Connections accepted in one turn of the loop.
ACCEPT_TURN = 64
TICK = 1.0
READ_SIZE = 64 << 10
#: After these accept errors the listener is left alone for a moment: there is no room for another connection.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


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

    def __init__(self, pipeline: Pipeline, listeners: list[socket.socket], threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self.pipeline = pipeline
        self.loop = loop
        self.draining = False
        self._listeners = listeners
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._connections: set[ClientConnection] = set()
        self._ids = itertools.count()
        self._stopped = loop.create_future()
        self._scoreboard = pipeline.startup.scoreboard
        providers = pipeline.startup.providers
        planners = tuple([providers.get("log_plan", name) for name in providers.names("log_plan")])
        self.hot = HotPath(Replay(pipeline.startup.main.config(ReplayServer).memory), planners)
        #: The local address of a listener, None where it has many.
        self._local = {listener: _one_address(listener) for listener in listeners}
        #: The only server there is, if there are no virtual hosts.
        self._single = None if pipeline.startup.servers else pipeline.startup.main
        hooks = pipeline.hooks.hooks(phases.pre_connection)
        #: Hooks of others may want to see every connection.
        self._may_serve_at_accept = all(hook.module.replayable for hook in hooks)

    def run(self, on_running: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` or the end of a `drain`. `on_running`: called once the loop runs, when signals are heard."""
        asyncio.set_event_loop(self.loop)
        logs = self.pipeline.startup.logs
        logs.attach(self.loop.call_soon, self.loop.call_later)
        self.pipeline.hooks.run(phases.child_init, self.pipeline.startup)
        for listener in self._listeners:
            self._defer(listener)
            self.loop.add_reader(listener, self._accept, listener)
        self.loop.call_later(TICK, self._tick)
        self.loop.call_soon(on_running)
        try:
            self.loop.run_until_complete(self._stopped)
        finally:
            self._close_all()
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
        for listener in self._listeners:
            self.loop.remove_reader(listener)
        self._listeners = []

    # -- accepting

    def _defer(self, listener: socket.socket) -> None:
        """Let the system hold a connection back until its first bytes are there (`AcceptFilter http data`, the default)."""
        core = self.pipeline.startup.main.core
        if core.accept_filters.get("http", "data") == "none" or not hasattr(socket, "TCP_DEFER_ACCEPT"):
            return
        seconds = self.pipeline.startup.main.config(ServerMpm).listen_tcp_defer_accept
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)

    def _accept(self, listener: socket.socket) -> None:
        local = self._local[listener]
        for _ in range(ACCEPT_TURN):
            try:
                sock, client = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._pause(listener, error)
                return
            try:
                self._begin(sock, client, local or sock.getsockname())
            except OSError:
                sock.close()

    def _pause(self, listener: socket.socket, error: OSError) -> None:
        """Out of descriptors: say so, and try again when some connection may have ended."""
        LOG.error(self.pipeline.startup.main, "", "cannot accept a connection: %s", error.strerror)
        self.loop.remove_reader(listener)
        self.loop.call_later(TICK, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self.loop.add_reader(listener, self._accept, listener)

    def _begin(self, sock: socket.socket, client: tuple[Any, ...], local: tuple[Any, ...]) -> None:
        """A new connection. What has arrived with it is answered at once if the answer is kept; only what stays becomes an object."""
        local_ip = _plain(local[0])
        server = self._single or self.pipeline.hosts.by_address(local_ip, local[1])
        info = Connection(server, (_plain(client[0]), client[1]), (local_ip, local[1]), id=next(self._ids))
        data = self._first_bytes(sock)
        if data and self._serve_at_accept(sock, info, data):
            return
        if self.pipeline.hooks.run(phases.pre_connection, info) is not Outcome.OK:
            sock.close()
            return
        self._adopt(sock, info).start(data)

    def _first_bytes(self, sock: socket.socket) -> bytes:
        """What came with the connection; b"" if nothing has come yet."""
        try:
            return sock.recv(READ_SIZE, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return b""

    def _serve_at_accept(self, sock: socket.socket, info: Connection, data: bytes) -> bool:
        """Answer a one-request connection from what is kept, and be done with it."""
        if not self._may_serve_at_accept:
            return False
        hot = self.hot
        table = hot.table_of(info)
        found = hot.find(table, data, info, False) if table is not None else None
        if found is None or not found[1].entry.close or found[1].entry.file is not None:
            return False
        wire, hit = found
        try:
            sent = sock.send(wire, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        hot.log(hit, info, len(data), len(wire))
        if sent == len(wire):
            sock.close()
        else:
            self._adopt(sock, info).send_rest(wire[sent:])
        return True

    def _adopt(self, sock: socket.socket, info: Connection) -> ClientConnection:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = ClientConnection(self, sock, info)
        self._connections.add(connection)
        return connection

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
        if self._scoreboard is not None:
            self._scoreboard.count(r, sent)

    # -- time and the end

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            connection.check_time(now)
        if not self._stopped.done():
            self.loop.call_later(TICK, self._tick)

    def drain(self) -> None:
        """Finish what is begun, then stop."""
        if self.draining:
            return
        self.draining = True
        self._unlisten()
        for connection in list(self._connections):
            connection.drain()
        if not self._connections:
            self.stop()

    def stop(self) -> None:
        """Stop now."""
        if not self._stopped.done():
            self._stopped.set_result(None)


def _one_address(listener: socket.socket) -> tuple[Any, ...] | None:
    local: tuple[Any, ...] = listener.getsockname()
    return None if local[0] in ("0.0.0.0", "::") else local  # noqa: S104 -- compared, not bound


def _plain(ip: str) -> str:
    """An IPv4 client of a dual-stack listener under its IPv4 address, without a zone."""
    ip = ip.partition("%")[0]
    return ip.removeprefix("::ffff:") if ip.startswith("::ffff:") and "." in ip else ip
