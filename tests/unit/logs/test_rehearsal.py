"""Logs that are only looked for, and their programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.api.log import LogTargetError
from coachwhip.logs.rehearsal import Rehearsal


def test_nothing_is_run_and_nothing_is_opened(tmp_path: Path) -> None:
    room = Rehearsal(str(tmp_path))
    for target in ("log", "/dev/stdout", f"|/bin/touch {tmp_path}/made", f"|$touch {tmp_path}/made"):
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


UNOPENABLE = [("none/log", "No such file"), ("folder", "Is a dir"), ("file/log", "Not a dir"), ("loose", "No such file")]


@pytest.mark.parametrize(("target", "reason"), UNOPENABLE)
def test_a_file_that_could_not_be_opened_is_refused(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loose").symlink_to("none/log")
    room = Rehearsal(str(tmp_path))
    with pytest.raises(LogTargetError, match=f"{reason}.*AH00649: could not open transfer log file {tmp_path}/{target}"):
        room.open(target)
    with pytest.raises(OSError, match=reason):
        room.open_error_file(str(tmp_path / target))


@pytest.mark.parametrize("target", ["|nonexistent", "|$nonexistent x", "|coachwhip rotatelogs x 5"])
def test_what_depends_on_where_the_server_runs_is_left_to_it(tmp_path: Path, target: str) -> None:
    room = Rehearsal(str(tmp_path))
    room.open(target)
    room.close()
