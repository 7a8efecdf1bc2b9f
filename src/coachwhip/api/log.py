"""Error logging as modules see it: a `ModuleLog` per module, with httpd's levels and message numbers.

`LOG = MODULE.log; LOG.error(r, "AH00037", "Symbolic link not allowed: %s", path)`. The first argument says whose log it is: a
`Request`, `Server` or `Connection`; it decides the file, the level in force and the line's prefix.
Message numbers: httpd's own for the same condition, none ("") where httpd has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Protocol

from coachwhip.api.server import Server

if TYPE_CHECKING:
    from coachwhip.api.request import Request

__all__ = ["Level", "LogCode", "LogScope", "LogTarget", "LogTargetError", "Logs", "ModuleLog", "reason_text"]


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


#: As a plain name, see `outcome.py`: what is written at this level and above is asked for in every request, and hardly ever wanted.
_DEBUG = Level.DEBUG


class LogScope(Protocol):
    """Whatever has an error log: a request, a connection, a server."""

    def log_level(self, module: str) -> int:
        """The level in force for a module, by its short name ("core", "authz_core")."""

    def log_line(self, level: int, module: str, log_id: str, message: str, error: str = "") -> None:
        """Write one line; called only if the level allows it. `error`: what the system said, as `%E` prints it."""


class ModuleLog:
    """One module's voice in the error log."""

    __slots__ = ("module",)

    def __init__(self, module: str) -> None:
        #: Short name, as `LogLevel` takes it: "authz_core" of "authz_core_module".
        self.module = module

    def is_on(self, level: int, scope: LogScope) -> bool:
        """Whether lines of `level` are written for this module in `scope`; to be asked before a costly one is made."""
        return scope.log_level(self.module) >= level

    def at(self, level: int, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """Write `message % args` if `level` is on for this module in `scope`.

        `error`: why, if the system said so; Apache writes it before everything else, as "(2)No such file or directory".
        """
        if scope.log_level(self.module) >= level:
            self._say(level, scope, log_id, message % args if args else message, error)

    def _say(self, level: int, scope: LogScope, log_id: str, text: str, error: OSError | None) -> None:
        if error is None:
            scope.log_line(level, self.module, log_id, text)
        else:
            scope.log_line(level, self.module, log_id, text, reason_text(error))

    def emerg(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """The server cannot go on."""
        self.at(Level.EMERG, scope, log_id, message, *args, error=error)

    def alert(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """Something must be done at once."""
        self.at(Level.ALERT, scope, log_id, message, *args, error=error)

    def crit(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """A critical condition."""
        self.at(Level.CRIT, scope, log_id, message, *args, error=error)

    def error(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """A request or a start failed."""
        self.at(Level.ERROR, scope, log_id, message, *args, error=error)

    def warn(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """Something is probably wrong."""
        self.at(Level.WARN, scope, log_id, message, *args, error=error)

    def notice(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """Normal, but worth a line. About a server it is written whatever `LogLevel` says, as Apache does; not to syslog."""
        if isinstance(scope, Server):
            self._say(Level.NOTICE, scope, log_id, message % args if args else message, error)
        else:
            self.at(Level.NOTICE, scope, log_id, message, *args, error=error)

    def info(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """For those who want to know."""
        self.at(Level.INFO, scope, log_id, message, *args, error=error)

    def debug(self, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """For those who look for a fault."""
        self.at(_DEBUG, scope, log_id, message, *args, error=error)

    def trace(self, n: int, scope: LogScope, log_id: str, message: str, *args: object, error: OSError | None = None) -> None:
        """Level trace1 to trace8."""
        self.at(_DEBUG + n, scope, log_id, message, *args, error=error)


def reason_text(error: OSError) -> str:
    """An error of the system as Apache prints it: number and sentence."""
    return f"({error.errno or 0}){error.strerror or error}"


class LogTargetError(Exception):
    """A log cannot be opened, or its program cannot be started; the text says which and why."""


class LogTarget(Protocol):
    """Where the lines of a log go."""

    def write(self, line: bytes) -> None:
        """Hand over one line, its end included; what comes in a turn of the loop is written together. Never raises and never waits."""

    def write_all(self, lines: list[bytes]) -> None:
        """Hand over the lines of a whole turn, to be written now. The list stays the caller's. Never raises and never waits."""


class Logs(Protocol):
    """The log files and programs of one generation of the server (in `logs/`), as modules reach them."""

    def open(self, target: str, *, buffered: bool = False, at_once: bool = False) -> LogTarget:
        """A file (relative to ServerRoot), or `|program`. Only in the phase `open_logs`.

        `buffered`: lines are kept until there are some kilobytes of them; `at_once`: each is written before `write` returns.

        Raises:
            LogTargetError: it cannot be opened or started.
        """

    def attach(
        self, soon: Callable[[Callable[[], None]], object], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        """A worker's loop serves from now on: its `call_soon` and `call_later`. The lines of a turn are written together."""

    def detach(self) -> None:
        """The loop is gone; write what it kept."""

    def flush(self) -> None:
        """Write what is kept back."""

    def close(self) -> None:
        """Write what is kept back and give every descriptor back."""

    @property
    def lost(self) -> int:
        """Lines of this process that no file, program or logger took."""

    def process_id(self) -> int:
        """The process that asks."""

    def thread_id(self) -> int:
        """The thread that asks, by the system's number."""

    def now(self) -> float:
        """Wall clock in seconds; nothing that is read for a log line makes an answer volatile."""


class LogKind(Enum):
    """What the text of an item depends on, from one replay of an answer to the next."""

    #: Nothing: it is the same for every replay.
    SAME = "same"
    CLIENT = "client"
    #: The second, in the shape of `%t`.
    SECOND = "second"
    #: The number of bytes that went out, head included.
    SENT = "sent"
    #: The request field that the argument names.
    FIELD = "field"
    #: More than that: the reader has to be asked each time.
    READ = "read"


@dataclass(frozen=True, slots=True)
class LogCode:
    """One `%` code of the access log; a module offers its own as provider ("log_item", CODE).

    `make` gets the text between the braces ("" without) and answers the reader; a reader answers "-" for nothing.
    """

    make: Callable[[str], Callable[[Request], str]]
    #: Reads the client's own request and not the one it was redirected to, unless `<` or `>` says otherwise.
    original: bool = False
    #: Given the text between the braces, what may change when the same answer is given again.
    kind: Callable[[str], LogKind] = lambda argument: LogKind.SAME
    #: The request field that a reader of kind READ reads, if there is one.
    field: str = ""


@dataclass(frozen=True, slots=True)
class LogGaps:
    """What is filled into a log line for every replay. Gaps go by their number, from 0 in the order of the line."""

    #: Gaps for the client's address, for the second as `%t` has it, and for the number of bytes that went out.
    clients: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    sents: tuple[int, ...] = ()
    #: Gaps for request fields, with their lower-case names.
    fields: tuple[tuple[int, str], ...] = ()
    #: Gaps that a reader has to fill, and whether it asks the client's own request.
    readers: tuple[tuple[int, Callable[[Request], str], bool], ...] = field(default=(), hash=False)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.clients) + len(self.seconds) + len(self.sents) + len(self.fields) + len(self.readers)


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """A log line of a kept answer, which may have gaps."""

    target: LogTarget
    #: The line as `bytes` formats it: `%b` for each gap, `%%` for a percent sign.
    form: bytes
    gaps: LogGaps = LogGaps()
    #: Names of the request fields that this takes.
    field_names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LogPlan:
    """How the replays of one kept answer are logged; made by the provider ("log_plan", MODULE)."""

    lines: tuple[LogTemplate, ...]
    #: Whether a line takes anything that only a reader knows.
    has_readers: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_readers", any(line.gaps.readers for line in self.lines))

    @property
    def field_names(self) -> frozenset[str]:
        """Names of the request fields that the lines take."""
        return frozenset(name for line in self.lines for name in line.field_names)
