"""`.htaccess`: one file becomes one section, by the rules that `AllowOverride` and `AllowOverrideList` set for its folder.

The same reader and walker as for the server's files, with less allowed: nothing that belongs to a server, nothing of an override
class that was not granted. A file is read from bytes that the request's file window gave; this room opens nothing for it.
Source: Apache manual, `AllowOverride`, `AllowOverrideList`, "Apache HTTP Server Tutorial: .htaccess files".
"""

from __future__ import annotations

from collections.abc import Callable

from coachwhip.api.core import Override
from coachwhip.api.directives import Location
from coachwhip.config.actions import ACTIONS
from coachwhip.config.containers import container_readers
from coachwhip.config.context import Context, Scope
from coachwhip.config.errors import ConfigError, ConfigWarning
from coachwhip.config.evaluation import Walker
from coachwhip.config.filling import HTACCESS_ROOM, Filler, Room
from coachwhip.config.load import Loaded
from coachwhip.config.reading import Reader, Reading, Source
from coachwhip.config.sections import Section, SectionKind
from coachwhip.config.tree import parse_file

__all__ = ["read_htaccess"]


def read_htaccess(
    data: bytes,
    path: str,
    directory: str,
    override: Override,
    override_list: frozenset[str],
    loaded: Loaded,
    warn: Callable[[ConfigWarning], None] | None = None,
) -> Section:
    """The section that a `.htaccess` file at `path` in `directory` (with a slash at the end) makes.

    `warn` gets what Apache would log as a warning (with `Nonfatal` also what would else be an error).

    Raises:
        ConfigError: its `message` alone is what Apache logs behind the path; the request ends with 500.
    """
    section = Section(SectionKind.HTACCESS, directory, Location(path, 0))
    state = _state(loaded)
    scope = Scope(
        section,
        section,
        override.classes,
        override_list=override_list,
        nonfatal=override.nonfatal,
        override_options=override.options,
        in_htaccess=True,
        path=directory,
    )
    try:
        reader = Reader(state, ACTIONS, override.classes, override_list, override.nonfatal)
        nodes = reader.read(Source.of(parse_file(data, path)))
        Walker(state, container_readers(_no_virtual_host)).walk(nodes, scope)
    except RecursionError:
        raise ConfigError("Sections are nested too deeply", section.location) from None
    finally:
        if warn is not None:
            for warning in state.warnings:
                warn(warning)
    return section


def _state(loaded: Loaded) -> Reading:
    """A reading of its own that sees the server's modules and names, and leaves no trace in the server's."""
    server = loaded.reading
    state: Reading

    def undefined(name: str) -> None:
        state.warn(f"Config variable ${{{name}}} is not defined", "AH00111")

    fill = Filler(server.fill.environment, undefined, Room(HTACCESS_ROOM))
    fill.values = dict(server.fill.values)
    state = Reading(server.modules, fill, server.server_root, dict(server.defined), server.runtime_dir)
    state.macros = None if server.macros is None else dict(server.macros)
    return state


def _no_virtual_host(context: Context, section: Section) -> Scope:
    raise ConfigError("<VirtualHost> not allowed here", context.location, "AH00526")
