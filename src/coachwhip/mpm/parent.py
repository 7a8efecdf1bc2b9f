"""The parent process: owns listeners, reads configurations, forks workers, and never serves.

One loop over signals: TERM stops, USR1 reloads gracefully, HUP restarts, WINCH stops gracefully (Apache's). A reload reads the new
configuration first; if it is refused, the old one serves on. Listeners that both have are never closed.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from coachwhip.api.log import ModuleLog
from coachwhip.mpm.listeners import ListenAddress, bind_all
from coachwhip.mpm.worker import Worker, new_loop
from coachwhip.request.pipeline import Pipeline

__all__ = ["Generation", "Parent", "serve_alone"]

LOG = ModuleLog("mpm_event")
#: Signals the parent waits for.
HANDLED = {
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGWINCH,
    signal.SIGCHLD,
}
#: How long a worker may take to die after TERM, in seconds.
TERM_WAIT = 10.0
#: A worker that dies younger than this is not replaced at once.
YOUNG = 1.0


@dataclass(slots=True)
class Generation:
    """What one reading of the configuration asks of the parent."""

    pipeline: Pipeline
    addresses: list[ListenAddress]
    processes: int = 1
    threads: int = 25
    backlog: int = 511
    #: Called in each worker before it serves: give up privileges.
    drop_privileges: Callable[[], None] = lambda: None
    #: For how long an old generation may finish its requests after a graceful reload or stop; 0 for ever. Seconds.
    graceful_timeout: float = 0.0


@dataclass(slots=True)
class _Child:
    pid: int
    generation: int
    born: float
    #: Monotonic second at which it is killed, if it was told to go.
    deadline: float | None = None
    leaving: bool = False


@dataclass(slots=True)
class Parent:
    """Runs generations until it is told to stop."""

    generation: Generation
    #: Reads the configuration again; raises if it cannot be used.
    reload: Callable[[], Generation]
    #: Called once, when the listeners are bound and the first workers are forked.
    ready: Callable[[], None] = lambda: None
    _listeners: dict[ListenAddress, list[socket.socket]] = field(default_factory=dict)
    _children: dict[int, _Child] = field(default_factory=dict)
    _number: int = 0
    _stopping: bool = False
    _respawn_at: float = 0.0

    def bind(self) -> None:
        """Bind what the generation listens on and the parent does not have yet.

        Raises:
            OSError: an address cannot be bound; nothing has changed then.
        """
        wanted = self.generation.addresses
        new = [address for address in wanted if address not in self._listeners]
        made = {address: bind_all([address], self.generation.backlog) for address in new}
        self._listeners.update(made)

    def _close_unwanted(self) -> None:
        for address in [a for a in self._listeners if a not in self.generation.addresses]:
            for sock in self._listeners.pop(address):
                sock.close()

    def run(self) -> int:
        """Serve; returns the exit status. `bind` must have been called."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        self._announce("resuming normal operations")
        self._fill()
        self.ready()
        while not (self._stopping and not self._children):
            found = signal.sigtimedwait(HANDLED, 0.5)
            if found is not None:
                self._on_signal(signal.Signals(found.si_signo))
            self._reap()
            self._kill_overdue()
            if not self._stopping:
                self._fill()
        for sockets in self._listeners.values():
            for sock in sockets:
                sock.close()
        return 0

    def _announce(self, what: str) -> None:
        main = self.generation.pipeline.startup.main
        LOG.notice(main, "AH00489", "%s configured -- %s", self.generation.pipeline.software, what)

    # -- signals

    def _on_signal(self, number: signal.Signals) -> None:
        main = self.generation.pipeline.startup.main
        if number in (signal.SIGTERM, signal.SIGINT):
            LOG.notice(main, "AH00491", "caught SIGTERM, shutting down")
            self._stopping = True
            self._dismiss(signal.SIGTERM, TERM_WAIT)
        elif number == signal.SIGWINCH:
            LOG.notice(main, "AH00492", "caught SIGWINCH, shutting down gracefully")
            self._stopping = True
            self._dismiss(signal.SIGUSR1, self.generation.graceful_timeout)
        elif number == signal.SIGUSR1:
            LOG.notice(main, "AH00493", "SIGUSR1 received.  Doing graceful restart")
            self._reload(signal.SIGUSR1)
        elif number == signal.SIGHUP:
            LOG.notice(main, "AH00494", "SIGHUP received.  Attempting to restart")
            self._reload(signal.SIGTERM)

    def _reload(self, farewell: signal.Signals) -> None:
        old = self.generation
        try:
            self.generation = self.reload()
            self.bind()
        except Exception as error:
            self.generation = old
            LOG.error(old.pipeline.startup.main, "", "the new configuration is not used, the old one serves on: %s", error)
            return
        leaving = list(self._children.values())
        self._number += 1
        self._close_unwanted()
        self._announce("resuming normal operations")
        self._fill()
        self._dismiss(farewell, TERM_WAIT if farewell == signal.SIGTERM else old.graceful_timeout, leaving)

    def _dismiss(self, farewell: signal.Signals, wait: float, children: list[_Child] | None = None) -> None:
        for child in list(self._children.values()) if children is None else children:
            child.leaving = True
            if wait:
                child.deadline = time.monotonic() + wait
            _kill(child.pid, farewell)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.deadline is not None and now >= child.deadline:
                child.deadline = now + TERM_WAIT
                _kill(child.pid, signal.SIGKILL)

    # -- children

    def _fill(self) -> None:
        """Fork workers until there are as many of this generation as it asks for."""
        if time.monotonic() < self._respawn_at:
            return
        alive = sum(1 for c in self._children.values() if c.generation == self._number and not c.leaving)
        for _ in range(self.generation.processes - alive):
            self._fork()

    def _fork(self) -> None:
        gc.collect()
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            self._be_worker()
        gc.unfreeze()
        self._children[pid] = _Child(pid, self._number, time.monotonic())

    def _be_worker(self) -> NoReturn:
        """In the child: serve, then leave without running what belongs to the parent."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            self.generation.drop_privileges()
            sockets = [sock for address in self.generation.addresses for sock in self._listeners[address]]
            loop = new_loop()
            worker = Worker(self.generation.pipeline, sockets, self.generation.threads, loop)
            _install(worker)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            worker.run()
            status = 0
        except Exception as error:
            LOG.alert(self.generation.pipeline.startup.main, "", "a worker ended: %s: %s", type(error).__name__, error)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            if not child.leaving:
                self._mourn(child, status)

    def _mourn(self, child: _Child, status: int) -> None:
        main = self.generation.pipeline.startup.main
        if os.WIFSIGNALED(status):
            LOG.notice(main, "AH00052", "child pid %d exit signal %s", child.pid, signal.Signals(os.WTERMSIG(status)).name)
        else:
            LOG.error(main, "", "child pid %d exited with status %d", child.pid, os.WEXITSTATUS(status))
        if time.monotonic() - child.born < YOUNG:
            self._respawn_at = time.monotonic() + YOUNG


def _install(worker: Worker) -> None:
    """A worker's own signals: TERM stops it, USR1 drains it; the terminal's are the parent's business."""
    worker.loop.add_signal_handler(signal.SIGTERM, worker.stop)
    worker.loop.add_signal_handler(signal.SIGUSR1, worker.drain)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGWINCH):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def serve_alone(generation: Generation, ready: Callable[[], None] = lambda: None) -> int:
    """Serve in this very process, without a parent (`-X`)."""
    sockets = bind_all(generation.addresses, generation.backlog)
    loop = new_loop()
    worker = Worker(generation.pipeline, sockets, generation.threads, loop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    for number in (signal.SIGUSR1, signal.SIGWINCH):
        loop.add_signal_handler(number, worker.drain)
    ready()
    worker.run()
    for sock in sockets:
        sock.close()
    return 0
