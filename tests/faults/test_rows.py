"""What a bar is, who misses it, and what the command makes of that."""

import json
import math
from pathlib import Path

import pytest
from faults.rig import SERVERS
from faults.rows import Bar, Figures, NotHere, Row, Stage, fault, hold, judge
from faults.show import print_verdicts, table_lines, write_json

from faults import __main__ as command

STAGE = Stage(SERVERS["coachwhip"])
BARS = (Bar("failed", most=0), Bar("finished", least=2), Bar("p99", "ms", most=10, timed=True), Bar("stale"))


def row(**figures: float) -> Row:
    return Row("F0", "a title", BARS, lambda stage: {name.replace("_", " "): figure for name, figure in figures.items()})


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        ({"failed": 0, "finished": 2, "p99": 10, "stale": 9}, []),
        ({"failed": 1, "finished": 1, "p99": 11, "stale": 9}, ["failed", "finished", "p99"]),
        ({"failed": 0, "finished": math.inf, "p99": math.inf, "stale": 0}, ["p99"]),
        ({"failed": 0, "finished": 2, "p99": math.nan, "stale": 0}, ["p99"]),
        ({}, ["failed", "finished", "p99", "stale"]),
    ],
)
def test_a_bar_is_missed_beyond_it_and_without_a_figure(figures: Figures, missed: list[str]) -> None:
    assert [bar.name for bar in judge(row(), figures)] == missed


def test_tests_do_not_judge_what_a_busy_machine_moves() -> None:
    assert not judge(row(), {"failed": 0, "finished": 2, "p99": 1e9, "stale": 0}, timed=False)
    assert judge(row(), {"failed": 0, "finished": 2, "p99": math.inf, "stale": 0}, timed=False)


@pytest.mark.parametrize(
    ("bar", "text"),
    [
        (Bar("x", most=0), "0"),
        (Bar("x", "ms", most=50), "≤ 50 ms"),
        (Bar("x", least=1), "≥ 1"),
        (Bar("x", least=3, most=3), "3"),
        (Bar("x"), "told"),
    ],
)
def test_a_bar_reads_as_in_the_table(bar: Bar, text: str) -> None:
    assert str(bar) == text


def test_a_row_that_breaks_off_is_missed_and_one_that_is_absent_is_not() -> None:
    def breaks(stage: Stage) -> Figures:
        raise TimeoutError("no worker")

    def lacks(stage: Stage) -> Figures:
        raise NotHere("no such machine")

    broken, absent = hold(Row("F0", "", BARS, breaks), STAGE), hold(Row("F0", "", BARS, lacks), STAGE)
    assert (broken.passed, broken.error) == (False, "TimeoutError: no worker")
    assert (absent.passed, absent.absent) == (True, "no such machine")


def test_two_rows_cannot_have_one_name() -> None:
    command.all_rows()
    with pytest.raises(ValueError, match="F1 is declared twice"):
        fault("F1", "again")(lambda stage: {})


def test_the_table_has_every_figure_beside_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdicts([hold(row(failed=3, finished=2, p99=math.inf, stale=1), STAGE)])
    lines = capsys.readouterr().out.split("\n")[1:5]
    wanted = ["failed 3 0 missed", "finished 2 ≥ 2 passed", "p99 never ≤ 10 ms missed", "stale 1 told"]
    assert [" ".join(line.split()) for line in lines] == wanted


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (1, 1)])
def test_the_exit_status_says_whether_all_held(failed: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = row(failed=failed, finished=2, p99=1.0, stale=0)
    monkeypatch.setattr(command, "all_rows", lambda: {"F0": one})
    assert command.main(["F0", "--json", str(tmp_path / "out.json")]) == status
    told = json.loads((tmp_path / "out.json").read_text())
    assert (told["server"], told["long"], told["rows"][0]["passed"]) == ("coachwhip", False, status == 0)
    assert told["rows"][0]["figures"][0] == {"name": "failed", "unit": "", "figure": failed, "bar": "0", "missed": bool(failed)}


def test_a_figure_that_never_came_is_null(tmp_path: Path) -> None:
    write_json([hold(row(failed=math.inf), STAGE)], tmp_path / "out.json", "x", False)
    assert [one["figure"] for one in json.loads((tmp_path / "out.json").read_text())["rows"][0]["figures"]] == [None] * 4


def test_a_row_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["F99"])
    assert left.value.code == 2
    assert "no such row: F99" in capsys.readouterr().err


def test_every_row_says_how_it_is_injected_and_can_be_missed() -> None:
    for one in command.all_rows().values():
        assert one.how.endswith("."), one.id
        assert any(bar.most is not None or bar.least is not None for bar in one.bars), one.id
        assert len({bar.name for bar in one.bars}) == len(one.bars), one.id


def test_the_page_has_every_row() -> None:
    page = (Path(command.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [line for line in page.split("\n") if line.startswith("| F")] == list(table_lines(command.all_rows().values()))
