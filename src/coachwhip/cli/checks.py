"""What is checked of a configuration that reads well, before anything is opened or bound: names, folders, users.

Messages compared with 2.4.71; those that only warn are said, the others refuse the start.
"""

from __future__ import annotations

import os
import socket
import stat

from coachwhip.api.core import CoreServer
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.server import Server
from coachwhip.cli.messages import Messages
from coachwhip.config import Loaded
from coachwhip.mpm.privileges import find_group, find_user
from coachwhip.server import StartRefused

__all__ = ["CONFIGURATION_FAILED", "check", "find_machine_name"]

CONFIGURATION_FAILED = "AH00014: Configuration check failed"


def check(loaded: Loaded, messages: Messages, *, document_roots: bool) -> None:
    """Say what is doubtful, and refuse what cannot be used.

    Raises:
        StartRefused: no MPM, or a log's folder is missing.
        PrivilegeError: `User` or `Group` is unknown.
    """
    if loaded.mpm is None:
        raise StartRefused("AH00534: httpd: Configuration error: No MPM loaded.")
    mpm = loaded.main.config(ServerMpm)
    find_user(mpm.user)
    find_group(mpm.group)
    if document_roots:
        _warn_of_document_roots(loaded, messages)
    _check_error_logs(loaded)


def _warn_of_document_roots(loaded: Loaded, messages: Messages) -> None:
    said = loaded.main.config(CoreServer).document_root
    for server in loaded.servers:
        folder = server.config(CoreServer).document_root
        if folder != said and not os.path.isdir(folder):
            messages.say(f"AH00112: Warning: DocumentRoot [{folder}] does not exist")


def _check_error_logs(loaded: Loaded) -> None:
    main = loaded.main.config(CoreServer).error_log
    _check_folder(loaded, main, "main error log")
    for server in loaded.servers:
        target = server.config(CoreServer).error_log
        if target != main:
            _check_folder(loaded, target, f"error log of vhost defined at {_place(server)}")


def _place(server: Server) -> str:
    return f"{server.location.file}:{server.location.line}" if server.location is not None else "?"


def _check_folder(loaded: Loaded, target: str, what: str) -> None:
    if target.startswith("|") or target.split(":")[0] == "syslog":
        return
    folder = os.path.dirname(os.path.join(loaded.server_root, target))
    reason = ""
    try:
        if stat.S_ISDIR(os.stat(folder).st_mode):
            return
    except OSError as error:
        reason = f"({error.errno}){error.strerror}: "
    raise StartRefused(f"{reason}AH02291: Cannot access directory '{folder}/' for {what}\n{CONFIGURATION_FAILED}")


def find_machine_name(messages: Messages) -> str:
    """The name that stands in for `ServerName`: the machine's full name, else an address, with a warning."""
    found = _full_name()
    if "." in found and not found.replace(".", "").isdigit():
        return found
    messages.say(
        "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, "
        f"using {found}. Set the 'ServerName' directive globally to suppress this message"
    )
    return found


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
