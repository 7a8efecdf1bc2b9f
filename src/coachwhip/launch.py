"""From options to a running server: builds an instance, binds, and hands it to the parent process or to this one."""

from __future__ import annotations

import os
from collections.abc import Callable

from coachwhip.api.mpm import ServerMpm
from coachwhip.config import LoadOptions
from coachwhip.mpm.listeners import ListenAddress
from coachwhip.mpm.parent import Generation, Parent, serve_alone
from coachwhip.mpm.privileges import drop_privileges, find_identity
from coachwhip.server import Instance, StartRefused, build

__all__ = ["generation_of", "launch"]


def generation_of(instance: Instance) -> Generation:
    """What the configuration asks of the process model.

    Raises:
        StartRefused: nothing to listen on, or root without a `User` to become.
    """
    conf = instance.startup.main.config(ServerMpm)
    if not conf.listeners:
        raise StartRefused("AH00015: no listening sockets available, shutting down")
    addresses = list(dict.fromkeys(ListenAddress(one.host, one.port) for one in conf.listeners))
    generation = Generation(
        instance.pipeline,
        addresses,
        threads=conf.threads_per_child or 25,
        backlog=conf.listen_backlog,
        graceful_timeout=conf.graceful_shutdown_timeout,
    )
    if os.geteuid() == 0:
        identity = find_identity(conf.user, conf.group)
        generation.drop_privileges = lambda: drop_privileges(identity)
    return generation


def launch(options: LoadOptions, *, alone: bool = False, ready: Callable[[], None] = lambda: None) -> int:
    """Serve in the foreground until told to stop; returns the exit status."""
    generation = generation_of(build(options))
    if alone:
        return serve_alone(generation, ready)
    parent = Parent(generation, lambda: generation_of(build(options)), ready)
    parent.bind()
    return parent.run()
