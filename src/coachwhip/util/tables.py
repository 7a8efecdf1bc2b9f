"""Look-ups in small tables of strings whose keys compare without case, as all of Apache's tables do.

The keys keep the spelling in which they were first set. For a handful of entries, a scan is as good as an index.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

__all__ = ["find", "put", "remove"]


def _spelling(table: Mapping[str, str], key: str) -> str | None:
    if key in table:
        return key
    wanted = key.lower()
    return next((known for known in table if known.lower() == wanted), None)


def find(table: Mapping[str, str], key: str) -> str | None:
    """The value of `key`, or None."""
    known = _spelling(table, key)
    return None if known is None else table[known]


def put(table: MutableMapping[str, str], key: str, value: str) -> None:
    """Set `key`, in its old spelling if it is there."""
    table[_spelling(table, key) or key] = value


def remove(table: MutableMapping[str, str], key: str) -> None:
    """Drop `key`, if it is there."""
    known = _spelling(table, key)
    if known is not None:
        del table[known]
