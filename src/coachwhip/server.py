"""The composition root: a configuration becomes a server. The only file that knows everyone.

    configuration → modules → sorted hooks → pipeline → (mpm) listeners and workers

Three steps, so that whoever only looks opens nothing and a start reads once: `read` → `check` → `open_plan`.
`Instance` is one generation: everything that one reading of the configuration gave. A reload makes another; the old one serves on
until its connections are done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coachwhip import __version__
from coachwhip.api import phases
from coachwhip.api.core import CoreDir, CoreServer
from coachwhip.api.log import Level, LogTargetError
from coachwhip.api.outcome import Outcome
from coachwhip.api.server import Startup
from coachwhip.config import Loaded, LoadOptions, Section, load
from coachwhip.config.htaccess import read_htaccess
from coachwhip.hooks import HookTable
from coachwhip.logs.errors import open_error_logs
from coachwhip.logs.rehearsal import Rehearsal
from coachwhip.logs.targets import LogRoom
from coachwhip.request.pipeline import Pipeline
from coachwhip.util.notes import notes_of, with_notes

__all__ = ["REFUSALS", "Instance", "Plan", "StartRefused", "build", "check", "open_plan", "read", "rehearse", "server_software"]

#: Phase of the start → Apache's last line where something refuses in it.
REFUSALS = {
    "pre_config": "AH00013: Pre-configuration failed",
    "check_config": "AH00014: Configuration check failed",
    "open_logs": "AH00015: Unable to open logs",
    "post_config": "AH00016: Configuration Failed",
}


class StartRefused(Exception):
    """The configuration was read, but the server must not start with it. The text says why."""


@dataclass(slots=True)
class Plan:
    """A configuration that was read: what a server would be. Nothing is open yet."""

    loaded: Loaded
    startup: Startup
    hooks: HookTable


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


def build(options: LoadOptions, *, open_logs: bool = True) -> Instance:
    """Read a configuration and make everything but sockets and processes from it: all three steps in one.

    `open_logs` False: nothing is opened or written (`explain`).

    Raises:
        ConfigError: a mistake in the configuration, with its place.
        StartRefused: a module, or a log that cannot be opened, stops the start.
    """
    plan = read(options)
    check(plan)
    return open_plan(plan) if open_logs else _instance(plan)


def read(options: LoadOptions) -> Plan:
    """First step: read, and let modules look before anything is judged.

    Raises:
        ConfigError: a mistake in the configuration, with its place.
        StartRefused: a module refuses.
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
        runtime_dir=loaded.runtime_dir,
    )
    plan = Plan(loaded, startup, HookTable(loaded.modules))
    _run(plan, phases.pre_config)
    return plan


def check(plan: Plan) -> None:
    """Second step: every module checks what it was told, and may correct it.

    Raises:
        StartRefused: a module refuses.
    """
    _run(plan, phases.check_config)


def open_plan(plan: Plan) -> Instance:
    """Third step: open the logs, and whatever modules need to serve.

    Raises:
        StartRefused: something cannot be opened, or a module refuses; nothing stays open.
    """
    _open_error_logs(plan, LogRoom(plan.startup.server_root))
    try:
        _run(plan, phases.open_logs)
        _run(plan, phases.post_config)
    except StartRefused as error:
        plan.startup.main.log_line(Level.ERROR, "core", "", str(error).replace("\n", " "))
        plan.startup.logs.close()
        raise
    return _instance(plan)


def rehearse(plan: Plan) -> None:
    """Find out whether the third step would succeed: no log is opened or run, and the plan is of no other use afterwards.

    Raises:
        StartRefused: a log could not be opened or its program run, or a module refuses; the line is noted.
    """
    _open_error_logs(plan, Rehearsal(plan.startup.server_root))
    try:
        _run(plan, phases.open_logs)
        _run(plan, phases.post_config)
    finally:
        plan.startup.logs.close()


def _open_error_logs(plan: Plan, room: LogRoom) -> None:
    try:
        open_error_logs(plan.startup, room)
    except LogTargetError as error:
        raise with_notes(StartRefused(f"{error}\n{REFUSALS['open_logs']}"), notes_of(error)) from None


def _instance(plan: Plan) -> Instance:
    software = server_software(plan.loaded.main.core, plan.startup.version_components)
    return Instance(plan.loaded, plan.startup, Pipeline(plan.startup, _htaccess_parser(plan.loaded), software))


def _run(plan: Plan, phase: phases.Phase) -> None:
    answer = plan.hooks.run(phase, plan.startup)
    if answer not in (Outcome.OK, Outcome.DECLINED):
        why = plan.startup.errors or [f"a module refused the start in {phase.name}"]
        raise with_notes(StartRefused("\n".join([*why, REFUSALS[phase.name]])), plan.startup.notes)


def _htaccess_parser(loaded: Loaded) -> Any:
    def parse(data: bytes, path: str, folder: str, core: CoreDir) -> Section:
        return read_htaccess(data, path, folder, core.override, core.override_list, loaded)

    return parse
