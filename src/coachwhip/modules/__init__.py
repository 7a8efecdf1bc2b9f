"""The modules that ship, by the identifier that `LoadModule` uses; nothing is imported until it is asked for.

One file or folder per module, named as Apache names it, on Apache's shelves. A module meets another through `api` alone.
"""

from __future__ import annotations

__all__ = ["SHIPPED", "STATIC"]

_SHELVES: dict[str, tuple[str, ...]] = {
    "aaa": (
        "access_compat", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_groupfile", "authz_host", "authz_user",
    ),
    "cluster": ("heartbeat", "heartmonitor"),
    "filters": ("deflate", "filter", "reqtimeout"),
    "generators": ("autoindex", "info", "metrics", "status"),
    "loggers": ("log_config", "log_debug", "log_forensic", "logio"),
    "mappers": ("alias", "dir", "negotiation"),
    "http": ("mime",),
    "metadata": ("env", "mime_magic", "setenvif"),
    "core": ("macro", "replay", "so", "systemd", "unixd", "version", "watchdog"),
}  # fmt: skip

#: `LoadModule` identifier → Python module with the attribute `MODULE`.
SHIPPED: dict[str, str] = {
    "core_module": "coachwhip.modules.core",
    "http_module": "coachwhip.modules.core.http_core",
    "mpm_event_module": "coachwhip.modules.mpm.event",
    "mpm_worker_module": "coachwhip.modules.mpm.worker",
    "mpm_prefork_module": "coachwhip.modules.mpm.prefork",
} | {f"{name}_module": f"coachwhip.modules.{shelf}.mod_{name}" for shelf, names in _SHELVES.items() for name in names}

#: Loaded without being asked, in this order: those that Debian's binary has built in.
STATIC: tuple[str, ...] = (
    "core_module",
    "so_module",
    "watchdog_module",
    "http_module",
    "log_config_module",
    "logio_module",
    "version_module",
    "unixd_module",
    "replay_module",
)
