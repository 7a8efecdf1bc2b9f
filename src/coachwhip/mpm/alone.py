"""`-X`: one process that is parent and worker at once, for debuggers."""

from __future__ import annotations

import signal
from collections.abc import Callable

from coachwhip.mpm.claim import claim_pid_file, drop_pid_file
from coachwhip.mpm.generation import Generation, announce
from coachwhip.mpm.listeners import Listeners
from coachwhip.mpm.systemd import ServiceManager
from coachwhip.mpm.worker import Worker, new_loop

__all__ = ["serve_alone"]


def serve_alone(
    generation: Generation, ready: Callable[[], None] = lambda: None, manager: ServiceManager | None = None
) -> int:
    """Serve in this very process, without a parent; returns the exit status. `manager`: whoever runs this as a service.

    Raises:
        BindError: an address cannot be bound.
        PidFileError: the pid file cannot be written.
    """
    manager = manager if manager is not None else ServiceManager()
    listeners = Listeners(manager.handed)
    listeners.add(generation.addresses, generation.queue)
    claim_pid_file(generation)
    try:
        announce(generation, "resuming normal operations")
        generation.drop_privileges()
        loop = new_loop()
        worker = Worker(generation.pipeline, listeners.sockets(generation.addresses), generation.policy, loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop)
        # Apache's single process does not heed these either: there is nobody to fork another generation.
        for number in (signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)

        def up() -> None:
            ready()
            manager.ready("Listening in one process")

        worker.run(up)
        manager.stopping()
    finally:
        drop_pid_file(generation)
        listeners.close()
    return 0
