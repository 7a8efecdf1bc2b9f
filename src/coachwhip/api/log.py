"""Error logging as modules see it: a `ModuleLog` per module, with httpd's levels and message numbers.

`LOG = MODULE.log; LOG.error(r, "AH00037", "Symbolic link not allowed: %s", path)`. The first argument says whose log it is: a
`Request`, `Server` or `Connection`; it decides the file, the level in force and the line's prefix.
Message numbers: httpd's own for the same condition, none ("") where httpd has none.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

__all__ = ["Level", "LogScope", "ModuleLog"]


class Level(IntEnum):
    """httpd's severities; syslog's numbers, then eight of tracing."""

    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERROR = 3
    WARN = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7
    TRACE1 = 8
    TRACE2 = 9
    TRACE3 = 10
    TRACE4 = 11
    TRACE5 = 12
    TRACE6 = 13
    TRACE7 = 14
    TRACE8 = 15


class LogScope(Protocol):
    """Whatever has an error log: a request, a connection, a server."""

    def log_level(self, module: str) -> int:
        """The level in force for a module, by its short name ("core", "authz_core")."""

    def log_line(self, level: int, module: str, log_id: str, message: str) -> None:
        """Write one line; called only if the level allows it."""


class ModuleLog:
    """One module's voice in the error log."""

    __slots__ = ("module",)

    def __init__(self, module: str) -> None:
        #: Short name, as `LogLevel` takes it: "authz_core" of "authz_core_module".
        self.module = module

    def at(self, level: int, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """Write `message % args` if `level` is on for this module in `scope`."""
        if scope.log_level(self.module) >= level:
            scope.log_line(level, self.module, log_id, message % args if args else message)

    def emerg(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """The server cannot go on."""
        self.at(Level.EMERG, scope, log_id, message, *args)

    def alert(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """Something must be done at once."""
        self.at(Level.ALERT, scope, log_id, message, *args)

    def crit(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """A critical condition."""
        self.at(Level.CRIT, scope, log_id, message, *args)

    def error(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """A request or a start failed."""
        self.at(Level.ERROR, scope, log_id, message, *args)

    def warn(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """Something is probably wrong."""
        self.at(Level.WARN, scope, log_id, message, *args)

    def notice(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """Normal, but worth a line."""
        self.at(Level.NOTICE, scope, log_id, message, *args)

    def info(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """For those who want to know."""
        self.at(Level.INFO, scope, log_id, message, *args)

    def debug(self, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """For those who look for a fault."""
        self.at(Level.DEBUG, scope, log_id, message, *args)

    def trace(self, n: int, scope: LogScope, log_id: str, message: str, *args: object) -> None:
        """Level trace1 to trace8."""
        self.at(Level.DEBUG + n, scope, log_id, message, *args)
