"""Every row in its short form, judged by the bars that a busy machine cannot move: failed requests, exit status, bytes."""

import pytest
from faults.catalogue import rows
from faults.rig import SERVERS
from faults.rows import Stage, hold

#: Rows whose pieces are tests elsewhere.
ELSEWHERE = {"F18": "tests of fuzz/"}


@pytest.mark.parametrize("name", [name for name in rows() if name not in ELSEWHERE])
def test_the_bars_hold(name: str) -> None:
    verdict = hold(rows()[name], Stage(SERVERS["coachwhip"]), timed=False)
    if verdict.absent:
        pytest.skip(verdict.absent)
    assert not verdict.error
    assert not verdict.missed, verdict.figures
