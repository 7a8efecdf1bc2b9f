"""From a checked configuration to a running server: opens it, binds, and hands it to the parent process or to this one."""

from __future__ import annotations

import os
from collections.abc import Callable

from coachwhip.api.log import ModuleLog
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.server import Server
from coachwhip.checks import configure
from coachwhip.config import LoadOptions
from coachwhip.logs.targets import LogRoom
from coachwhip.mpm.alone import serve_alone
from coachwhip.mpm.generation import Generation
from coachwhip.mpm.listeners import ListenAddress, Queue
from coachwhip.mpm.parent import Parent
from coachwhip.mpm.pidfile import PidFile
from coachwhip.mpm.policy import policy_of
from coachwhip.mpm.privileges import Rights, current_umask, drop_privileges, find_rights, set_umask
from coachwhip.mpm.signals import APACHES, Table
from coachwhip.mpm.systemd import ServiceManager
from coachwhip.server import REFUSALS, Instance, Plan, StartRefused, open_plan
from coachwhip.util.cores import usable_cores

__all__ = ["addresses_of", "check_servable", "generation_of", "launch", "pid_file_of"]

#: What stands below the reason when nothing can be listened on.
NO_SOCKETS = f"no listening sockets available, shutting down\n{REFUSALS['open_logs']}"
LOG = ModuleLog("core")


def pid_file_of(main: Server, server_root: str) -> PidFile:
    """The `PidFile` of a configuration."""
    path = os.path.join(server_root, main.config(ServerMpm).pid_file)
    return PidFile(path, tuple(main.settings.sources(ServerMpm, "pid_file")))


def addresses_of(conf: ServerMpm) -> list[ListenAddress]:
    """Where a configuration listens, each once."""
    return list(dict.fromkeys(ListenAddress(one.host, one.port, one.location) for one in conf.listeners))


def check_servable(conf: ServerMpm) -> Rights:
    """What workers may do, if this process starts them, and if there is anything for them to do.

    Raises:
        StartRefused: nothing to listen on.
        PrivilegeError: root without a `User` to become.
    """
    if not conf.listeners:
        raise StartRefused(NO_SOCKETS)
    return find_rights(conf)


def generation_of(instance: Instance, *, has_pid_file: bool = True) -> Generation:
    """What the configuration asks of the process model. Not `has_pid_file`: a server on somebody's terminal, which needs none.

    Raises: see `check_servable`.
    """
    startup = instance.startup
    conf = startup.mpm or startup.main.config(ServerMpm)
    rights = check_servable(conf)
    generation = Generation(
        instance.pipeline,
        addresses_of(conf),
        pid_file_of(startup.main, startup.server_root) if has_pid_file else None,
        policy=policy_of(
            conf,
            instance.loaded.mpm or "event",
            usable_cores(),
            bounds_work=bool(startup.main.settings.sources(ServerMpm, "max_request_workers")),
        ),
        queue=Queue(conf.listen_backlog, conf.receive_buffer_size, conf.send_buffer_size),
        graceful_timeout=conf.graceful_shutdown_timeout,
        is_quiet=not has_pid_file,
    )
    if isinstance(startup.logs, LogRoom):
        generation.logs = startup.logs
    if rights.stay_roots and has_pid_file:
        LOG.warn(startup.main, "", "workers run as root, as -D BIG_SECURITY_HOLE allows: a fault in any module is root's")
    generation.drop_privileges = lambda: drop_privileges(rights)
    return generation


def launch(
    plan: Plan,
    options: LoadOptions,
    *,
    alone: bool = False,
    has_pid_file: bool = True,
    ready: Callable[[], None] = lambda: None,
    table: Table = APACHES,
) -> int:
    """Serve until told to stop; returns the exit status. `ready` is called when the first worker serves.

    `plan` is what `options` gave; a reload reads those again. `alone`: in this very process, without a parent. Not `has_pid_file`:
    whatever `PidFile` says, none is written. `table`: what signals ask for.

    Raises:
        StartRefused, PrivilegeError, PidFileError, StartFailed, BindError: the server cannot start.
    """

    inherited = current_umask()

    def opened(plan: Plan) -> Instance:
        # Logs are files that the server makes, too.
        set_umask(plan.loaded.main.config(ServerMpm).umask, inherited)
        return open_plan(plan)

    def reread() -> Generation:
        new = configure(options)
        instance = opened(new)
        try:
            for warning in (*map(str, new.loaded.warnings), *new.startup.warnings):
                LOG.warn(new.startup.main, "", "%s", warning)
            return generation_of(instance, has_pid_file=has_pid_file)
        except Exception:
            new.startup.logs.close()
            raise

    manager = ServiceManager.from_environment(os.environ)
    first = generation_of(opened(plan), has_pid_file=has_pid_file)
    if alone:
        return serve_alone(first, ready, manager)
    parent = Parent(first, reread, ready, table, manager)
    parent.bind()
    return parent.run()
