"""COMPATIBILITY.md: what becomes of every directive of Apache's, read off the tables that the server itself is run by.

`python -m conformance.compatibility > COMPATIBILITY.md` writes it anew. The directives and modules of Apache are those of
`config/known.py`; ours are the rows of the modules that ship, whose `differs` says in what a directive is not Apache's. What cannot be
read off a row is written by hand in `differences.md`. Knows no more of the server than those rows.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path

from coachwhip.api import Directive, Module, Where
from coachwhip.config.known import KnownDirective, KnownModule, directives, modules
from coachwhip.modules import SHIPPED, STATIC

__all__ = ["Entry", "State", "entries", "own_directives", "render"]

DIFFERENCES = Path(__file__).with_name("differences.md")

#: What stands in the table of contexts, and the class of `AllowOverride`, for httpd's names of them.
_CLASSES = {
    "OR_AUTHCFG": "AuthConfig",
    "OR_FILEINFO": "FileInfo",
    "OR_INDEXES": "Indexes",
    "OR_LIMIT": "Limit",
    "OR_OPTIONS": "Options",
    "OR_ALL": "All",
}
#: Override classes that alone do not make a directive allowed at server level.
_SECTION_ONLY = frozenset(("OR_AUTHCFG", "OR_LIMIT"))
#: Begin of a row's `differs` that says: known here, and refused whatever its arguments.
_REFUSED = "refused"


class State(Enum):
    """What becomes of a directive."""

    SUPPORTED = "supported"
    DIFFERS = "differs"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """A directive of Apache's, and our row for it if there is one."""

    known: KnownDirective
    row: Directive | None

    @property
    def state(self) -> State:
        """Refused without a row; else what the row says of itself."""
        if self.row is None or self.row.differs.startswith(_REFUSED):
            return State.REFUSED
        return State.DIFFERS if self.row.differs else State.SUPPORTED

    @property
    def remark(self) -> str:
        """What stands in the last column."""
        if self.row is not None:
            return self.row.differs
        if self.known.status == "undocumented":
            return "in httpd's code, in no manual"
        return "not in Apache 2.4" if self.known.branch == "trunk" else ""


def shipped_modules() -> Iterator[Module]:
    """The modules that ship, loaded."""
    for path in SHIPPED.values():
        module = import_module(path).MODULE
        if not isinstance(module, Module):
            raise TypeError(f"{path}.MODULE is not a Module")
        yield module


def _own_rows() -> dict[tuple[str, bool], Directive]:
    return {(row.name.lower(), row.section): row for module in shipped_modules() for row in module.directives}


def entries() -> list[Entry]:
    """Every directive of Apache's, the undocumented ones too; one that several modules have stands once for each."""
    rows = _own_rows()
    unique = {(known.module, known.name, known.is_section): known for found in directives().values() for known in found}
    return [Entry(known, rows.get((known.name.lower(), known.is_section))) for known in unique.values()]


def own_directives() -> list[tuple[Module, Directive]]:
    """Directives that Apache does not have."""
    known = directives()
    return [(module, row) for module in shipped_modules() for row in module.directives if row.name.lower() not in known]


def render() -> str:
    """The whole document."""
    found = entries()
    of_module: dict[str, list[Entry]] = {}
    for entry in found:
        of_module.setdefault(entry.known.module, []).append(entry)
    parts = [
        _head(found),
        DIFFERENCES.read_text(encoding="utf-8").rstrip("\n"),
        "## Modules\n\n" + _module_table(),
        "## Directives by module",
        *[f"### {name}\n\n{_directive_table(of_module[name])}" for name in sorted(of_module, key=_shelf)],
        "## Directives of our own\n\n" + _own_table(),
    ]
    return "\n\n".join(parts) + "\n"


def _head(found: list[Entry]) -> str:
    documented = [entry for entry in found if entry.known.status != "undocumented"]
    in_24 = [entry for entry in documented if entry.known.branch != "trunk"]
    undocumented = [entry for entry in found if entry.known.status == "undocumented"]
    rows = [
        _line("", *[state.value for state in State], "all"),
        "|---|---:|---:|---:|---:|",
        _counts("directives of the Apache 2.4 manual", in_24),
        _counts("directives of the 2.5 manual alone", [entry for entry in documented if entry.known.branch == "trunk"]),
        _counts("together", documented),
        _counts("in httpd's code, in no manual", undocumented),
    ]
    return "\n".join(
        [
            "# Compatibility with Apache 2.4",
            "",
            "Generated by `python -m conformance.compatibility` from the tables that the server is run by; a test compares. Not edited by",
            "hand: differences of one directive are said in its row, all others in `conformance/differences.md`.",
            "",
            "**supported**: takes Apache's arguments in Apache's places and does what Apache 2.4.71 does. **differs**: accepted, with the",
            "difference named. **refused**: the name is known; the server does not start (in `.htaccess`: 500) and says file and line.",
            "Nothing is skipped.",
            "",
            *rows,
        ]
    )


def _counts(title: str, chosen: list[Entry]) -> str:
    count = Counter(entry.state for entry in chosen)
    return _line(title, *[str(count[state]) for state in State], str(len(chosen)))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _shelf(name: str) -> tuple[int, str]:
    """core first, then what all MPMs share and the MPMs, then the modules by name."""
    if name in ("core", "mpm_common"):
        return ("core", "mpm_common").index(name), ""
    return (3 if name.startswith("mod_") else 2), name


def _known_modules() -> list[KnownModule]:
    return sorted({row.name: row for row in modules().values()}.values(), key=lambda row: _shelf(row.name))


def _module_table() -> str:
    lines = [_line("module", "`LoadModule` name", "status", "here"), "|---|---|---|---|"]
    for row in _known_modules():
        if row.name == "core":
            here = "built in"
        elif row.identifier not in SHIPPED:
            here = State.REFUSED.value if row.identifier != "-" else ""
        else:
            here = "built in" if row.identifier in STATIC else "ships"
        lines.append(_line(row.name, "" if row.identifier == "-" else f"`{row.identifier}`", row.status, here))
    return "\n".join(lines)


def _directive_table(found: list[Entry]) -> str:
    lines = [_line("directive", "state", "where", "difference or remark"), "|---|---|---|---|"]
    for entry in sorted(found, key=lambda one: one.known.name.lower()):
        known = entry.known
        name = f"`<{known.name}>`" if known.is_section else f"`{known.name}`"
        lines.append(_line(name, entry.state.value, _contexts(known.where), entry.remark))
    return "\n".join(lines)


def _contexts(where: frozenset[str]) -> str:
    """Apache's contexts in words; what the code refuses is left out, whatever the manual says."""
    classes = [_CLASSES[name] for name in sorted(where & _CLASSES.keys())]
    overrides = where & _CLASSES.keys()
    words = []
    if "RSRC_CONF" in where or overrides - _SECTION_ONLY:
        words.append("server")
    if "ACCESS_CONF" in where or overrides:
        words.append("section")
    if "PROXY_CONF" in where:
        words.append("`<Proxy>`")
    if classes:
        words.append(f".htaccess ({', '.join(classes)})")
    return ", ".join(words)


def _own_table() -> str:
    lines = [_line("directive", "module", "where", "what it says"), "|---|---|---|---|"]
    for module, row in own_directives():
        places = [word for flag, word in ((Where.SERVER, "server"), (Where.SECTION, "section")) if flag in row.where]
        if row.where.override:
            places = ["server", "section", f".htaccess ({(row.where.override.name or '').title()})"]
        lines.append(_line(f"`{row.name}`", module.source, ", ".join(places), row.help))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render())
