"""Header fields: an ordered, case-insensitive multi-map, and the recording view of a request's fields.

Names keep the spelling they came with; values are `str` that hold Latin-1 (one character, one byte).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coachwhip.api.record import Record

__all__ = ["Headers", "HeadersIn"]


class Headers:
    """Response fields (httpd's `headers_out`, `err_headers_out`). `set` replaces, `add` repeats, `merge` joins by comma."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: list[tuple[str, str]] = list(fields)

    def get(self, name: str) -> str | None:
        """The first value of `name`, or None."""
        key = name.lower()
        for n, value in self._fields:
            if n.lower() == key:
                return value
        return None

    def get_all(self, name: str) -> list[str]:
        """All values of `name`, in order."""
        key = name.lower()
        return [value for n, value in self._fields if n.lower() == key]

    def set(self, name: str, value: str) -> None:
        """Make `value` the only one; keeps the place of the first field of that name."""
        key = name.lower()
        for i, (n, _) in enumerate(self._fields):
            if n.lower() == key:
                rest = [f for f in self._fields[i + 1 :] if f[0].lower() != key]
                self._fields[i:] = [(name, value), *rest]
                return
        self._fields.append((name, value))

    def add(self, name: str, value: str) -> None:
        """One more field, even if the name is there already."""
        self._fields.append((name, value))

    def merge(self, name: str, value: str) -> None:
        """Append to the existing value with a comma, or set."""
        old = self.get(name)
        self.set(name, value if old is None else f"{old}, {value}")

    def unset(self, name: str) -> None:
        """Drop all fields of that name."""
        key = name.lower()
        self._fields = [f for f in self._fields if f[0].lower() != key]

    def items(self) -> list[tuple[str, str]]:
        """All fields in order."""
        return list(self._fields)

    def copy(self) -> Headers:
        """An independent copy."""
        return Headers(self._fields)

    def clear(self) -> None:
        """Drop everything."""
        self._fields = []

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


class HeadersIn:
    """Request fields, repeated ones already joined by ", " as httpd does; every look is recorded.

    `names()` and `items()` look at everything and are recorded as such.
    """

    __slots__ = ("_fields", "_record", "_trailers")

    def __init__(self, fields: Iterable[tuple[str, str]], record: Record) -> None:
        merged: dict[str, tuple[str, str]] = {}
        for name, value in fields:
            key = name.lower()
            old = merged.get(key)
            merged[key] = (name, value) if old is None else (old[0], f"{old[1]}, {value}")
        self._fields = merged
        self._record = record
        self._trailers: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of `name`, or `default`."""
        key = name.lower()
        self._record.headers.add(key)
        field = self._fields.get(key)
        return default if field is None else field[1]

    def set(self, name: str, value: str) -> None:
        """Change what later hooks see; the wire is not looked at again."""
        self._fields[name.lower()] = (name, value)

    def unset(self, name: str) -> None:
        """Hide a field from later hooks."""
        self._fields.pop(name.lower(), None)

    def names(self) -> list[str]:
        """Lower-case names of all fields."""
        self._record.headers.add("*")
        return list(self._fields)

    def items(self) -> list[tuple[str, str]]:
        """All fields as (name, value)."""
        self._record.headers.add("*")
        return list(self._fields.values())

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def view(self, record: Record) -> HeadersIn:
        """The same fields, copied, recording into `record` (for sub-requests and logs)."""
        twin = HeadersIn((), record)
        twin._fields = dict(self._fields)
        twin._trailers = self._trailers
        return twin
