"""The parent process: owns listeners, reads configurations, forks workers, and never serves.

One loop over signals: TERM stops, USR1 reloads gracefully, HUP restarts, WINCH stops gracefully (Apache's). A reload reads the new
configuration, binds what is new and waits for the first new worker; whatever of that fails, the old generation serves on. Listeners
that both generations have are never closed. See `generation.py` for what a generation is, `children.py` for the workers as seen
from here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from coachwhip.api.log import LogTargetError, ModuleLog
from coachwhip.mpm.children import Children, Lifeline
from coachwhip.mpm.generation import Generation, announce, note
from coachwhip.mpm.listeners import Listeners
from coachwhip.mpm.pidfile import PidFileError

__all__ = ["Parent", "claim_pid_file", "drop_pid_file"]

LOG = ModuleLog("mpm_event")
CORE_LOG = ModuleLog("core")
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


class Parent:
    """Runs generations until it is told to stop."""

    def __init__(self, generation: Generation, reload: Callable[[], Generation], ready: Callable[[], None] = lambda: None) -> None:
        """`reload` reads the configuration again and raises if it cannot be used; `ready` is called once, when the first
        worker serves.
        """
        self.generation = generation
        self._reread = reload
        self._ready = ready
        self._listeners = Listeners()
        self._lifeline = Lifeline()
        self._children = Children(self._lifeline, self._listeners, HANDLED)
        self._stopping = False
        self._respawn_at = 0.0

    def bind(self) -> None:
        """Bind what the first generation listens on.

        Raises:
            BindError: an address cannot be bound; nothing is bound then.
        """
        self._listeners.add(self.generation.addresses, self.generation.backlog)

    def run(self) -> int:
        """Serve; returns the exit status. `bind` must have been called.

        Raises:
            StartFailed: the first worker ended before it served.
            PidFileError: the pid file cannot be written.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        claim_pid_file(self.generation)
        try:
            announce(self.generation, "resuming normal operations")
            self._children.fill(self.generation, wait=True)
            self._ready()
            while not (self._stopping and not self._children):
                self._turn()
        except Exception as error:
            LOG.alert(self.generation.main, "", "the parent ended: %s: %s", type(error).__name__, error)
            raise
        finally:
            drop_pid_file(self.generation)
            self._listeners.close()
        return 0

    def _turn(self) -> None:
        found = signal.sigtimedwait(HANDLED, 0.5)
        if found is not None:
            self._on_signal(signal.Signals(found.si_signo))
        self._reap()
        self._revive_logs()
        self._children.kill_overdue(TERM_WAIT)
        if not self._stopping and time.monotonic() >= self._respawn_at:
            self._children.fill(self.generation)

    # -- signals

    def _on_signal(self, number: signal.Signals) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            note(self.generation, "AH00491", "caught SIGTERM, shutting down")
            self._stopping = True
            self._children.dismiss(signal.SIGTERM, TERM_WAIT)
        elif number == signal.SIGWINCH:
            note(self.generation, "AH00492", "caught SIGWINCH, shutting down gracefully")
            self._stopping = True
            self._children.dismiss(signal.SIGUSR1, self.generation.graceful_timeout)
        elif number == signal.SIGUSR1:
            note(self.generation, "AH00493", "SIGUSR1 received.  Doing graceful restart")
            self._reload(signal.SIGUSR1)
        elif number == signal.SIGHUP:
            note(self.generation, "AH00494", "SIGHUP received.  Attempting to restart")
            self._reload(signal.SIGTERM)

    def _reload(self, farewell: signal.Signals) -> None:
        old = self.generation
        try:
            new = self._reread()
        except Exception as error:
            self._refuse(error)
            return
        try:
            self._listeners.add(new.addresses, new.backlog)
            new.number = old.number + 1
            self._children.fill(new, wait=True, old=old)
            _move_pid_file(old, new)
        except Exception as error:
            self._children.dismiss(signal.SIGTERM, TERM_WAIT, new)
            self._listeners.keep_only(old.addresses)
            _close_logs(new)
            self._refuse(error)
            return
        self.generation = new
        self._listeners.keep_only(new.addresses)
        announce(new, "resuming normal operations")
        wait = TERM_WAIT if farewell == signal.SIGTERM else old.graceful_timeout
        self._children.dismiss(farewell, wait, old)
        _close_logs(old)

    def _refuse(self, error: Exception) -> None:
        text = str(error).replace("\n", " ") or type(error).__name__
        LOG.error(self.generation.main, "", "the new configuration is not used, the old one serves on: %s", text)

    # -- children

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._mourns_log(pid):
                continue
            child = self._children.remove(pid)
            if child is not None and not child.leaving:
                self._mourn(pid, status, time.monotonic() - child.born)

    def _mourns_log(self, pid: int) -> bool:
        """Whether it was a log's program that ended, and not a worker."""
        logs = self.generation.logs
        program = logs.bury(pid) if logs is not None else None
        if program is None:
            return False
        CORE_LOG.error(self.generation.main, "AH00106", "piped log program '%s' failed unexpectedly", program)
        return True

    def _revive_logs(self) -> None:
        if self.generation.logs is None:
            return
        try:
            self.generation.logs.revive()
        except LogTargetError as error:
            CORE_LOG.error(self.generation.main, "", "%s", error)

    def _mourn(self, pid: int, status: int, age: float) -> None:
        main = self.generation.main
        if os.WIFSIGNALED(status):
            CORE_LOG.notice(main, "AH00052", "child pid %d exit signal %s", pid, signal.Signals(os.WTERMSIG(status)).name)
        else:
            CORE_LOG.error(main, "", "child pid %d exited with status %d", pid, os.WEXITSTATUS(status))
        if age < YOUNG:
            self._respawn_at = time.monotonic() + YOUNG


def claim_pid_file(generation: Generation) -> None:
    """Write the pid file; one that a dead server left behind is overwritten with a warning.

    Raises:
        PidFileError: it cannot be written, or a server that lives has it.
    """
    file = generation.pid_file
    if file is None:
        return
    try:
        pid = file.read()
    except PidFileError:
        pid = 0
    if pid and file.is_running(pid):
        raise PidFileError(f"httpd (pid {pid}) already running")
    if pid is not None:
        CORE_LOG.warn(
            generation.main, "AH00098", "pid file %s overwritten -- Unclean shutdown of previous Apache run?", file.path
        )
    file.write()


def drop_pid_file(generation: Generation) -> None:
    """Take the pid file away."""
    if generation.pid_file is not None:
        generation.pid_file.remove()


def _close_logs(generation: Generation) -> None:
    if generation.logs is not None:
        generation.logs.close()


def _move_pid_file(old: Generation, new: Generation) -> None:
    if old.pid_file != new.pid_file:
        claim_pid_file(new)
        drop_pid_file(old)
