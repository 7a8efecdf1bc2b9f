"""Settings records: frozen dataclasses that sections set sparsely and that are folded for each request.

A section stores only what it says. For a request, the sections that apply are folded in merge order: a later section's
value takes the place of an earlier one, unless the field says otherwise with `setting(fold=...)`. Nothing is "unset":
what no section says has the dataclass's default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from coachwhip.api.directives import Location

__all__ = ["Fold", "LinesOf", "append", "fold_of", "lines_of", "overlay", "prepend", "setting"]

T = TypeVar("T")

#: Combines the value of the outer sections with the value of an inner one.
Fold = Callable[[Any, Any], Any]

#: The lines that said an entry of a table.
LinesOf = Callable[[Any], Iterable[Location]]


def append(outer: tuple[Any, ...], inner: tuple[Any, ...]) -> tuple[Any, ...]:
    """Outer first, then inner."""
    return outer + inner


def prepend(outer: tuple[Any, ...], inner: tuple[Any, ...]) -> tuple[Any, ...]:
    """Inner first: an inner rule is tried before the enclosing ones."""
    return inner + outer


def overlay(outer: Mapping[Any, Any], inner: Mapping[Any, Any]) -> dict[Any, Any]:
    """Inner keys over outer keys."""
    return {**outer, **inner}


def setting(default: T, *, fold: Fold | None = None, lines: LinesOf | None = None) -> T:
    """A settings field with its default, and how an inner section combines with the outer ones.

    Without `fold` the inner value replaces the outer. `fold` is also applied to the default and the outermost value,
    so that it is the identity on the left: `fold(default, x)` should equal `x` where that is wanted.

    `lines`: of a table whose entries know which lines said them. Of such a field only those count as read that said an entry
    which was looked up, where otherwise all do that said anything.
    """
    metadata = {name: said for name, said in (("fold", fold), ("lines", lines)) if said is not None}
    if isinstance(default, (dict, list, set)):
        made = default
        return dataclasses.field(default_factory=lambda: made, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def fold_of(config: type[Any], field: str) -> Fold | None:
    """The fold rule of a field of a settings record, None for replacement."""
    fold: Fold | None = config.__dataclass_fields__[field].metadata.get("fold")
    return fold


def lines_of(config: type[Any], field: str) -> LinesOf | None:
    """How the entries of a field that is a table name their lines, None if they do not."""
    found: LinesOf | None = config.__dataclass_fields__[field].metadata.get("lines")
    return found
