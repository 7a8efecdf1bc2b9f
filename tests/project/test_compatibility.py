"""COMPATIBILITY.md is what the generator writes, and its rows are true as far as that can be read off the source."""

import importlib
import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from conformance.compatibility import Entry, State, entries, own_directives, render, shipped_modules

from coachwhip.api import Directive, Module
from coachwhip.modules import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "coachwhip"


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "COMPATIBILITY.md").read_text(encoding="utf-8") == render(), (
        "python -m conformance.compatibility > COMPATIBILITY.md"
    )


def test_every_directive_of_the_manual_has_one_row() -> None:
    rows = Counter((entry.known.module, entry.known.name) for entry in entries() if entry.known.status != "undocumented")
    assert len(rows) == rows.total() == 801


def test_every_row_of_ours_is_in_the_document() -> None:
    listed = {id(entry.row) for entry in entries() if entry.row is not None}
    listed |= {id(row) for _, row in own_directives()}
    names = {(row.name.lower(), row.section) for row in _rows() if id(row) not in listed}
    # An MPM's rows are shared between modules or replaced by rows of the same name.
    assert names <= {(entry.known.name.lower(), entry.known.is_section) for entry in entries()}


def test_directives_that_apache_lacks_are_few() -> None:
    others = {row.name for module, row in own_directives() if module.source != "mod_replay.c"}
    assert others == {"MaxMemoryPerChild", "MaxAgePerChild", "NoNewPrivileges", "Umask"}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("Alias", State.SUPPORTED),
        ("Directory", State.SUPPORTED),
        ("EnableMMAP", State.DIFFERS),
        ("ChrootDir", State.DIFFERS),
        ("CoreDumpDirectory", State.DIFFERS),
        ("LoadFile", State.REFUSED),
        ("SSLEngine", State.REFUSED),
        ("AsyncFilter", State.REFUSED),
    ],
)
def test_states(name: str, state: State) -> None:
    (entry,) = [one for one in entries() if one.known.name == name]
    assert entry.state is state


def _rows() -> list[Directive]:
    return [row for module in shipped_modules() for row in module.directives]


def _fields_read() -> frozenset[str]:
    """Every name that stands behind a dot somewhere in the source."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    return frozenset(re.findall(r"\.([a-z_0-9]+)\b", text)) | frozenset(re.findall(r'\bgetattr\([^,]+, "([a-z_0-9]+)"', text))


def test_a_setting_that_nothing_reads_says_so() -> None:
    """A directive is not accepted in silence: if nobody looks at what it sets, its row tells the reader."""
    read = _fields_read()
    silent = [row.name for row in _rows() if row.sets is not None and row.sets not in read and not row.differs]
    assert not silent


def test_every_field_is_set_by_a_row_or_read() -> None:
    """No settings record keeps a field that no line can set and nobody reads."""
    read = _fields_read()
    text = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE / "modules").rglob("*.py"))
    idle = []
    for module in shipped_modules():
        for config in filter(None, (module.dir_config, module.server_config)):
            idle += [
                f"{config.__name__}.{field.name}"
                for field in fields(config)
                if field.name not in read and not re.search(rf'"{field.name}"', text)
            ]
    assert not idle, ", ".join(idle)


@pytest.mark.parametrize("identifier", sorted(SHIPPED))
def test_every_row_has_help_and_differences_are_one_line(identifier: str) -> None:
    module: Module = importlib.import_module(SHIPPED[identifier]).MODULE
    for row in module.directives:
        assert row.help, row.name
        assert "\n" not in row.differs, row.name


def test_remarks_keep_the_tables_whole() -> None:
    lines = [line for line in render().split("\n") if line.startswith("|")]
    assert not [line for line in lines if not line.endswith("|")]
    assert {type(entry) for entry in entries()} == {Entry}
