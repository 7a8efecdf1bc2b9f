"""The records above a request: a virtual host (`Server`), a connection, and the start of the whole (`Startup`)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from coachwhip.api.core import CoreDir, CoreServer
from coachwhip.util.notes import note_for, notes_of

if TYPE_CHECKING:
    from coachwhip.api.directives import Location
    from coachwhip.api.filters import RegisteredFilter
    from coachwhip.api.log import Logs
    from coachwhip.api.module import Module
    from coachwhip.api.mpm import ServerMpm
    from coachwhip.api.providers import Providers

__all__ = ["Connection", "ErrorSink", "Server", "Settings", "Startup"]

C = TypeVar("C")


class Settings(Protocol):
    """Folded settings: one frozen record per settings class."""

    #: What was worked out from these settings alone, by whom they were asked; kept as long as they are.
    derived: dict[Any, Any]
    #: The sections that stand inside of those that were folded (config.Inner); the walks read them.
    inner: Any

    @property
    def core(self) -> CoreDir:
        """`get(CoreDir)`."""

    def get(self, config: type[C], /) -> C:
        """The record of this class; its defaults if no section sets anything."""

    def sources(self, config: type[Any], field: str) -> tuple[Location, ...]:
        """The lines that made this field what it is, outermost first."""


class ErrorSink(Protocol):
    """Where error-log lines of a server go; made by `logs/`."""

    #: Lower-case names of the request fields that lines take.
    field_names: frozenset[str]

    def write(
        self, level: int, module: str, log_id: str, message: str, *, connection: Connection | None, request: Any, error: str = ""
    ) -> None:
        """Format and write one line; `error` is what the system said. Never raises."""


class Server:
    """The main server, or one `<VirtualHost>`."""

    __slots__ = ("addresses", "core", "errors", "is_virtual", "location", "machine_name", "sections", "settings", "state")

    def __init__(self, settings: Settings, *, is_virtual: bool, location: Location | None) -> None:
        self.settings = settings
        #: `config(CoreServer)`, kept at hand: asked for a dozen times in every request.
        self.core = self.config(CoreServer)
        self.is_virtual = is_virtual
        #: Where it was defined.
        self.location = location
        #: (host or None for `*`, port or None for `*`) that a `<VirtualHost>` names.
        self.addresses: tuple[tuple[str | None, int | None], ...] = ()
        self.errors: ErrorSink | None = None
        #: The sections that apply to requests of this server (config.ServerSections); the walks read them.
        self.sections: Any = None
        #: What modules keep per server after the configuration was read, by module source name.
        self.state: dict[str, Any] = {}
        #: Stands in where no `ServerName` holds.
        self.machine_name: str | None = None

    def config(self, config: type[C]) -> C:
        """This server's settings of one module."""
        return self.settings.get(config)

    @property
    def name(self) -> str:
        """`ServerName`'s host, or the machine's name found at the start."""
        return self.core.server_name or self.machine_name or "localhost"

    def log_level(self, module: str) -> int:
        """The level in force for a module at server level; Apache's default is `warn`."""
        levels = self.core.log_levels
        return levels.get(module, levels.get("", 4))

    def log_line(self, level: int, module: str, log_id: str, message: str, error: str = "") -> None:
        """Write to this server's error log."""
        if self.errors is not None:
            self.errors.write(level, module, log_id, message, connection=None, request=None, error=error)


class Connection:
    """One client connection. Hooks see its facts through the `Request`, where looking is recorded."""

    __slots__ = (
        "_notes",
        "aborted",
        "base_server",
        "bytes_in",
        "bytes_out",
        "client_ip",
        "client_port",
        "errors",
        "id",
        "is_tls",
        "keepalives",
        "local_ip",
        "local_port",
        "server",
        "shape",
        "timeouts",
    )

    def __init__(
        self, server: Server, client: tuple[str, int], local: tuple[str, int], *, id: int, is_tls: bool = False
    ) -> None:
        #: The server chosen by address; a request's `Host` may choose another one of the same address.
        self.base_server = server
        self.server = server
        self.client_ip, self.client_port = client
        self.local_ip, self.local_port = local
        self.id = id
        self.is_tls = is_tls
        #: Requests answered on this connection before the one at hand.
        self.keepalives = 0
        self.aborted = False
        self.bytes_in = 0
        self.bytes_out = 0
        self._notes: dict[str, Any] | None = None
        #: Limits that `mod_reqtimeout` sets for this connection (see connection/).
        self.timeouts: Any = None
        #: What the latest request's head looked like (see connection/).
        self.shape: Any = None

    @property
    def notes(self) -> dict[str, Any]:
        """What modules keep for this connection; most connections have none."""
        if self._notes is None:
            self._notes = {}
        return self._notes

    def log_level(self, module: str) -> int:
        """As the server's."""
        return self.server.log_level(module)

    def log_line(self, level: int, module: str, log_id: str, message: str, error: str = "") -> None:
        """Write to the server's error log, with the client in the prefix."""
        if self.server.errors is not None:
            self.server.errors.write(level, module, log_id, message, connection=self, request=None, error=error)


@dataclass(slots=True)
class Startup:
    """A configured server before it serves: what the startup phases look at and change."""

    server_root: str
    main: Server
    servers: list[Server]
    modules: list[Module]
    providers: Providers
    filters: dict[str, RegisteredFilter]
    defines: dict[str, str]
    #: Adds to the `Server` header and `ServerTokens` (ap_add_version_component).
    version_components: list[str] = field(default_factory=list)
    #: `DefaultRuntimeDir`, absolute; "" where it is not set.
    runtime_dir: str = ""
    #: The open logs; made before the phase `open_logs`.
    logs: Logs = field(init=False)
    #: Counters of the workers (`mod_status` and the log read them); made by `mpm/`.
    scoreboard: Any = None
    #: The tree of the configuration that was read, for `mod_info` and the dumps.
    tree: Any = None
    #: `-D` names, and the options `-T`, `-S` and their kin.
    options: dict[str, Any] = field(default_factory=dict)
    #: The numbers of the process model, as the MPM's check corrected them.
    mpm: ServerMpm | None = None
    #: Why a phase refuses the start, and what it only warns of; whole lines, with Apache's number in front.
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: Where what was refused is asked for.
    notes: list[str] = field(default_factory=list)

    def refuse(self, error: Exception | str, places: Iterable[Location] = ()) -> None:
        """Take an error, with its notes, for a reason to refuse the start; `places` are the lines that ask for what cannot be."""
        self.errors.append(str(error))
        if isinstance(error, Exception):
            self.notes += notes_of(error)
        self.notes += map(note_for, places)

    def runtime_path(self, path: str) -> str:
        """`path` against `DefaultRuntimeDir`, or ServerRoot where that is not set."""
        return os.path.join(self.server_root, self.runtime_dir, path)

    def check_folder(self, path: str) -> None:
        """Look for a folder that the configuration names.

        Raises:
            OSError: it is not there, is none, or may not be reached.
        """
        os.stat(os.path.join(self.server_root, path, ""))

    def read_file(self, path: str) -> bytes:
        """The content of a file that the configuration names; modules have no other way to a file before a request.

        Raises:
            OSError: it cannot be read.
        """
        with open(path, "rb") as opened:
            return opened.read()
