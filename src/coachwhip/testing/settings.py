"""Settings of one module from configuration lines: for tests of a module's pure parts, without files, walks or a server.

Lines are read through the module's own table and folded as for a request. Each text is one section, outermost first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coachwhip.api.directives import Join, Location, Repeat, Where
from coachwhip.api.filters import RegisteredFilter
from coachwhip.api.module import Module
from coachwhip.api.providers import Providers
from coachwhip.config.folding import Folded
from coachwhip.config.loading import Modules
from coachwhip.config.sections import Section, SectionKind
from coachwhip.config.shapes import arguments
from coachwhip.util.words import cut_words

__all__ = ["TableContext", "settings"]

C = TypeVar("C")


@dataclass(slots=True, eq=False)
class TableContext:
    """What a directive may ask while it is read, over a bare section; implements `api.DirectiveContext`."""

    section: Section
    path: str | None = None
    at_server_level: bool = False
    in_virtual_host: bool = False
    in_htaccess: bool = False
    path_is_regex: bool = False
    directive: str = ""
    limit: frozenset[str] | None = None
    limit_except: frozenset[str] | None = None
    override: Where = Where.ALL
    providers: Providers = field(default_factory=Providers)
    defines: Mapping[str, str] = field(default_factory=dict)
    location: Location = Location("test.conf", 1)
    warnings: list[str] = field(default_factory=list)
    stack: list[Any] = field(default_factory=list)
    filters: Mapping[str, RegisteredFilter] = field(default_factory=dict)

    def server_path(self, path: str) -> str:
        """`path` below an imagined ServerRoot."""
        return path if path.startswith("/") else f"/server/{path}"

    def value_of(self, config: type[Any], field: str) -> Any:
        """See `api.DirectiveContext`."""
        return self.section.get(config, field)

    def set(self, config: type[Any], field: str, value: Any) -> None:
        """See `api.DirectiveContext`."""
        self.section.set(config, field, value, self.location)

    def add(self, config: type[Any], field: str, said: Any, repeat: Repeat | Join = Repeat.APPEND) -> None:
        """See `api.DirectiveContext`."""
        self.section.set(config, field, said, self.location, repeat)

    def read_section(self) -> None:
        """Containers are not read here."""
        raise NotImplementedError

    def section_lines(self) -> list[tuple[str, str, Location]]:
        """Containers are not read here."""
        raise NotImplementedError

    def find_filter(self, name: str) -> RegisteredFilter | None:
        """One of `filters`."""
        return self.filters.get(name.lower())

    def words(self, raw: str) -> list[str]:
        """`raw` cut into words."""
        return list(cut_words(raw))

    def warn(self, message: str, log_id: str = "") -> None:
        """Kept in `warnings`."""
        self.warnings.append(message)

    def has_module(self, name: str) -> bool:
        """Every module is loaded."""
        return True

    def read(self, module: Module, line: str) -> None:
        """Read one line through the module's table; raises DirectiveError as the row does."""
        name, _, raw = line.partition(" ")
        row = next(row for row in module.directives if row.name.lower() == name.lower())
        self.directive = row.name
        words = arguments(row, raw.strip(" "))
        made: Any = row.value(self, *words) if row.value else (words[0] if len(words) == 1 else words)
        if row.sets is not None:
            config = module.config_of(row.sets)
            self.section.set(config, row.sets, made, self.location, row.repeat)


def settings(
    module: Module, config: type[C], *sections: str, path: str | None = None, loaded: Iterable[Module] = ()
) -> C:
    """The folded settings record after `sections`.

    `path` is the folder that they are for, None for server level; filters of the `loaded` modules can be named.
    """
    known = Modules()
    for other in loaded:
        known.add(other)
    made = []
    for text in sections:
        kind = SectionKind.SERVER if path is None else SectionKind.DIRECTORY
        section = Section(kind, path or "", Location("test.conf", 1))
        context = TableContext(section, path, at_server_level=path is None, filters=known.filters)
        for line in text.split("\n"):
            if line.strip(" "):
                context.read(module, line.strip(" "))
        made.append(section)
    return Folded(tuple(made)).get(config)
