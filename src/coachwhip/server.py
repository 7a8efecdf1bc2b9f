"""The composition root: a configuration becomes a server. The only file that knows everyone.

    configuration → modules → sorted hooks → pipeline → (mpm) listeners and workers

`Instance` is one generation: everything that one reading of the configuration gave. A reload makes another; the old one serves on
until its connections are done.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from coachwhip import APACHE_VERSION, __version__
from coachwhip.api import phases
from coachwhip.api.core import CoreDir, CoreServer
from coachwhip.api.log import LogTargetError
from coachwhip.api.outcome import Outcome
from coachwhip.api.server import Server, Startup
from coachwhip.config import Loaded, LoadOptions, Section, load
from coachwhip.config.htaccess import read_htaccess
from coachwhip.hooks import HookTable
from coachwhip.logs.errors import open_error_logs
from coachwhip.request.pipeline import Pipeline

__all__ = ["Instance", "StartRefused", "build", "server_software"]


class StartRefused(Exception):
    """The configuration was read, but the server must not start with it. The text says why."""


@dataclass(slots=True)
class Instance:
    """One generation of the server."""

    loaded: Loaded
    startup: Startup
    pipeline: Pipeline


def server_software(core: CoreServer, components: list[str]) -> str:
    """What the `Server` field says, by `ServerTokens`."""
    name, version = "Coachwhip", __version__
    major, minor, _ = (*version.split("."), "0", "0")[:3]
    full = f"{name}/{version} (Unix)"
    return {
        "prod": name,
        "major": f"{name}/{major}",
        "minor": f"{name}/{major}.{minor}",
        "minimal": f"{name}/{version}",
        "os": full,
    }.get(core.server_tokens, " ".join([full, *components]))


def build(options: LoadOptions, *, open_logs: bool = True, flags: dict[str, Any] | None = None) -> Instance:
    """Read a configuration and make everything but sockets and processes from it.

    `open_logs` False: nothing is opened or written (`-t`, `explain`).

    Raises:
        ConfigError: a mistake in the configuration, with its place.
        StartRefused: a module, or an `ErrorLog` that cannot be opened, stops the start.
    """
    loaded = load(options)
    startup = Startup(
        server_root=loaded.server_root,
        main=loaded.main,
        servers=loaded.servers,
        modules=loaded.modules,
        providers=loaded.providers,
        filters=loaded.filters,
        defines=loaded.defines,
        tree=loaded.tree,
        options=dict(flags or {}),
    )
    table = HookTable(loaded.modules)
    _run(table, phases.pre_config, startup)
    _run(table, phases.check_config, startup)
    if open_logs:
        _open_logs(table, startup)
        _run(table, phases.post_config, startup)
    software = server_software(loaded.main.core, startup.version_components)
    return Instance(loaded, startup, Pipeline(startup, _htaccess_parser(loaded), software))


def _open_logs(table: HookTable, startup: Startup) -> None:
    try:
        open_error_logs(startup)
    except LogTargetError as error:
        raise StartRefused(str(error)) from None
    _run(table, phases.open_logs, startup)


def _run(table: HookTable, phase: phases.Phase, startup: Startup) -> None:
    answer = table.run(phase, startup)
    if phase.mode is not phases.RunMode.EACH and answer not in (Outcome.OK, Outcome.DECLINED):
        raise StartRefused("; ".join(startup.errors) or f"a module refused the start in {phase.name}")


def _htaccess_parser(loaded: Loaded) -> Any:
    def parse(data: bytes, path: str, folder: str, core: CoreDir) -> Section:
        return read_htaccess(data, path, folder, core.override, core.override_list, loaded)

    return parse


def machine_name() -> str:
    """The name that stands in where no `ServerName` does."""
    try:
        return socket.getfqdn() or "localhost"
    except OSError:
        return "localhost"


def apache_version() -> str:
    """The release whose behaviour is followed, as text."""
    return ".".join(map(str, APACHE_VERSION))


