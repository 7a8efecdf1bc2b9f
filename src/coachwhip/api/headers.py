"""Header fields: an ordered, case-insensitive multi-map, and the recording view of a request's fields.

Names keep the spelling they came with; values are `str` that hold Latin-1 (one character, one byte).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coachwhip.api.record import Record

__all__ = ["Headers", "HeadersIn"]


#: How many names are kept in lower case, and how long one may be in characters: some come from outside.
MAX_NAMES = 1024
MAX_LENGTH = 64


class _Lower(dict[str, str]):
    """Names in lower case: a server uses few, and to look one up is cheaper than to make it."""

    def __missing__(self, name: str) -> str:
        key = name.lower()
        if len(self) < MAX_NAMES and len(name) <= MAX_LENGTH:
            self[name] = key
        return key


class _Names(dict[bytes, tuple[str, str]]):
    """Names as they came → as text, and that in lower case."""

    def __missing__(self, octets: bytes) -> tuple[str, str]:
        name = octets.decode("latin-1")
        found = name, name.lower()
        if len(self) < MAX_NAMES and len(name) <= MAX_LENGTH:
            self[octets] = found
        return found


# Asked by the method and not by `[…]`, which goes a long way round where a class is derived from `dict`.
_lower = _Lower().__getitem__
_names = _Names().__getitem__

#: A lower-case name; from the second field of a name on, with a number at its side.
_Key = str | tuple[str, int]


class Headers:
    """Response fields (httpd's `headers_out`, `err_headers_out`). `set` replaces, `add` repeats, `merge` joins by comma."""

    __slots__ = ("_fields", "_repeats")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        #: (name, value) by key, in order.
        self._fields: dict[_Key, tuple[str, str]] = {}
        #: How many repeated fields were ever added; the number of the latest.
        self._repeats = 0
        if fields:
            for name, value in fields:
                self.add(name, value)

    def get(self, name: str) -> str | None:
        """The first value of `name`, or None."""
        field = self._fields.get(_lower(name))
        return None if field is None else field[1]

    def get_all(self, name: str) -> list[str]:
        """All values of `name`, in order."""
        wanted = _lower(name)
        first = self._fields.get(wanted)
        if first is None:
            return []
        return [value for name, value in self._fields.values() if _lower(name) == wanted] if self._repeats else [first[1]]

    def has_any(self, names: frozenset[str]) -> bool:
        """Whether there is a field of one of these (lower-case) names."""
        return not self._fields.keys().isdisjoint(names)

    def set(self, name: str, value: str) -> bool:
        """Make `value` the only one; keeps the place of the first field of that name. Returns whether there was none."""
        key = _lower(name)
        if self._repeats:
            self._drop_repeats(key)
        fields = self._fields
        is_new = key not in fields
        fields[key] = (name, value)
        return is_new

    def add(self, name: str, value: str) -> None:
        """One more field, even if the name is there already."""
        key: _Key = _lower(name)
        if key in self._fields:
            self._repeats += 1
            key = (_lower(name), self._repeats)
        self._fields[key] = (name, value)

    def add_all(self, others: Headers) -> None:
        """All fields of `others`, even if their names are there already."""
        if others._repeats or not self._fields.keys().isdisjoint(others._fields):
            for name, value in others.items():
                self.add(name, value)
        else:
            self._fields |= others._fields

    def over(self, outer: Headers) -> Headers:
        """The fields of both, those of `outer` where their names are not here; may be one of the two."""
        if not self._fields:
            return outer
        if not outer._fields:
            return self
        both = self.copy()
        for name, value in outer.items():
            if name not in self:
                both.add(name, value)
        return both

    def merge(self, name: str, value: str) -> None:
        """Append to the existing value with a comma, or set."""
        old = self.get(name)
        self.set(name, value if old is None else f"{old}, {value}")

    def unset(self, name: str) -> None:
        """Drop all fields of that name."""
        key = _lower(name)
        if self._fields.pop(key, None) is not None and self._repeats:
            self._drop_repeats(key)

    def _drop_repeats(self, name: str) -> None:
        self._fields = {key: field for key, field in self._fields.items() if isinstance(key, str) or key[0] != name}

    def move_to_end(self, names: frozenset[str]) -> None:
        """Put the fields of these (lower-case) names behind all others, in the order in which they are."""
        for key in [key for key, field in self._fields.items() if field[0].lower() in names]:
            self._fields[key] = self._fields.pop(key)

    def items(self) -> list[tuple[str, str]]:
        """All fields in order."""
        return list(self._fields.values())

    def items_but(self, names: frozenset[str]) -> list[tuple[str, str]]:
        """All fields in order but those of these (lower-case) names."""
        if not self.has_any(names):
            return self.items()
        return [field for field in self._fields.values() if field[0].lower() not in names]

    def copy(self) -> Headers:
        """An independent copy."""
        twin = Headers.__new__(Headers)
        twin._fields = self._fields.copy()
        twin._repeats = self._repeats
        return twin

    def clear(self) -> None:
        """Drop everything."""
        self._fields = {}
        self._repeats = 0

    def __contains__(self, name: str) -> bool:
        return _lower(name) in self._fields

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"


class HeadersIn:
    """Request fields, repeated ones already joined by ", " as httpd does; every look is recorded.

    `names()` and `items()` look at everything and are recorded as such.
    """

    __slots__ = ("_fields", "_record", "_trailers")

    def __init__(self, fields: Iterable[tuple[str, str]], record: Record) -> None:
        #: Lower-case name → (name, value).
        self._fields: dict[str, tuple[str, str]] = {}
        self._record = record
        self._trailers: tuple[tuple[str, str], ...] = ()
        merged = self._fields
        for name, value in fields:
            key = name.lower()
            if key in merged:
                first, before = merged[key]
                merged[key] = (first, f"{before}, {value}")
            else:
                merged[key] = (name, value)

    @classmethod
    def from_wire(cls, fields: Iterable[tuple[bytes, bytes]], record: Record) -> HeadersIn:
        """The same of names and values as they came."""
        made = cls.__new__(cls)
        made._record, made._trailers = record, ()
        merged = made._fields = {}
        for octets, content in fields:
            name, key = _names(octets)
            value = content.decode("latin-1")
            if key in merged:
                name, before = merged[key]
                value = f"{before}, {value}"
            merged[key] = (name, value)
        return made

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of `name`, or `default`."""
        key = _lower(name)
        self._record.headers.add(key)
        field = self._fields.get(key)
        return default if field is None else field[1]

    def has_any(self, names: frozenset[str]) -> bool:
        """Whether one of these (lower-case) names came; all of them are looked at."""
        self._record.headers |= names
        return not names.isdisjoint(self._fields)

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

    def view(self, record: Record, without: frozenset[str] = frozenset()) -> HeadersIn:
        """The same fields, copied, but for (lower-case) names; they record into `record` (for sub-requests and logs)."""
        twin = HeadersIn.__new__(HeadersIn)
        twin._fields, twin._record = self._fields.copy(), record
        if not without.isdisjoint(self._fields):
            for key in without & self._fields.keys():
                del twin._fields[key]
        twin._trailers = self._trailers
        return twin
