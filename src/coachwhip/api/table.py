"""`Table`: the mapping behind `Request.env` and `Request.notes`, whose keys compare without case, as in all of httpd's tables.

A key keeps the spelling in which it was first set, which is how it shows where the whole table is handed on (CGI, `printenv`).
Values hold one octet per character (Latin-1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

__all__ = ["Table"]


class Table(dict[str, str]):
    """A `dict` of strings with keys in any case."""

    # `dict.x(self, …)` and not `super().x(…)`: every request sets some, and before Python 3.12 `super` makes an object each time.

    __slots__ = ("_spelling",)

    def __init__(self, items: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        #: Lower case → the key as it is spelled here.
        self._spelling: dict[str, str] = {}
        if items:
            self.update(items)

    def __setitem__(self, key: str, value: str) -> None:
        dict.__setitem__(self, self._spelling.setdefault(key.lower(), key), value)

    def __getitem__(self, key: str) -> str:
        return dict.__getitem__(self, self._spelling.get(key.lower(), key))

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self, self._spelling.pop(key.lower(), key))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._spelling

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key` in any case, or `default`."""
        spelled = self._spelling.get(key.lower())
        return default if spelled is None else dict.__getitem__(self, spelled)

    def pop(self, key: str, *default: Any) -> Any:
        """Take `key` out and answer its value; `default`, if given, where it is absent."""
        return dict.pop(self, self._spelling.pop(key.lower(), key), *default)

    def setdefault(self, key: str, default: str = "") -> str:
        """The value of `key`, set to `default` first if it is absent."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, items: Any = (), /, **named: str) -> None:
        """Set many keys."""
        if items or named:
            pairs = items.items() if isinstance(items, Mapping) else items
            for key, value in [*pairs, *named.items()]:
                self[key] = value

    def clear(self) -> None:
        """Drop everything."""
        dict.clear(self)
        self._spelling.clear()

    def copy(self) -> Table:
        """An independent copy."""
        twin = Table()
        if self:
            dict.update(twin, self)
            twin._spelling = self._spelling.copy()
        return twin

    def __ior__(self, other: Any, /) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self
