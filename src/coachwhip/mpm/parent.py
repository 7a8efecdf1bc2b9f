"""The parent process: owns listeners, reads configurations, forks workers, and never serves.

One loop over signals, dead workers and what workers say. A reload reads the new configuration, binds what is new and waits until the
new workers serve; whatever of that fails, the old generation serves on. Listeners that both generations have are never closed. See
`generation.py` for what a generation is, `children.py` for the workers as seen from here, `upkeep.py` for how many there are.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from coachwhip.api.log import LogTargetError, ModuleLog
from coachwhip.mpm.birth import DRAIN, FINISH, Inheritance
from coachwhip.mpm.children import Child, Children
from coachwhip.mpm.claim import claim_pid_file, drop_pid_file
from coachwhip.mpm.generation import Generation, StartFailed, announce, note, warn
from coachwhip.mpm.handover import Successor, inherit, say_serving
from coachwhip.mpm.lifeline import Lifeline
from coachwhip.mpm.listeners import BindError, Listeners
from coachwhip.mpm.policy import with_workers
from coachwhip.mpm.scoreboard import Board
from coachwhip.mpm.service import Service
from coachwhip.mpm.signals import APACHES, Signals, Table, Wish
from coachwhip.mpm.systemd import ServiceManager
from coachwhip.mpm.upkeep import START_WAIT, Upkeep
from coachwhip.util.cores import usable_cores
from coachwhip.util.notes import notes_of

__all__ = ["Parent"]

LOG = ModuleLog("mpm_event")
CORE_LOG = ModuleLog("core")
#: The loop looks round at least this often, in milliseconds.
TURN = 500
#: How long a worker may take to die after TERM, in seconds: it only has to close its connections.
TERM_WAIT = 5.0
#: How long a reload waits for workers of earlier generations before it kills some, in seconds.
ROOM_WAIT = 2.0
#: How long an address may be taken after a server died without closing its listeners, in seconds: its workers notice at once.
BIND_WAIT = 3.0
#: What Apache says when something is asked for, and its log id in each MPM.
_SAID = {
    Wish.STOP: "caught SIGTERM, shutting down",
    Wish.GRACEFUL_STOP: "caught SIGWINCH, shutting down gracefully",
    Wish.GRACEFUL: "SIGUSR1 received.  Doing graceful restart",
    Wish.RESTART: "SIGHUP received.  Attempting to restart",
}
_LOG_IDS = {
    "event": dict(zip(_SAID, ("AH00491", "AH00492", "AH00493", "AH00494"), strict=True)),
    "worker": dict(zip(_SAID, ("AH00295", "AH00296", "AH00297", "AH00298"), strict=True)),
    "prefork": dict(zip(_SAID, ("AH00169", "AH00170", "AH00171", "AH00173"), strict=True)),
}
#: Log id of a `ServerLimit` that a reload cannot change.
_FIXED_LIMIT = {"event": "AH00501", "worker": "AH00304", "prefork": "AH00179"}


@dataclass(slots=True)
class Coming:
    """A generation whose first workers have been forked and do not serve yet."""

    generation: Generation
    #: Its workers, and the monotonic second until which all must serve.
    workers: list[Child]
    deadline: float
    #: How the generation before it is sent away; None: there is none.
    farewell: signal.Signals | None = None


class Parent:
    """Runs generations until it is told to stop."""

    def __init__(
        self,
        generation: Generation,
        reload: Callable[[], Generation],
        ready: Callable[[], None] = lambda: None,
        table: Table = APACHES,
        manager: ServiceManager | None = None,
    ) -> None:
        """`reload` reads the configuration again and raises if it cannot be used; `ready` is called once, when the first
        workers serve; `table`: what signals ask for; `manager`: whoever runs this as a service.
        """
        self.generation = generation
        self._reread = reload
        self._ready = ready
        self._manager = manager if manager is not None else ServiceManager()
        self._listeners = Listeners(self._manager.handed)
        self._signals = Signals(table)
        self._poll = select.poll()
        #: What there are seats for: generations overlap. As in Apache, only another start makes more.
        self._limit = generation.policy.limit
        rows = 3 * self._limit + 2
        self._children = Children(Inheritance(self._signals, Lifeline(), self._listeners, Board(rows)), self._poll)
        self._upkeep = Upkeep(self._children, usable_cores())
        self._service = Service(self._manager, self._children)
        self._coming: Coming | None = None
        #: How the old workers are to be sent away by the reload that was asked for; and since when it waits for room.
        self._reload_asked: signal.Signals | None = None
        self._asked_at = 0.0
        self._is_stopping = False
        #: The program that is to take over, and where to tell a program before this one that this one has.
        self._successor: Successor | None = None
        self._say: int | None = None

    def bind(self) -> None:
        """Bind what the first generation listens on. Where a server before this one died, its workers get a moment to let go.

        Raises:
            BindError: an address cannot be bound; nothing is bound then.
        """
        self._say = inherit(self._listeners, self._manager)
        file = self.generation.pid_file
        deadline = time.monotonic() + (BIND_WAIT if file is not None and file.is_stale() else 0.0)
        while True:
            try:
                self._listeners.add(self.generation.addresses, self.generation.queue)
            except BindError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def run(self) -> int:
        """Serve; returns the exit status. `bind` must have been called.

        Raises:
            StartFailed: a worker ended before it served.
            PidFileError: the pid file cannot be written.
        """
        self._signals.install()
        self._poll.register(self._signals, select.POLLIN)
        # Collected by hand, after each reload: a fork in the middle of a collection would copy what it touched.
        gc.disable()
        try:
            claim_pid_file(self.generation)
            announce(self.generation, "resuming normal operations")
            self._begin(self.generation, None)
            while self._children or not self._is_stopping:
                self._turn()
        except Exception as error:
            LOG.alert(self.generation.main, "", "the parent ended: %s: %s", type(error).__name__, error)
            raise
        finally:
            self._children.end()
            for generation in self._generations():
                drop_pid_file(generation)
            self._listeners.close()
        return 0

    def _turn(self) -> None:
        for fd, _ in self._poll.poll(TURN):
            if self._successor is not None and fd == self._successor.pipe:
                self._hear_successor(self._successor)
            elif fd != self._signals.fileno():
                self._children.hear(fd)
        for wish in self._signals.take():
            self._on_wish(wish)
        self._bury()
        self._revive_logs()
        self._children.kill_overdue()
        self._service.turn(self.generation)
        if self._is_stopping:
            return
        self._settle()
        if self._reload_asked is not None and self._coming is None and self._has_room():
            farewell, self._reload_asked = self._reload_asked, None
            self._reload(farewell)
        if self._coming is None or self._coming.farewell is not None:
            other = self._coming.generation.logs if self._coming is not None else None
            self._upkeep.turn(self.generation, [other] if other is not None else [])

    # -- what is asked for

    def _on_wish(self, wish: Wish) -> None:
        mpm = self.generation.policy.mpm
        said = "Graceful restart requested, doing restart" if mpm == "prefork" and wish is Wish.GRACEFUL else _SAID.get(wish, wish.value)
        note(self.generation, _LOG_IDS[mpm].get(wish, ""), said)
        if wish is Wish.STOP:
            self._stop(signal.SIGTERM, TERM_WAIT)
        elif wish is Wish.GRACEFUL_STOP:
            self._stop(FINISH, self.generation.graceful_timeout)
        elif wish is Wish.GRACEFUL:
            self._ask_reload(DRAIN)
        elif wish is Wish.RESTART:
            self._ask_reload(signal.SIGTERM)
        elif wish is Wish.MORE or wish is Wish.FEWER:
            self._resize(1 if wish is Wish.MORE else -1)
        elif wish is Wish.REOPEN_LOGS:
            self._reopen_logs()
        elif wish is Wish.HAND_OVER:
            self._hand_over()

    def _stop(self, farewell: signal.Signals, wait: float) -> None:
        self._is_stopping = True
        self._service.ends()
        if self._successor is not None:
            os.kill(self._successor.pid, signal.SIGTERM)
        self._children.dismiss(self._children.all(), farewell, wait)
        # Workers take what waits in the backlog and close their listeners too: whoever comes later is refused, and does not hang.
        self._listeners.close()

    def _ask_reload(self, farewell: signal.Signals) -> None:
        if self._reload_asked is None:
            self._asked_at = time.monotonic()
        if self._reload_asked != signal.SIGTERM:
            self._reload_asked = farewell

    def _resize(self, more: int) -> None:
        policy = with_workers(self.generation.policy, more)
        self.generation.policy = policy
        self._upkeep.target = min(max(1, self._upkeep.target + more), policy.limit)
        surplus = self._children.staying(self.generation)[self._upkeep.target :]
        self._children.dismiss(surplus, DRAIN, self.generation.graceful_timeout)

    def _reopen_logs(self) -> None:
        """Open the log files by their names again; new workers get them, old ones finish with those they have."""
        logs = self.generation.logs
        if logs is None:
            return
        try:
            logs.reopen()
        except OSError as error:
            CORE_LOG.error(self.generation.main, "", "logs are not reopened: %s: %s", error.filename, error.strerror)
        else:
            self._upkeep.retire_all(self.generation)

    # -- handing over

    def _hand_over(self) -> None:
        if self._successor is not None or self._is_stopping:
            return
        try:
            self._successor = Successor(self._listeners, self._manager)
        except OSError as error:
            LOG.error(self.generation.main, "", "the new server cannot be run, the old one serves on: %s", error.strerror)
        else:
            self._poll.register(self._successor.pipe, select.POLLIN)

    def _hear_successor(self, successor: Successor) -> None:
        self._poll.unregister(successor.pipe)
        self._successor = None
        if not successor.serves():
            LOG.error(self.generation.main, "", "the new server (pid %d) has ended, the old one serves on", successor.pid)
        elif not self._is_stopping:
            self._service.taken_over(successor.pid)
            self._stop(FINISH, self.generation.graceful_timeout)

    # -- reloading

    def _has_room(self) -> bool:
        """Whether another generation may begin: with it there are to be no more than three times the workers of one.

        Workers of earlier generations usually go within a second; those whose requests hang are killed, idle and old ones first.
        """
        leaving = self._children.leaving()
        surplus = len(leaving) - self._upkeep.target
        if surplus <= 0:
            return True
        if time.monotonic() < self._asked_at + ROOM_WAIT:
            return False
        leaving.sort(key=lambda child: (self._children.pulse(child).at_work > 0, child.born))
        LOG.warn(self.generation.main, "", "killing %d workers of earlier generations, which do not end", surplus)
        self._children.dismiss(leaving[:surplus], signal.SIGKILL, TERM_WAIT)
        return True

    def _reload(self, farewell: signal.Signals) -> None:
        old = self.generation
        self._service.reloads()
        try:
            new = self._reread()
        except (Exception, SystemExit) as error:
            self._refuse(error)
            return
        new.number = old.number + 1
        if new.policy.limit != self._limit:
            text = f"changing ServerLimit to {new.policy.limit} from original value of {self._limit} not allowed during restart"
            warn(new, _FIXED_LIMIT[new.policy.mpm], text)
        most = min(new.policy.most, self._limit)
        new.policy = replace(new.policy, most=most, limit=self._limit, start=min(new.policy.start, most))
        try:
            self._listeners.add(new.addresses, new.queue)
            if new.pid_file != old.pid_file:
                claim_pid_file(new)
            self._begin(new, farewell)
        except Exception as error:
            self._give_up(new, error)

    def _begin(self, new: Generation, farewell: signal.Signals | None) -> None:
        """Fork a generation's first workers: as many as serve now, if that is more than it starts with."""
        _collect()
        count = new.policy.start
        if farewell is not None:
            count = min(max(count, self._upkeep.target), new.policy.most)
        others = [self.generation.logs] if farewell is not None and self.generation.logs is not None else []
        before = set(self._children.all())
        try:
            self._children.fork(new, count, others)
        finally:
            workers = [child for child in self._children.all() if child not in before]
            self._coming = Coming(new, workers, time.monotonic() + START_WAIT, farewell)

    def _settle(self) -> None:
        """Let a generation take over whose workers all serve; give one up of which a worker ended or says nothing.

        At a start one worker that serves is enough: another that was killed or stopped meanwhile is for the upkeep to replace.
        """
        coming = self._coming
        if coming is None:
            return
        alive = set(self._children.all())
        serving = [child for child in coming.workers if child.is_up and child in alive]
        if len(serving) == len(coming.workers):
            self._coming = None
            self._take_over(coming)
            return
        is_late = time.monotonic() >= coming.deadline
        if alive.issuperset(coming.workers) and not is_late:
            return
        error = StartFailed("a worker ended before it served; the error log says why")
        if coming.farewell is not None:
            self._give_up(coming.generation, error)
        elif serving:
            self._coming = None
            self._take_over(coming)
        elif is_late or alive.isdisjoint(coming.workers):
            raise error

    def _take_over(self, coming: Coming) -> None:
        old, new = self.generation, coming.generation
        self.generation = new
        self._upkeep.target = len(coming.workers)
        self._service.serves(new)
        if coming.farewell is None:
            self._listeners.keep_only(new.addresses)
            self._ready()
            if self._say is not None:
                say_serving(self._say)
            return
        announce(new, "resuming normal operations")
        drop_pid_file(old, other=new)
        self._listeners.keep_only(new.addresses)
        if coming.farewell == signal.SIGTERM:
            self._children.board.begin_anew(new.number)
        wait = TERM_WAIT if coming.farewell == signal.SIGTERM else old.graceful_timeout
        self._children.dismiss([c for c in self._children.all() if c.generation is old and not c.is_leaving], coming.farewell, wait)
        _close_logs(old)

    def _give_up(self, new: Generation, error: Exception) -> None:
        """Undo what was done for a generation that cannot serve."""
        self._coming = None
        old = self.generation
        self._children.dismiss([c for c in self._children.all() if c.generation is new], signal.SIGKILL, TERM_WAIT)
        self._listeners.keep_only(old.addresses)
        self._listeners.set(old.addresses, old.queue)
        drop_pid_file(new, other=old)
        self._refuse(error)
        _close_logs(new)

    def _refuse(self, error: BaseException) -> None:
        os.umask(self.generation.umask)
        said = str(error).replace("\n", " ") or type(error).__name__
        text = "; ".join([said, *notes_of(error)])
        LOG.error(self.generation.main, "", "the new configuration is not used, the old one serves on: %s", text)
        self._service.serves(self.generation)
        _collect()

    # -- the dead

    def _bury(self) -> None:
        for child, status, stacks in self._children.bury(self._mourn_log):
            self._upkeep.mourn(child, status, stacks)

    def _mourn_log(self, pid: int) -> None:
        """A process ended that was no worker: a log's program, perhaps."""
        for generation in self._generations():
            program = generation.logs.bury(pid) if generation.logs is not None else None
            if program is not None:
                CORE_LOG.error(generation.main, "AH00106", "piped log program '%s' failed unexpectedly", program)

    def _revive_logs(self) -> None:
        for generation in self._generations():
            if generation.logs is None:
                continue
            try:
                generation.logs.revive()
            except LogTargetError as error:
                CORE_LOG.error(generation.main, "", "%s", error)

    def _generations(self) -> list[Generation]:
        coming = self._coming
        is_second = coming is not None and coming.generation is not self.generation
        return [self.generation, coming.generation] if coming is not None and is_second else [self.generation]


def _collect() -> None:
    """Free what earlier generations left behind."""
    gc.unfreeze()
    gc.collect()


def _close_logs(generation: Generation) -> None:
    if generation.logs is not None:
        generation.logs.close()
