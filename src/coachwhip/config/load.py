"""From options to a checked configuration: `load` reads, evaluates, and makes the servers.

The one place that knows the order: command line before, the file, command line after; first all lines are read, then all are
evaluated; last the sections of the main server and of each virtual host are put together. Folding comes later, per request.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coachwhip.api.core import CoreServer
from coachwhip.api.directives import Location
from coachwhip.api.filters import RegisteredFilter
from coachwhip.api.module import Module
from coachwhip.api.providers import Providers
from coachwhip.api.server import Server
from coachwhip.config import known
from coachwhip.config.actions import ACTIONS
from coachwhip.config.addresses import Address, Unresolved, parse_addresses
from coachwhip.config.containers import container_readers
from coachwhip.config.context import Context, Scope
from coachwhip.config.errors import ConfigError, ConfigWarning
from coachwhip.config.evaluation import Walker
from coachwhip.config.filling import Filler
from coachwhip.config.folding import Folded
from coachwhip.config.loading import Modules
from coachwhip.config.reading import SERVER_OVERRIDE, Inclusion, Reader, Reading, command_line
from coachwhip.config.sections import Section, SectionKind, ServerSections
from coachwhip.config.tree import File, Node

__all__ = ["LoadOptions", "Loaded", "by_components", "load", "load_into"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What is read, and with what."""

    server_root: str
    #: Absolute, or against `server_root`.
    config_file: str
    #: Names of `-D`.
    defines: Iterable[str] = ()
    #: `-C` lines, read before the file, and `-c` lines, read after it.
    before: Iterable[str] = ()
    after: Iterable[str] = ()
    #: For `${NAME}`.
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    #: Files in memory: absolute path → content. They hide files on disk.
    texts: Mapping[str, bytes] = field(default_factory=dict)
    #: False for `-T`: document roots need not exist.
    check_document_root: bool = True
    #: Settings classes → fields that hold before the first line is read (defaults of the place we run in).
    preset: Mapping[type[object], Mapping[str, object]] = field(default_factory=dict)


@dataclass(slots=True)
class Loaded:
    """A configuration that was read without an error."""

    server_root: str
    config_file: str
    #: The main server, and the virtual hosts in order of appearance.
    main: Server
    servers: list[Server]
    #: In load order, the built-in ones first.
    modules: list[Module]
    providers: Providers
    #: By lower-case name.
    filters: dict[str, RegisteredFilter]
    #: "event", "worker" or "prefork"; None if no MPM was loaded, which Apache refuses (AH00534).
    mpm: str | None
    #: What was read: the nodes that count, the lossless trees of all files in reading order, and who included whom.
    tree: list[Node]
    files: list[File]
    includes: list[Inclusion]
    #: `-D` and `Define`d names with their values, "" for those without.
    defines: dict[str, str]
    runtime_dir: str
    warnings: list[ConfigWarning]
    #: Kept for reading `.htaccess` files later.
    reading: Reading


def load(options: LoadOptions) -> Loaded:
    """Read a configuration.

    Raises:
        ConfigError: the first thing that is wrong, with its file and line.
    """
    return load_into(_start(options), options)


def load_into(state: Reading, options: LoadOptions) -> Loaded:
    """As `load`, with what `state` knows already (modules that were loaded before)."""
    try:
        return _load(options, state)
    except ConfigError as error:
        error.warnings = tuple(state.warnings)
        raise
    except RecursionError:
        raise ConfigError("Sections are nested too deeply") from None


def _load(options: LoadOptions, state: Reading) -> Loaded:
    nodes = _read(options, state)
    # A worker that reads `.htaccess` files later may not be able to open these any more.
    known.load_tables()
    hosts = _Hosts(state)
    main = _main_section(options)
    scope = Scope(main, main, SERVER_OVERRIDE)
    Walker(state, container_readers(hosts.add)).walk(nodes, scope)
    return Loaded(
        server_root=state.server_root,
        config_file=state.absolute(options.config_file),
        main=_server(main, scope),
        servers=[hosts.server(main, scope, host) for host in hosts.found],
        modules=state.modules.order,
        providers=state.modules.providers,
        filters=state.modules.filters,
        mpm=_mpm(state.modules.order),
        tree=nodes,
        files=state.files,
        includes=state.inclusions,
        defines={name: state.fill.values.get(name.lower(), "") for name in state.defined},
        runtime_dir=state.runtime_dir,
        warnings=state.warnings,
        reading=state,
    )


def _mpm(modules: list[Module]) -> str | None:
    found = [module.identifier for module in modules if module.identifier.startswith("mpm_")]
    if len(found) > 1:
        raise ConfigError("Configuration error: More than one MPM loaded.", log_id="AH00534")
    return found[0].removeprefix("mpm_").removesuffix("_module") if found else None


def _start(options: LoadOptions) -> Reading:
    state: Reading

    def undefined(name: str) -> None:
        state.warn(f"Config variable ${{{name}}} is not defined", "AH00111")

    state = Reading(Modules(), Filler(options.environment, undefined), options.server_root, texts=options.texts)
    state.check_document_root = options.check_document_root
    state.defined = dict.fromkeys(options.defines)
    return state


def _read(options: LoadOptions, state: Reading) -> list[Node]:
    reader = Reader(state, ACTIONS)
    nodes = _read_command_line(reader, options.before)
    path = state.absolute(options.config_file)
    try:
        source = state.load_file(path, None, 0)
    except OSError as error:
        raise ConfigError(f"Could not open configuration file {path}: {error.strerror}") from error
    nodes += reader.read(source)
    return nodes + _read_command_line(reader, options.after)


def _read_command_line(reader: Reader, lines: Iterable[str]) -> list[Node]:
    return reader.read(command_line(lines))


def _main_section(options: LoadOptions) -> Section:
    main = Section(SectionKind.SERVER, "", Location(options.config_file, 0))
    for config, fields in options.preset.items():
        for name, value in fields.items():
            main.set(config, name, value, main.location)
    return main


def _server(main: Section, scope: Scope) -> Server:
    server = Server(Folded((main,)), is_virtual=False, location=None)
    server.sections = ServerSections((main,), by_components(scope.directories), list(scope.locations))
    return server


@dataclass(slots=True)
class _Host:
    section: Section
    scope: Scope
    addresses: list[Address]


class _Hosts:
    """The virtual hosts found."""

    def __init__(self, state: Reading) -> None:
        self.found: list[_Host] = []
        self._state = state

    def add(self, context: Context, section: Section) -> Scope:
        """A new virtual host; answers the scope of its lines."""
        addresses: list[Address] = []
        for word in context.words(section.pattern):
            try:
                addresses += parse_addresses(word)
            except Unresolved:
                context.warn(f"Could not resolve host name {word} -- ignoring!", "AH00547")
        # What must not be inherited from the main server.
        for name, value in (("aliases", ()), ("wild_aliases", ()), ("server_path", None), ("location", context.location)):
            section.set(CoreServer, name, value, context.location)
        scope = Scope(section, section, SERVER_OVERRIDE, in_virtual_host=True)
        self.found.append(_Host(section, scope, addresses))
        return scope

    def server(self, main: Section, outer: Scope, host: _Host) -> Server:
        """The server record of a virtual host."""
        server = Server(Folded((main, host.section)), is_virtual=True, location=host.section.location)
        server.addresses = tuple(host.addresses)
        directories = by_components([*outer.directories, *host.scope.directories])
        server.sections = ServerSections((main, host.section), directories, [*outer.locations, *host.scope.locations])
        return server


def by_components(directories: Iterable[Section]) -> list[Section]:
    """`<Directory>` sections in merge order: the shortest path first, regular expressions last, else as they stand."""
    return sorted(directories, key=_components)


def _components(section: Section) -> tuple[bool, int]:
    if section.regex is not None:
        return True, 0
    return False, 0 if section.pattern == "/" else section.pattern.count("/")
