"""A worker: one event loop, the connections that live in it, and a pool of threads for what may block.

It accepts from listeners that the parent owns. When it drains it takes what waits in them and no more, answers once more on connections
that are open, and ends when they are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
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
from coachwhip.connection.guest import Guest
from coachwhip.connection.hot import HotPath
from coachwhip.connection.keeping import Keeper
from coachwhip.connection.places import Places
from coachwhip.connection.poller import Poller
from coachwhip.connection.serve import ClientConnection
from coachwhip.connection.states import State
from coachwhip.mpm.acceptor import TURN, Acceptor
from coachwhip.mpm.draining import GRACE, Stillness, take_waiting
from coachwhip.mpm.policy import Policy
from coachwhip.mpm.pulse import Pulse
from coachwhip.mpm.scoreboard import Board, WorkerScoreboard
from coachwhip.mpm.shares import ALONE, LOOK_AWAY
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.replay import Replay
from coachwhip.util.memory import resident_bytes

__all__ = ["Worker", "new_loop"]

LOG = ModuleLog("mpm_event")
#: Seconds between signs of life, and until a listener is tried again when there was no room.
TICK = 1.0
#: Seconds between looks at time-outs.
TIME_LOOK = 0.5
#: Seconds between the end of one look and the next, at the least.
LEAST_REST = 0.1
#: Seconds from one look for room to the next, where `AsyncRequestWorkerFactor` bounds connections.
ROOM_LOOK = 0.01
#: How long a request may make no progress in a worker that leaves by its own decision, in seconds.
LEAVE_WAIT = 30.0
#: Seconds for which a worker thread may compute while the loop waits for its turn. The loop gives it away with every system call,
#: so at Python's 5 ms a large listing would cost others many times that.
SWITCH = 0.0005

_fastest_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
# Now, and not when a loop is wanted: a worker may be unable to read it by then (`User`, `ChrootDir`).
with contextlib.suppress(ImportError):
    import uvloop

    _fastest_loop = uvloop.new_event_loop


def new_loop(use_uvloop: bool = True) -> asyncio.AbstractEventLoop:
    """uvloop's event loop where it is installed, else asyncio's."""
    return _fastest_loop() if use_uvloop else asyncio.new_event_loop()


class Worker:
    """Implements `connection.Host`."""

    def __init__(
        self,
        pipeline: Pipeline,
        listeners: list[socket.socket],
        policy: Policy,
        loop: asyncio.AbstractEventLoop,
        board: Board | None = None,
        row: int = 0,
        generation: int = 0,
        on_leaving: Callable[[], None] = lambda: None,
    ) -> None:
        """`board` and `row`: where the parent wants its figures; without, it has a scoreboard of its own.

        `on_leaving`: told when it takes no more connections by its own decision.
        """
        self.pipeline = pipeline
        self.loop = loop
        self.draining = False
        self._policy = policy
        self._pool: ThreadPoolExecutor | None = None
        #: Work that threads have or wait for.
        self._busy = 0
        self._connections: set[ClientConnection] = set()
        self._ids = itertools.count()
        self._stopped = loop.create_future()
        providers = pipeline.startup.providers
        planners = tuple([providers.get("log_plan", name) for name in providers.names("log_plan")])
        self.hot = HotPath(Replay(pipeline.startup.main.config(ReplayServer).memory), planners)
        self.keeper = Keeper(self.hot, planners)
        self.poller = Poller.on(loop, self.hot)
        self.places = Places(policy.at_work)
        if board is None:
            board = Board(2)
            row = board.claim()
        self._scoreboard = WorkerScoreboard(board, row, self, policy.threads, generation=generation, mpm=policy.mpm)
        self._pulses, self._shares, self._row = board.pulses, board.shares, row
        self._beat = time.monotonic()
        self._used = time.process_time()
        pipeline.startup.scoreboard = self._scoreboard
        #: The only server there is, if there are no virtual hosts.
        self._single = None if pipeline.startup.servers else pipeline.startup.main
        # Hooks of others may want to see every connection.
        hooks = pipeline.hooks.hooks(phases.pre_connection)
        at_once = all(hook.module.replayable for hook in hooks)
        self._acceptors = [Acceptor(one, self, at_once=at_once, on_no_room=self._pause) for one in listeners]
        #: Listeners that are left to others for a moment.
        self._looks_away: set[Acceptor] = set()
        #: There are as many connections as `AsyncRequestWorkerFactor` allows; no more are accepted.
        self._is_full = False
        self._on_leaving = on_leaving
        self._stillness: Stillness | None = None

    def run(self, on_running: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` or the end of a `drain`. `on_running`: called once the loop runs, when signals are heard."""
        sys.setswitchinterval(SWITCH)
        asyncio.set_event_loop(self.loop)
        logs = self.pipeline.startup.logs
        logs.attach(self.loop.call_soon, self.loop.call_later)
        self.pipeline.hooks.run(phases.child_init, self.pipeline.startup)
        for acceptor in self._acceptors:
            self._set(acceptor.listener)
            self._listen(acceptor)
        self._show_share()
        self._tick()
        self._end_overdue()
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
        self._rest()
        # Nor is any listened on again because a connection went.
        self._acceptors = []
        for connection in list(self._connections):
            connection.close()

    # -- accepting

    def _listen(self, acceptor: Acceptor) -> None:
        self.loop.add_reader(acceptor.listener, self._accept, acceptor)

    def _rest(self) -> None:
        """Leave the listeners alone."""
        for acceptor in self._acceptors:
            self.loop.remove_reader(acceptor.listener)

    def _accept(self, acceptor: Acceptor) -> None:
        """Accept, unless it is others' turn; and see whether that is enough, for now or for ever."""
        room = self._shares.room(self._row) if self._row else ALONE
        if acceptor in self._looks_away:
            # Nobody else wanted them.
            self._looks_away.discard(acceptor)
        elif room <= 0:
            self._looks_away.add(acceptor)
            self.loop.remove_reader(acceptor.listener)
            self.loop.call_later(LOOK_AWAY, self._resume, acceptor)
            return
        before = len(self._connections)
        if self._policy.factor:
            acceptor.turn = int(max(1, min(acceptor.turn, self._room())))
        acceptor.accept()
        stayed = len(self._connections) - before
        # Of what stays no more than its share is taken; what was answered and closed at once is nobody's burden.
        most = 1 if self._policy.is_prefork else room - stayed if stayed > 0 else 2 * acceptor.turn
        acceptor.turn = max(1, min(most, TURN))
        most = self._policy.connections
        if most and sum(one.accepted for one in self._acceptors) >= most:
            self._leave()
        elif self._policy.is_prefork and self._connections:
            self._rest()
        elif self._policy.factor and self._room() <= 0:
            self._is_full = True
            text = "Too many open connections (%d), not accepting new conns in this process"
            LOG.debug(self.pipeline.startup.main, "", text, len(self._connections))
            self._rest()
            self.loop.call_later(ROOM_LOOK, self._accept_again)

    def _room(self) -> float:
        """For how many more connections there is room."""
        most = self._policy.most_connections(self._at_work)
        room = most - len(self._connections)
        return room if room > 0 else room + sum(one.state is State.LINGERING for one in self._connections)

    def _accept_again(self) -> None:
        """If there is room again; else a little later."""
        if self.draining:
            return
        if self._room() <= 0:
            self.loop.call_later(ROOM_LOOK, self._accept_again)
            return
        self._is_full = False
        LOG.debug(self.pipeline.startup.main, "AH00457", "Accepting new connections again: %d open", len(self._connections))
        for acceptor in self._acceptors:
            self._listen(acceptor)

    def _show_share(self) -> None:
        if self._row and not self.draining:
            self._shares.set(self._row, len(self._connections))

    def _leave(self) -> None:
        self._on_leaving()
        self.drain(LEAVE_WAIT, takes_waiting=False)

    def _set(self, listener: socket.socket) -> None:
        """Set what accepted connections inherit; and let the system hold one back until its first bytes are there.

        The latter is `AcceptFilter http data`, the default.
        """
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        core = self.pipeline.startup.main.core
        if core.accept_filters.get("http", "data") == "none" or not hasattr(socket, "TCP_DEFER_ACCEPT"):
            return
        seconds = self.pipeline.startup.main.config(ServerMpm).listen_tcp_defer_accept
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)

    def server_of(self, ip: str, port: int) -> Server:
        """See `Takes`."""
        return self._single or self.pipeline.hosts.by_address(ip, port)

    def guest(self, local: tuple[str, int], *, at_once: bool = False) -> Guest:
        """See `Takes`."""
        info = Connection(self.server_of(*local), ("", 0), local, id=0)
        return Guest(info, local, self.hot.table_of(info) if at_once else None)

    def take(self, sock: socket.socket, guest: Guest, data: bytes) -> None:
        """See `Takes`."""
        info = guest.info
        info.id = next(self._ids)
        if self.pipeline.hooks.run(phases.pre_connection, info) is not Outcome.OK:
            sock.close()
            return
        connection = ClientConnection(self, sock, info)
        self._connections.add(connection)
        self._show_share()
        connection.start(data, guest if guest.is_answered else None)

    def report(self, error: Exception) -> None:
        """See `Takes`."""
        LOG.error(self.pipeline.startup.main, "", "a connection was not begun: %s: %s", type(error).__name__, error)

    def _pause(self, acceptor: Acceptor, error: OSError) -> None:
        """Out of descriptors: say so, and try again when some connection may have ended."""
        LOG.error(self.pipeline.startup.main, "", "cannot accept a connection: %s", error.strerror)
        self.hot.replay.close_files()
        self.loop.remove_reader(acceptor.listener)
        self.loop.call_later(TICK, self._resume, acceptor)

    def _resume(self, acceptor: Acceptor) -> None:
        if acceptor in self._acceptors and not self._is_full and not (self._policy.is_prefork and self._connections):
            self._listen(acceptor)

    # -- what connections ask of it

    def run_in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """See `Host`."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._policy.threads, thread_name_prefix="worker")
        self._busy += 1
        future = self.loop.run_in_executor(self._pool, work)
        future.add_done_callback(self._is_done)
        return future

    def _is_done(self, _: asyncio.Future[Any]) -> None:
        self._busy -= 1

    @property
    def _at_work(self) -> int:
        """Requests that are worked on or wait for it; `async` handlers count where they are bounded."""
        return self.places.asked if self._policy.at_work else self._busy

    def forget(self, connection: ClientConnection) -> None:
        """See `Host`."""
        self._connections.discard(connection)
        self._show_share()
        if self._connections:
            return
        if self.draining:
            self.stop()
        elif self._policy.is_prefork:
            for acceptor in self._acceptors:
                self._listen(acceptor)

    def answered(self, connection: ClientConnection, r: Request, sent: int) -> None:
        """See `Host`."""
        self._scoreboard.count(r, sent)

    @property
    def connections(self) -> Iterable[ClientConnection]:
        """See `scoreboard.Live`."""
        return self._connections

    @property
    def lost_lines(self) -> int:
        """See `scoreboard.Live`."""
        return self.pipeline.startup.logs.lost

    # -- time and the end

    def _end_overdue(self) -> None:
        """End what takes too long. Costs: a comparison for each connection."""
        now = time.monotonic()
        for connection in [one for one in self._connections if now >= one.clock.deadline]:
            connection.check_time(now)
        if not self._stopped.done():
            # From its beginning on, so that no time-out comes later than it must, however long the looks took.
            self.loop.call_later(max(LEAST_REST, TIME_LOOK - (time.monotonic() - now)), self._end_overdue)

    def _tick(self) -> None:
        now = time.monotonic()
        connections = list(self._connections)
        if self._stillness is not None:
            for connection in self._stillness.still(self._connections, now):
                connection.abort()
        self._scoreboard.publish()
        if self._row:
            self._give_pulse(now, connections)
        if not self._stopped.done():
            self.loop.call_later(max(LEAST_REST, TICK - (time.monotonic() - now)), self._tick)

    def _give_pulse(self, now: float, connections: list[ClientConnection]) -> None:
        used = time.process_time()
        share = (used - self._used) / max(now - self._beat, 0.001)
        self._beat, self._used = now, used
        at_work = sum(connection.state is not State.IDLE and connection.state is not State.LINGERING for connection in connections)
        busy = min(len(connections), 1) if self._policy.is_prefork else self._at_work
        self._pulses.give(self._row, Pulse(now, share, resident_bytes(), busy, len(connections), at_work))

    def drain(self, patience: float = 0.0, *, takes_waiting: bool = True) -> None:
        """Finish what is begun, then stop. A request that makes no progress for `patience` seconds is cut; with 0 none is.

        `takes_waiting`: connections that wait in the listeners are served too, for they may be nobody else's.
        """
        if self.draining:
            return
        self.draining = self.hot.is_draining = True
        self._rest()
        if self._row:
            self._shares.clear(self._row)
        for acceptor in self._acceptors:
            if takes_waiting:
                take_waiting(acceptor)
            acceptor.listener.close()
        self._acceptors = []
        if patience:
            self._stillness = Stillness(patience)
        # A connection that is idle now may have a request on its way: it is answered, with the word that it was the last.
        self.loop.call_later(GRACE, self._end_idle)
        if not self._connections:
            self.stop()

    def _end_idle(self) -> None:
        for connection in list(self._connections):
            connection.drain()

    def stop(self) -> None:
        """Stop now."""
        if not self._stopped.done():
            self._stopped.set_result(None)
