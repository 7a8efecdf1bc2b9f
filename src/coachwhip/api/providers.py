"""Providers: named implementations of a role, the way in which modules meet without importing each other.

`mod_authn_file` provides ("authn", "file"); `mod_auth_basic` asks for the names that `AuthBasicProvider` lists.
Source: httpd's ap_provider interface.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Providers"]


class Providers:
    """All providers of the loaded modules by (kind, name)."""

    __slots__ = ("_table",)

    def __init__(self) -> None:
        self._table: dict[tuple[str, str], Any] = {}

    def copy(self) -> Providers:
        """The same providers, to which others can be added."""
        twin = Providers()
        twin._table.update(self._table)
        return twin

    def register(self, kind: str, name: str, provider: Any) -> None:
        """Add one; a later one of the same kind and name takes its place, as in Apache."""
        self._table[kind, name] = provider

    def get(self, kind: str, name: str) -> Any:
        """The provider, or None."""
        return self._table.get((kind, name))

    def names(self, kind: str) -> list[str]:
        """Names of one kind, sorted."""
        return sorted(name for k, name in self._table if k == kind)
