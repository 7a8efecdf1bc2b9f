"""Every row of every module stands where Apache's own row stands and takes the arguments that Apache's takes.

The facts are in `config/directives.tsv` (name, module, shape, contexts, taken from httpd's command tables). Modules are found by
walking `modules/`, so a new one is checked as it appears.
"""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import coachwhip.modules
from coachwhip.api import Args, Directive, Module, Where
from coachwhip.config.known import KnownDirective, directives, modules
from coachwhip.modules import SHIPPED, STATIC

CONTEXTS = {
    "RSRC_CONF": Where.SERVER,
    "ACCESS_CONF": Where.SECTION,
    "PROXY_CONF": Where.PROXY,
    "OR_AUTHCFG": Where.AUTHCONFIG,
    "OR_FILEINFO": Where.FILEINFO,
    "OR_INDEXES": Where.INDEXES,
    "OR_LIMIT": Where.LIMIT,
    "OR_OPTIONS": Where.OPTIONS,
    "OR_ALL": Where.ALL,
    "EXEC_ON_READ": Where(0),
}
SHAPES = {shape.apache for shape in Args}


def all_modules() -> list[Module]:
    found = {}
    for info in pkgutil.walk_packages(coachwhip.modules.__path__, "coachwhip.modules."):
        module = getattr(importlib.import_module(info.name), "MODULE", None)
        if isinstance(module, Module):
            found[module.identifier] = module
    return sorted(found.values(), key=lambda module: module.identifier)


def known_rows(row: Directive) -> list[KnownDirective]:
    return [known for known in directives().get(row.name.lower(), []) if known.is_section is row.section and known.shapes]


def contexts(known: KnownDirective) -> Where:
    where = Where(0)
    for name in known.where:
        where |= CONTEXTS[name]
    return where


ROWS = [pytest.param(module, row, id=f"{module.source}:{row.name}") for module in all_modules() for row in module.directives]


#: Every attribute that is read anywhere in the sources.
READ = frozenset(
    name
    for path in Path(coachwhip.__file__).parent.rglob("*.py")
    for name in re.findall(r"\.([a-z_][a-z0-9_]*)\b", path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize(("module", "row"), ROWS)
def test_a_setting_that_nobody_reads_is_said_to_differ(module: Module, row: Directive) -> None:
    assert row.differs or not row.sets or row.sets in READ


@pytest.mark.parametrize(("module", "row"), ROWS)
def test_row_is_as_in_apache(module: Module, row: Directive) -> None:
    known = known_rows(row)
    if not known:
        pytest.skip("Apache has no such directive")
    assert row.where in [contexts(one) for one in known]
    assert any(row.args.apache in one.shapes for one in known)
    assert any(row.on_read is ("EXEC_ON_READ" in one.where) for one in known)
    assert row.help


@pytest.mark.parametrize("module", all_modules(), ids=lambda module: module.source)
def test_module_is_known_by_apaches_names(module: Module) -> None:
    found = modules().get(module.identifier)
    if found is not None and found.source != "-":
        assert module.source == found.source


@pytest.mark.parametrize("identifier", sorted(SHIPPED))
def test_what_ships_can_be_imported(identifier: str) -> None:
    assert importlib.import_module(SHIPPED[identifier]).MODULE.identifier == identifier


def test_what_is_built_in_ships() -> None:
    assert set(STATIC) <= set(SHIPPED)


def test_every_directive_of_apache_is_known() -> None:
    by_manual = [row for rows in directives().values() for row in rows if row.status != "undocumented"]
    assert len(by_manual) == 801
    assert {shape for row in by_manual for shape in row.shapes} <= SHAPES


def test_two_modules_do_not_share_a_directive() -> None:
    # MPMs do, since only one of them is ever loaded.
    seen: dict[str, str] = {}
    for module in all_modules():
        if module.identifier.startswith("mpm_"):
            continue
        for row in module.directives:
            key = f"<{row.name}" if row.section else row.name
            assert seen.setdefault(key.lower(), module.source) == module.source
