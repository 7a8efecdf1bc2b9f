"""The settings of the process model (`ServerMpm`): processes, threads, listeners, and the user that workers run as.

Global: only what the main server says counts. The directives are in `modules/mpm/` and `modules/core/mod_unixd.py`; `mpm/` acts
on them.
Source: Apache manual, "Apache MPM Common Directives", `event`, `prefork`, `mod_unixd`.
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.api.directives import Location

__all__ = ["Listener", "ServerMpm"]


@dataclass(frozen=True, slots=True)
class Listener:
    """One `Listen` line."""

    #: IP address or host name as written, without brackets; None for every address.
    host: str | None
    port: int
    #: "https" for port 443 unless the line says otherwise, else None.
    protocol: str | None
    location: Location


@dataclass(frozen=True, slots=True)
class ServerMpm:
    """What the MPM directives say. None: not said, the MPM has its own default."""

    listeners: tuple[Listener, ...] = ()
    #: `listen` queue, socket buffers in bytes (0: the system's), seconds of TCP_DEFER_ACCEPT.
    listen_backlog: int = 511
    listen_cores_buckets_ratio: int = 0
    listen_tcp_defer_accept: int = 30
    send_buffer_size: int = 0
    receive_buffer_size: int = 0
    start_servers: int | None = None
    server_limit: int | None = None
    thread_limit: int | None = None
    threads_per_child: int | None = None
    max_request_workers: int | None = None
    min_spare_threads: int | None = None
    max_spare_threads: int | None = None
    min_spare_servers: int | None = None
    max_spare_servers: int | None = None
    #: 0: not said.
    async_request_worker_factor: float = 0.0
    #: 0: a worker process is never replaced.
    max_connections_per_child: int = 0
    #: Bytes and seconds at which a worker process is replaced; 0: never.
    max_memory_per_child: int = 0
    max_age_per_child: int = 0
    #: KiB that an allocator may keep; -1: not said. Has nothing to act on here.
    max_mem_free: int = -1
    thread_stack_size: int = 0
    graceful_shutdown_timeout: float = 0.0
    pid_file: str = "logs/httpd.pid"
    scoreboard_file: str | None = None
    core_dump_directory: str | None = None
    user: str = "#-1"
    group: str = "#-1"
    #: Whether workers may be root's: said on the command line only.
    allow_root: bool = False
    #: What workers take for "/".
    chroot_dir: str | None = None
    #: Whether programs that a worker runs can have no more rights than it has, set-user-ID ones too.
    no_new_privileges: bool = True
    #: Permissions that files made by the server do not get; None: 022, and what whoever started it withholds.
    umask: int | None = None
    suexec: bool = False
