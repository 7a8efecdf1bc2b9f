"""Every command line of `commands.py` prints what Apache 2.4.71 prints, in the same place, and ends with the same status."""

import os
from pathlib import Path

import pytest
from commands import CASES, HTTPD, RECORDED, Case, lay_out, run

from coachwhip.testing.site import free_port

#: What we do otherwise, on purpose: case → (our words, Apache's).
DIFFERENT = {
    # A name that stands under the error in place of nothing.
    "wrong-line-in-file": ("\nDid you mean ServerName?", ""),
    # Apache counts the main file as included by the -C lines before it.
    "includes-of-lines": ("(*)", "(1)"),
    "stop-nonsense": ("{root}/nonsense.pid", "nonsense.pid"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    root, port = tmp_path_factory.mktemp("site"), free_port()
    lay_out(root, port)
    return root, port


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_output_as_apache(case: Case, site: tuple[Path, int]) -> None:
    ours = run(HTTPD, case, *site)
    recorded = (RECORDED / f"{case.name}.txt").read_text()
    if os.geteuid() != 0:
        recorded = recorded.replace('id=7\n', 'id=7 not_used\n').replace('id=33\n', 'id=33 not_used\n')
    if case.name in DIFFERENT:
        ours = ours.replace(*DIFFERENT[case.name])
    assert ours == recorded
