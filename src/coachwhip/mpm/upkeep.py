"""Keeping as many workers as there are to be, and each of them well: the parent's housekeeping, for the generation that serves.

Dead workers are replaced at once, those that ended before they served after a second. Once a second the pulses of all are felt: the
policy says whether workers are to come or go, one that is too old or too large is replaced by another first, and one that has been
silent for too long is killed, with its stacks in the error log.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable

from coachwhip.api.log import ModuleLog
from coachwhip.logs.targets import LogRoom
from coachwhip.mpm.birth import DRAIN
from coachwhip.mpm.children import Child, Children
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.policy import FASTEST, Load, change, is_full

__all__ = ["Upkeep"]

LOG = ModuleLog("mpm_event")
CORE_LOG = ModuleLog("core")
#: Seconds between looks.
EVERY = 1.0
#: Seconds until the next try when a worker could not be started.
REST = 1.0
#: How long a worker may take until it serves, in seconds.
START_WAIT = 30.0
#: A worker that has been silent for so many seconds does not take its share of connections.
DOUBTFUL = 3.0
#: Seconds that a stuck worker gets to write down its stacks.
LAST_WORDS = 3.0
#: Apache's number for the line that says that all workers there may be are busy.
_FULL_IDS = {"event": "AH00484", "worker": "AH00286", "prefork": "AH00161"}


class Upkeep:
    """The workers of one generation at a time."""

    def __init__(self, children: Children, cores: int) -> None:
        self._children = children
        self._cores = cores
        #: How many workers there are to be.
        self.target = 1
        #: Most workers that the next look may add: twice as many with each look that finds too few, as in Apache.
        self._fastest = 1
        self._next_look = 0.0
        self._rests_until = 0.0
        #: The generation about which it was said that nothing is idle.
        self._was_full: Generation | None = None

    def turn(self, generation: Generation, logs: Iterable[LogRoom]) -> None:
        """Called often; does what is due. `logs`: those of other generations, which a new worker must let go of."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + EVERY
            self._end_stuck(now)
            self._retire(generation, now)
            self._follow_load(generation)
        self._replace_retiring(generation)
        self.fill(generation, logs)

    def fill(self, generation: Generation, logs: Iterable[LogRoom]) -> None:
        """Start what is missing."""
        missing = self.target - len(self._children.staying(generation))
        if missing <= 0 or time.monotonic() < self._rests_until:
            return
        try:
            self._children.fork(generation, missing, logs)
        except OSError as error:
            CORE_LOG.alert(generation.main, "AH00159", "fork: Unable to fork new process: %s", error.strerror)
            self._rests_until = time.monotonic() + REST

    # -- the load

    def _follow_load(self, generation: Generation) -> None:
        staying = self._children.staying(generation)
        if len(staying) != self.target or not all(child.is_up for child in staying):
            return
        pulses = [self._children.pulse(child) for child in staying]
        loads = [Load(pulse.busy, pulse.share) for pulse in pulses]
        if self._was_full is not generation and is_full(generation.policy, loads):
            self._was_full = generation
            text = "server reached MaxRequestWorkers setting, consider raising the MaxRequestWorkers setting"
            ModuleLog(f"mpm_{generation.policy.mpm}").error(generation.main, _FULL_IDS[generation.policy.mpm], text)
        by = change(generation.policy, loads, self._cores, self._fastest)
        self._fastest = min(2 * self._fastest, FASTEST) if by > 0 else 1
        self.target += by
        if by < 0:
            idlest = min(zip(pulses, staying, strict=True), key=lambda pair: pair[0].connections)[1]
            self._children.dismiss([idlest], DRAIN, generation.graceful_timeout)

    # -- replacing

    def _retire(self, generation: Generation, now: float) -> None:
        """Find one worker that has done enough. One at a time: they were born together.

        One that goes and has a slow client left does not keep the others from going; but so many may be on their way as there are
        workers, and no more.
        """
        policy = generation.policy
        retiring = [child for child in self._children.all() if child.is_retiring]
        if len(retiring) >= self.target or not all(child.is_leaving for child in retiring):
            return
        for child in self._children.staying(generation):
            if policy.age and now - child.born >= policy.age:
                why = f"is {int(now - child.born)} seconds old"
            elif policy.memory and (memory := self._children.pulse(child).memory) >= policy.memory:
                why = f"occupies {memory} bytes"
            else:
                continue
            LOG.info(generation.main, "", "child pid %d %s and is replaced", child.pid, why)
            child.is_retiring = True
            return

    def retire_all(self, generation: Generation) -> None:
        """Replace every worker of this generation by one that is forked now."""
        for child in self._children.staying(generation):
            child.is_retiring = True

    def _replace_retiring(self, generation: Generation) -> None:
        retiring = [child for child in self._children.all() if child.is_retiring and not child.is_leaving]
        if not retiring:
            return
        staying = self._children.staying(generation)
        if len(staying) >= self.target and all(child.is_up for child in staying):
            self._children.dismiss(retiring, DRAIN, generation.graceful_timeout)

    def _end_stuck(self, now: float) -> None:
        for child in self._children.all():
            if child.deadline is not None or not child.row:
                continue
            silence = now - max(child.born, self._children.pulse(child).beat)
            if silence > DOUBTFUL:
                # The others need not wait for it when they share what comes; if it lives, it will show up again.
                self._children.board.shares.clear(child.row)
            if silence < (child.generation.silence if child.is_up else START_WAIT):
                continue
            LOG.error(
                child.generation.main, "", "child pid %d has been silent for %d seconds and is killed", child.pid, int(silence)
            )
            # The signal has it write down its stacks, even if it was stopped; if it cannot, it is killed.
            self._children.dismiss([child], signal.SIGABRT, LAST_WORDS)

    # -- the dead

    def mourn(self, child: Child, status: int, stacks: str) -> None:
        """A worker ended: say why if nobody told it to."""
        main = child.generation.main
        for line in stacks.splitlines():
            LOG.error(main, "", "child pid %d: %s", child.pid, line)
        if child.is_leaving and not stacks:
            return
        if os.WIFSIGNALED(status):
            CORE_LOG.notice(main, "AH00052", "child pid %d exit signal %s", child.pid, _name(os.WTERMSIG(status)))
        else:
            CORE_LOG.error(main, "", "child pid %d exited with status %d", child.pid, os.WEXITSTATUS(status))
        if not child.is_up:
            self._rests_until = time.monotonic() + REST


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
