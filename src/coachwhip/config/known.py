"""What Apache itself knows: every directive and every module by name, whether or not we have them.

The tables are facts about httpd (`directives.tsv`, `modules.tsv`), read once.
Decides only what to say about such a name; refusing is the reader's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files

from coachwhip.api.module import Module
from coachwhip.modules import SHIPPED
from coachwhip.util.suggest import nearest

__all__ = ["KnownDirective", "KnownModule", "advice", "directives", "load_tables", "module_advice", "modules"]

#: The MPM to name where any would do.
COMMON_MPM = "mpm_event_module"


@dataclass(frozen=True, slots=True)
class KnownDirective:
    """A directive of Apache's: name, module, argument shapes, contexts, status, and the branch that has it."""

    name: str
    module: str
    is_section: bool
    shapes: tuple[str, ...]
    where: frozenset[str]
    status: str
    branch: str


@dataclass(frozen=True, slots=True)
class KnownModule:
    """A module of Apache's: manual name, `LoadModule` identifier, source file, status."""

    name: str
    identifier: str
    source: str
    status: str


def _rows(table: str) -> list[list[str]]:
    text = files("coachwhip.config").joinpath(table).read_text("ascii")
    return [line.split("\t") for line in text.split("\n") if line and line[0] != "#"]


def _many(cell: str) -> list[str]:
    return [] if cell == "-" else cell.split("|")


@cache
def directives() -> dict[str, list[KnownDirective]]:
    """Every directive by lower-case name; a few names have two rows."""
    table: dict[str, list[KnownDirective]] = {}
    for name, module, kind, shapes, where, status, branch, in_code in _rows("directives.tsv"):
        row = KnownDirective(
            name if in_code == "-" else in_code,
            module,
            kind == "section",
            tuple(_many(shapes)),
            frozenset(_many(where)),
            status,
            branch,
        )
        table.setdefault(name.lower(), []).append(row)
    return table


@cache
def modules() -> dict[str, KnownModule]:
    """Every module by manual name ("mod_dir"), by identifier ("dir_module") and by source ("mod_dir.c")."""
    table: dict[str, KnownModule] = {}
    for name, identifier, source, status, _branch in _rows("modules.tsv"):
        row = KnownModule(name, identifier, source, status)
        for key in (name, identifier, source):
            if key != "-":
                table[key] = row
    return table


def load_tables() -> None:
    """Read both tables now."""
    directives()
    modules()


def advice(name: str, loaded: list[str]) -> str:
    """What to say about a directive that no loaded module has; `loaded` are the names that could have been meant."""
    found = directives().get(name.removeprefix("<").lower())
    if found:
        return _about(found)
    meant = nearest(name.removeprefix("<"), loaded or [row[0].name for row in directives().values()])
    return f"Did you mean {meant}?" if meant else ""


def _about(found: list[KnownDirective]) -> str:
    name = f"<{found[0].name}>" if found[0].is_section else found[0].name
    offered = [modules()[row.module].identifier for row in found if row.module in modules()]
    if found[0].module == "mpm_common" and _is_common(found[0].name):
        return f"{name} needs an MPM: LoadModule {COMMON_MPM} is missing."
    shipped = [identifier for identifier in offered if identifier in SHIPPED]
    if shipped:
        return f"{name} belongs to {found[0].module}: LoadModule {shipped[0]} is missing."
    return f"{name} is known to Apache ({found[0].module}), not supported yet."


def _is_common(name: str) -> bool:
    """Whether our MPMs have this directive, which Apache's table keeps apart from all of them."""
    mpm: Module = import_module(SHIPPED[COMMON_MPM]).MODULE
    return any(row.name == name for row in mpm.directives)


def module_advice(identifier: str) -> str:
    """What to say about a `LoadModule` name that we do not have."""
    found = modules().get(identifier)
    if found and found.identifier == identifier:
        return f"{identifier} ({found.name}) is known to Apache, not supported yet"
    meant = nearest(identifier, sorted(SHIPPED))
    return f"{identifier} is unknown" + (f"; did you mean {meant}?" if meant else "")
