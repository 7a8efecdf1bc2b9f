"""Folding: from the sections that apply to a request to one frozen settings record per module.

The only merge function there is. A field's value is that of the last section that sets it, or, where the field has a fold rule,
the rule applied from the outermost section inward, starting from the default. Results are kept per list of sections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from coachwhip.api.core import CoreDir
from coachwhip.api.directives import Location
from coachwhip.api.settings import fold_of
from coachwhip.config.sections import Section

__all__ = ["Folded", "Folder"]

C = TypeVar("C")


class Inner(NamedTuple):
    """`<Files>` and `<If>` sections, in order."""

    files: tuple[Section, ...]
    ifs: tuple[Section, ...]


class _Records(dict[type[Any], Any]):
    """Settings class → the record; made when it is first asked for."""

    def __init__(self, make: Callable[[type[Any]], Any]) -> None:
        self._make = make

    def __missing__(self, config: type[Any]) -> Any:
        record = self[config] = self._make(config)
        return record


class GetRecord(Protocol):
    """How settings are asked for a record."""

    def __call__(self, config: type[C], /) -> C:
        """See `api.server.Settings`."""


class Folded:
    """The settings of one list of sections; implements `api.server.Settings`."""

    __slots__ = ("core", "derived", "get", "inner", "sections")

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self.sections = sections
        #: The table's own method: every request asks a dozen times.
        self.get: GetRecord = _Records(self._fold).__getitem__
        self.derived: dict[Any, Any] = {}
        #: The sections that stand inside of these, and that a request may come into. What is read later is not among them.
        self.inner = Inner(
            tuple([one for section in sections for one in section.files]),
            tuple([one for section in sections for one in section.ifs]),
        )
        #: `get(CoreDir)`, kept at hand: it is asked for more often than all others together.
        self.core: CoreDir = self.get(CoreDir)

    def _fold(self, config: type[C]) -> C:
        said = [fields for section in self.sections if (fields := section.values.get(config))]
        values: dict[str, Any] = {}
        for fields in said:
            for name, value in fields.items():
                fold = fold_of(config, name)
                if fold is not None:
                    outer = values[name] if name in values else default_of(config, name)
                    value = fold(outer, value)
                values[name] = value
        return config(**values)

    def sources(self, config: type[Any], field: str) -> tuple[Location, ...]:
        """The lines behind a field: of the last section that sets it, or of all where the field has a fold rule."""
        lines = [found for section in self.sections if (found := section.sources.get((config, field)))]
        if not lines:
            return ()
        if fold_of(config, field) is None:
            return tuple(lines[-1])
        return tuple(line for found in lines for line in found)


class Folder:
    """Makes and keeps `Folded` settings; bounded, since `.htaccess` files come and go."""

    def __init__(self, limit: int = 4096) -> None:
        self._kept: dict[tuple[Section, ...], Folded] = {}
        self._limit = limit

    def fold(self, sections: tuple[Section, ...]) -> Folded:
        """The settings of these sections, outermost first."""
        found = self._kept.get(sections)
        if found is None:
            if len(self._kept) >= self._limit:
                self._kept.clear()
            found = self._kept[sections] = Folded(sections)
        return found


def default_of(config: type[Any], name: str) -> Any:
    """The default of a settings field."""
    declared = config.__dataclass_fields__[name]
    return declared.default_factory() if callable(declared.default_factory) else declared.default
