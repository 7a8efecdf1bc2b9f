"""Every row in its short form, judged by the bars that a busy machine cannot move: failed requests, exit status, bytes."""

import pytest
from faults.catalogue import rows
from faults.rig import SERVERS
from faults.rows import Stage, hold

#: What is missed as yet, by row; whoever mends one takes it off.
MISSED = {
    # No line is named for a port that is taken, nor for a log whose folder is not there.
    "F4": {"not told where"},
}

#: Rows whose pieces are tests elsewhere.
ELSEWHERE = {"F18": "tests of fuzz/"}


@pytest.mark.parametrize("name", [name for name in rows() if name not in ELSEWHERE])
def test_the_bars_hold(name: str) -> None:
    verdict = hold(rows()[name], Stage(SERVERS["coachwhip"]), timed=False)
    if verdict.absent:
        pytest.skip(verdict.absent)
    assert not verdict.error
    assert {bar.name for bar in verdict.missed} <= MISSED.get(name, set()), verdict.figures


def test_the_list_of_what_is_missed_names_rows_and_bars() -> None:
    for name, missed in MISSED.items():
        assert missed <= {bar.name for bar in rows()[name].bars}
