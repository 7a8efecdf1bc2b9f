"""The pid file: what is in it counts only if it is a process id, and it is written as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coachwhip.mpm.pidfile import PidFile, PidFileError


def test_no_file_is_no_process(tmp_path: Path) -> None:
    assert PidFile(str(tmp_path / "p")).read() is None


@pytest.mark.parametrize(("content", "pid"), [("12\n", 12), (" 12 34", 12), ("1", 1), ("12\r\n", 12)])
def test_the_first_word_is_the_process(tmp_path: Path, content: str, pid: int) -> None:
    (tmp_path / "p").write_text(content)
    assert PidFile(str(tmp_path / "p")).read() == pid


@pytest.mark.parametrize("content", ["", "\n", "abc", "0", "-5", "12x", "9" * 30, "\0", "１２"])
def test_anything_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "p").write_text(content)
    with pytest.raises(PidFileError, match="AH00058"):
        PidFile(str(tmp_path / "p")).read()


def test_written_and_removed_by_the_same_process(tmp_path: Path) -> None:
    file = PidFile(str(tmp_path / "p"))
    file.write()
    assert file.read() == os.getpid()
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o644
    file.remove()
    assert not (tmp_path / "p").exists()


def test_another_ones_file_stays(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("1\n")
    PidFile(str(tmp_path / "p")).remove()
    assert (tmp_path / "p").exists()


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    (tmp_path / "p").symlink_to(tmp_path / "precious")
    PidFile(str(tmp_path / "p")).write()
    assert (tmp_path / "precious").read_text() == "keep me"
    assert not (tmp_path / "p").is_symlink()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PidFileError, match=r"^\(2\)No such file or directory: AH00099: could not create "):
        PidFile(str(tmp_path / "no/p")).write()


def test_who_is_running() -> None:
    file = PidFile("/nowhere")
    assert not file.is_running(os.getpid())
    assert file.is_running(os.getppid())
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not file.is_running(child.pid), "a zombie is not running"
    assert not file.is_running(child.pid)
