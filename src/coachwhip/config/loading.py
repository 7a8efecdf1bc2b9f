"""The modules of a configuration: found by the name that `LoadModule` gives, in load order, with their rows indexed.

The path on a `LoadModule` line does not matter: the identifier decides (`rewrite_module` is our mod_rewrite), or `python:pkg.mod`
in the place of the path, whose attribute `MODULE` is loaded.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module

from coachwhip.api.directives import Directive, DirectiveError
from coachwhip.api.filters import RegisteredFilter
from coachwhip.api.module import Module
from coachwhip.api.providers import Providers
from coachwhip.config.known import module_advice
from coachwhip.modules import SHIPPED, STATIC

__all__ = ["Modules", "find", "import_shipped"]

_PYTHON_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


def import_shipped(identifier: str) -> Module | None:
    """Our module of this identifier, or None if we have none."""
    path = SHIPPED.get(identifier)
    if path is None:
        return None
    try:
        found = import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise
        return None
    return _checked(found.MODULE, path)


def _checked(found: object, path: str) -> Module:
    if not isinstance(found, Module):
        raise DirectiveError(f"{path}.MODULE is not a coachwhip.api.Module", alone=True)
    return found


def find(identifier: str, path: str) -> Module:
    """The module of a `LoadModule` line.

    Raises:
        DirectiveError: there is none, or it cannot be imported.
    """
    if path.startswith("python:"):
        return _foreign(identifier, path.removeprefix("python:"))
    module = import_shipped(identifier)
    if module is None:
        raise DirectiveError(f"Cannot load {path} into server: {module_advice(identifier)}", alone=True)
    return module


def _foreign(identifier: str, path: str) -> Module:
    if not _PYTHON_NAME.fullmatch(path):
        raise DirectiveError(f"'{path}' is not the name of a Python module", alone=True)
    try:
        found = import_module(path)
    except Exception as error:
        raise DirectiveError(f"Cannot load python:{path} into server: {type(error).__name__}: {error}", alone=True) from error
    module = _checked(getattr(found, "MODULE", None), path)
    if module.identifier != identifier:
        raise DirectiveError(f"python:{path} is {module.identifier}, not {identifier}", alone=True)
    return module


class Modules:
    """What is loaded. The built-in modules are from the start."""

    def __init__(self) -> None:
        self.order: list[Module] = []
        self.providers = Providers()
        #: Output and input filters by lower-case name.
        self.filters: dict[str, RegisteredFilter] = {}
        self._rows: dict[str, tuple[Module, Directive]] = {}
        self._names: set[str] = set()
        for identifier in STATIC:
            module = import_shipped(identifier)
            if module is not None:
                self.add(module)

    def copy(self) -> Modules:
        """The same modules; what is loaded into the copy leaves no trace here."""
        twin = object.__new__(Modules)
        twin.order, twin.providers, twin.filters = list(self.order), self.providers.copy(), dict(self.filters)
        twin._rows, twin._names = dict(self._rows), set(self._names)
        return twin

    def add(self, module: Module) -> None:
        """Load a module: its rows, providers and filters are known from now on."""
        self.order.append(module)
        self._names |= {module.identifier, module.source}
        for row in module.directives:
            key = f"<{row.name}" if row.section else row.name
            self._rows[key.lower()] = (module, row)
        for kind, name, thing in module.providers:
            self.providers.register(kind, name, thing)
        for found in module.filters:
            self._add_filter(found)

    def _add_filter(self, found: RegisteredFilter) -> None:
        """An output and an input filter may have one name (`DEFLATE`)."""
        other = self.filters.get(found.name.lower())
        if other is not None and found.make_output is None:
            found = replace(other, make_input=found.make_input)
        elif other is not None and found.make_input is None:
            found = replace(found, make_input=other.make_input)
        self.filters[found.name.lower()] = found

    def has(self, name: str) -> bool:
        """Whether a module is loaded, by identifier or source name, spelled exactly."""
        return name in self._names

    def short_name(self, name: str) -> str | None:
        """What the error log calls a loaded module: "env" of "env", "env_module" or "mod_env.c"."""
        for module in self.order:
            short = module.identifier.removesuffix("_module")
            if name in (short, module.identifier, module.source):
                return short
        return None

    def row(self, name: str) -> tuple[Module, Directive] | None:
        """The row of a directive (`Listen`, `<Directory`) and the module that has it."""
        return self._rows.get(name.lower())

    def row_names(self) -> list[str]:
        """All names that are known now, without brackets."""
        return [row.name for _module, row in self._rows.values()]
