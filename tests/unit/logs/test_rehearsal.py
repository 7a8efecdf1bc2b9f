"""Logs whose programs are only looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.api.log import LogTargetError
from coachwhip.logs.rehearsal import Rehearsal


def test_nothing_is_run_and_nothing_is_opened(tmp_path: Path) -> None:
    room = Rehearsal(str(tmp_path))
    for target in ("log", "none/log", f"|/bin/touch {tmp_path}/made", f"|$touch {tmp_path}/made"):
        room.open(target).write(b"line\n")
    room.open_error_file(str(tmp_path / "e.log")).write(b"line\n")
    assert room.programs == []
    room.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["|/none/x y", "||/none/x y", "|$/none/x | y", '|"/none/x" y', "|", "|/etc/passwd"])
def test_what_could_not_be_run_is_refused(tmp_path: Path, target: str) -> None:
    room = Rehearsal(str(tmp_path))
    with pytest.raises(LogTargetError, match="AH00104: unable to start piped log program"):
        room.open(target, buffered=True)
    with pytest.raises(LogTargetError, match="AH00104: unable to start piped log program"):
        room.open_error_program(target)


@pytest.mark.parametrize("target", ["|nonexistent", "|$nonexistent x", "|coachwhip rotatelogs x 5"])
def test_what_depends_on_where_the_server_runs_is_left_to_it(tmp_path: Path, target: str) -> None:
    room = Rehearsal(str(tmp_path))
    room.open(target)
    room.close()
