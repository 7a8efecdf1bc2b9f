"""What the parent tells the service manager, and when: that it serves, reads its configuration again, ends, and is alive.

`systemd.py` knows the words; this file knows the workers. Without a service manager nothing is told.
"""

from __future__ import annotations

import time

from coachwhip.mpm.children import Children
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.systemd import ServiceManager

__all__ = ["Service"]

#: Seconds from one report of the counts to the next.
EVERY = 10.0
#: A worker is alive that gave a sign of it within so many seconds; it gives one about every second.
ALIVE = 5.0


class Service:
    """The parent's side of a service."""

    def __init__(self, manager: ServiceManager, children: Children) -> None:
        self._manager = manager
        self._children = children
        now = time.monotonic()
        self._next_report = now + EVERY
        #: Requests and monotonic second at the report before.
        self._before = (0, now)

    def serves(self, generation: Generation) -> None:
        """It is up, or up again after a reload, whatever came of that."""
        self._manager.ready(f"Listening on {', '.join(map(str, generation.addresses))}")

    def reloads(self) -> None:
        """The configuration is about to be read again."""
        self._manager.reloading()

    def ends(self) -> None:
        """Workers have been told to go."""
        self._manager.stopping()

    def taken_over(self, pid: int) -> None:
        """A process that took over serves; from now on it alone speaks for the service, whose end this one's is not."""
        self._manager.taken_over(pid)
        self._manager = ServiceManager()

    def turn(self, generation: Generation) -> None:
        """Called often; tells what is due."""
        now = time.monotonic()
        if self._manager.wants_beat and self._is_alive(now):
            self._manager.beat()
        if now >= self._next_report and generation.pipeline.startup.options.get("service_counts"):
            self._next_report = now + EVERY
            self._manager.status(self._report(now))

    def _is_alive(self, now: float) -> bool:
        """A parent whose workers are all stuck is of no use, however well it is itself."""
        return any(child.is_up and now - self._children.pulse(child).beat <= ALIVE for child in self._children.all())

    def _report(self, now: float) -> str:
        totals = self._children.board.totals()
        requests, then = self._before
        self._before = (totals.accesses, now)
        rate = (totals.accesses - requests) / (now - then)
        pulses = [self._children.pulse(child) for child in self._children.all()]
        connections = sum(pulse.connections for pulse in pulses)
        return (
            f"{totals.accesses} requests, {totals.bytes} bytes; {rate:.3g} requests per second; "
            f"{len(pulses)} workers with {connections} connections"
        )
