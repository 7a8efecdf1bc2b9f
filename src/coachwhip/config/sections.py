"""Sections: what `<Directory>`, `<Files>`, `<Location>`, `<If>`, a virtual host or a `.htaccess` says, sparsely.

A `Section` holds only the fields that its lines set. `ServerSections` holds, for one virtual host, the sections in the order in
which the walks of `request/` visit them. Folding is in `folding.py`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from coachwhip.api.directives import Location, Repeat

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
    _added: dict[tuple[type[Any], str], list[Any]] = field(default_factory=dict)

    @property
    def values(self) -> dict[type[Any], dict[str, Any]]:
        """Settings class → field → value."""
        if self._added:
            for (config, name), parts in self._added.items():
                self._values[config][name] = _together([self._values[config][name], *parts])
            self._added.clear()
        return self._values

    def set(self, config: type[Any], name: str, value: Any, source: Location, repeat: Repeat = Repeat.REPLACE) -> None:
        """Set a field, combined with an earlier line of this section as `repeat` says."""
        fields = self._values.setdefault(config, {})
        key = (config, name)
        if repeat is Repeat.REPLACE or name not in fields:
            fields[name] = value
            self._added.pop(key, None)
            if repeat is Repeat.REPLACE:
                self.sources.pop(key, None)
        else:
            self._added.setdefault(key, []).append(value)
        self.sources.setdefault(key, []).append(source)

    def get(self, config: type[Any], name: str) -> Any:
        """What this section has set so far, or None."""
        return self.values.get(config, {}).get(name)

    def __str__(self) -> str:
        return f"<{self.kind.value} {self.pattern}>" if self.pattern else self.kind.value or "server"


def _together(parts: list[Any]) -> Any:
    """Values of one field, each added to those before it."""
    if isinstance(parts[0], tuple):
        return tuple(itertools.chain.from_iterable(parts))
    merged: dict[Any, Any] = {}
    for part in parts:
        merged.update(part)
    return merged


@dataclass(slots=True, eq=False)
class ServerSections:
    """The sections of one virtual host (the main server's first), in walk order."""

    #: Server level: the main server's section, then the virtual host's own.
    base: tuple[Section, ...]
    #: `<Directory>`: plain and glob ones by number of path components, then `<DirectoryMatch>` in order of appearance.
    directories: list[Section] = field(default_factory=list)
    #: `<Location>` and `<LocationMatch>` in order of appearance.
    locations: list[Section] = field(default_factory=list)
