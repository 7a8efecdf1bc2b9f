"""Error logs: where a server's messages go, and the line they become.

Each server has an `ErrorLog`; those that name the same target share it. Sits between `api.log.ModuleLog`, which decides by level, and
a target. Source: Apache manual, "Apache Core Features" (`ErrorLog`, `ErrorLogFormat`), "Log Files".
"""

from __future__ import annotations

import os
import time
from typing import Any

from coachwhip.api.core import CoreServer
from coachwhip.api.log import Level
from coachwhip.api.server import Connection, Startup
from coachwhip.logs.targets import LogRoom
from coachwhip.util.dates import ctime

__all__ = ["open_error_logs"]


class FileSink:
    """Implements `api.server.ErrorSink` on a descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(
        self, level: int, module: str, log_id: str, message: str, *, connection: Connection | None, request: Any
    ) -> None:
        """Format and write one line. Never raises."""
        now = time.time()
        stamp = time.strftime("%a %b %d %H:%M:%S", time.localtime(now)) + f".{int(now % 1 * 1e6):06d} " + time.strftime("%Y")
        client = f"[client {connection.client_ip}:{connection.client_port}] " if connection is not None else ""
        number = f"{log_id}: " if log_id else ""
        text = f"[{stamp}] [{module}:{Level(level).name.lower()}] [pid {os.getpid()}] {client}{number}{message}"
        try:
            os.write(self._fd, text.encode("utf-8", "surrogateescape").replace(b"\n", b"\\n") + b"\n")
        except OSError:
            return


def open_error_logs(startup: Startup) -> None:
    """Open the `ErrorLog` of every server.

    Raises:
        OSError: one cannot be opened.
    """
    startup.logs = LogRoom(startup.server_root)
    sinks: dict[str, FileSink] = {}
    for server in [startup.main, *startup.servers]:
        name = server.config(CoreServer).error_log
        if name not in sinks:
            path = os.path.join(startup.server_root, name)
            sinks[name] = FileSink(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644))
        server.errors = sinks[name]
