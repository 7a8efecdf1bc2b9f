"""Sections: what `<Directory>`, `<Files>`, `<Location>`, `<If>`, a virtual host or a `.htaccess` says, sparsely.

A `Section` holds only the fields that its lines set. `ServerSections` holds, for one virtual host, the sections in the order in
which the walks of `request/` visit them. Folding is in `folding.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from coachwhip.api.directives import Join, Location, Repeat

if TYPE_CHECKING:
    from coachwhip.expr import Expression
    from coachwhip.util.patterns import Pattern

__all__ = ["Section", "SectionKind", "ServerSections"]


class SectionKind(Enum):
    """What opened the section. The value is the directive's name."""

    SERVER = ""
    VIRTUAL_HOST = "VirtualHost"
    DIRECTORY = "Directory"
    DIRECTORY_MATCH = "DirectoryMatch"
    FILES = "Files"
    FILES_MATCH = "FilesMatch"
    LOCATION = "Location"
    LOCATION_MATCH = "LocationMatch"
    IF = "If"
    ELSE_IF = "ElseIf"
    ELSE = "Else"
    HTACCESS = ".htaccess"
    #: Lines that a module keeps for itself (`<AuthnProviderAlias>`).
    APART = "(apart)"


@dataclass(slots=True, eq=False)
class Section:
    """One section; identity is its key in the folding cache."""

    kind: SectionKind
    #: Path, URL, file name or expression as written; `~` removed. A `<Directory>` path is absolute, normalised, and ends in "/".
    pattern: str
    location: Location
    #: For the regular-expression forms.
    regex: Pattern | None = None
    #: The pattern has `*`, `?` or `[`.
    is_glob: bool = False
    #: For `<If>` and `<ElseIf>`.
    condition: Expression | None = None
    #: (settings class, field) → the lines that set it.
    sources: dict[tuple[type[Any], str], list[Location]] = field(default_factory=dict)
    #: `<Files>` and `<If>` sections standing directly in this one, in order.
    files: list[Section] = field(default_factory=list)
    ifs: list[Section] = field(default_factory=list)
    _values: dict[type[Any], dict[str, Any]] = field(default_factory=dict)
    #: What was added to a field since it was last looked at: thousands of lines are put together once.
    _added: dict[tuple[type[Any], str], tuple[Join, list[Any]]] = field(default_factory=dict)

    @property
    def values(self) -> dict[type[Any], dict[str, Any]]:
        """Settings class → field → value."""
        for key in tuple(self._added):
            self._settle(*key)
        return self._values

    def set(
        self, config: type[Any], name: str, value: Any, source: Location, repeat: Repeat | Join = Repeat.REPLACE
    ) -> None:
        """Set a field, combined with an earlier line of this section as `repeat` says."""
        key = (config, name)
        if repeat is Repeat.REPLACE:
            self._added.pop(key, None)
            self._values.setdefault(config, {})[name] = value
            self.sources[key] = [source]
            return
        if key not in self._added:
            fields = self._values.setdefault(config, {})
            join = _JOINS[repeat] if isinstance(repeat, Repeat) else repeat
            self._added[key] = (join, [fields[name]] if name in fields else [])
        self._added[key][1].append(value)
        self.sources.setdefault(key, []).append(source)

    def get(self, config: type[Any], name: str) -> Any:
        """What this section has set so far, or None."""
        self._settle(config, name)
        return self._values.get(config, {}).get(name)

    def _settle(self, config: type[Any], name: str) -> None:
        added = self._added.pop((config, name), None)
        if added is not None:
            join, parts = added
            self._values[config][name] = join(parts)

    def __str__(self) -> str:
        return f"<{self.kind.value} {self.pattern}>" if self.pattern else self.kind.value or "server"


class _Laid(dict[Any, Any]):
    """Mappings laid over each other. Made here, so it may be gone on with, however often it is looked at in between."""


def _append(parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(itertools.chain.from_iterable(parts))


def _update(parts: Sequence[Mapping[Any, Any]]) -> Mapping[Any, Any]:
    first, *rest = parts
    laid = first if isinstance(first, _Laid) else _Laid(first)
    for part in rest:
        laid.update(part)
    return laid


_JOINS: dict[Repeat, Join] = {Repeat.APPEND: _append, Repeat.UPDATE: _update}


@dataclass(slots=True, eq=False)
class ServerSections:
    """The sections of one virtual host (the main server's first), in walk order."""

    #: Server level: the main server's section, then the virtual host's own.
    base: tuple[Section, ...]
    #: `<Directory>`: plain and glob ones by number of path components, then `<DirectoryMatch>` in order of appearance.
    directories: list[Section] = field(default_factory=list)
    #: `<Location>` and `<LocationMatch>` in order of appearance.
    locations: list[Section] = field(default_factory=list)
