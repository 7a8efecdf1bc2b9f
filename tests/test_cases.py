"""Every recorded behaviour case, played against our server: one test per file under `tests/cases`.

The expectations come from the real Apache (`python -m conformance.record`); this suite needs none installed.
`COACHWHIP_CASES_COMMAND` names another httpd-like command to play them against, as a separate process.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from coachwhip.testing.casefile import parse
from coachwhip.testing.play import check, observe

CASES = Path(__file__).parent / "cases"
COMMAND = shlex.split(os.environ.get("COACHWHIP_CASES_COMMAND", "")) or None


@pytest.mark.parametrize("path", sorted(CASES.rglob("*.case")), ids=lambda path: str(path.relative_to(CASES)))
def test_case(path: Path) -> None:
    case = parse(path.read_text("utf-8"))
    problems = list(check(case, observe(case, COMMAND)))
    assert not problems, "\n".join([case.title, *problems])
