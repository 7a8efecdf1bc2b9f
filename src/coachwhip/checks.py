"""What is checked of a configuration that reads well, before anything is opened or bound: MPM, names, folders, users.

Between `server.read` and `server.open_plan`, at a start, at a reload and for `-t`. Messages compared with 2.4.71.
"""

from __future__ import annotations

import socket

from coachwhip.api.core import CoreServer
from coachwhip.api.log import reason_text
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.server import Server, Startup
from coachwhip.config import LoadOptions
from coachwhip.mpm.privileges import find_group, find_user
from coachwhip.server import REFUSALS, Plan, StartRefused, check, read
from coachwhip.util.notes import asked_at

__all__ = ["configure"]


def configure(options: LoadOptions) -> Plan:
    """Read a configuration and check it; what is doubtful is in `startup.warnings` then.

    Raises:
        ConfigError: a mistake in the configuration, with its place.
        StartRefused: no MPM, a log's folder is missing, or a module refuses.
        PrivilegeError: `User` or `Group` is unknown.
    """
    plan = read(options)
    if plan.loaded.mpm is None:
        raise StartRefused("AH00534: httpd: Configuration error: No MPM loaded.")
    mpm = plan.loaded.main.config(ServerMpm)
    sources = plan.loaded.main.settings.sources
    with asked_at(sources(ServerMpm, "user")):
        find_user(mpm.user)
    with asked_at(sources(ServerMpm, "group")):
        find_group(mpm.group)
    _name_servers(plan.startup)
    _check_error_logs(plan.startup)
    check(plan)
    return plan


def _check_error_logs(startup: Startup) -> None:
    main = startup.main.config(CoreServer).error_log
    with asked_at(startup.main.settings.sources(CoreServer, "error_log")):
        _check_folder(startup, main, "main error log")
    for server in startup.servers:
        target = server.config(CoreServer).error_log
        if target != main:
            with asked_at(server.settings.sources(CoreServer, "error_log")):
                _check_folder(startup, target, f"error log of vhost defined at {_place(server)}")


def _place(server: Server) -> str:
    return f"{server.location.file}:{server.location.line}" if server.location is not None else "?"


def _check_folder(startup: Startup, target: str, what: str) -> None:
    if target.startswith("|") or target.split(":")[0] == "syslog":
        return
    folder = f"{startup.server_root}/{target}" if not target.startswith("/") else target
    folder = folder.rpartition("/")[0] + "/"
    try:
        startup.check_folder(folder)
    except OSError as error:
        text = f"{reason_text(error)}: AH02291: Cannot access directory '{folder}' for {what}"
        raise StartRefused(f"{text}\n{REFUSALS['check_config']}") from None


# -- the name of a server that has none


def _name_servers(startup: Startup) -> None:
    """Where no `ServerName` holds, the machine's full name does, or its address, with a warning."""
    if startup.main.config(CoreServer).server_name is not None:
        return
    found = _full_name()
    for server in (startup.main, *startup.servers):
        server.machine_name = found
    if "." not in found or found.replace(".", "").isdigit():
        startup.warnings.append(
            "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, "
            f"using {found}. Set the 'ServerName' directive globally to suppress this message"
        )


def _full_name() -> str:
    """A name with a dot in it, or the address of the machine's name, or the loopback's."""
    try:
        name = socket.gethostname()
        if "." in name:
            return name
        address = str(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        return "127.0.0.1"
    try:
        named = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except (OSError, UnicodeError):
        return address
    return named if "." in named else address
