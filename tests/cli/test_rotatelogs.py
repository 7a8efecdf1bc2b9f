"""`coachwhip rotatelogs` does what Debian's rotatelogs does: the same arguments, files, names and messages, on the same clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rotatelogs_cases import RECORDED, RUNS, START, ZONE, Run, lay_out, left_in, without_usage

from coachwhip.cli import rotatelogs
from coachwhip.logs.rotation import Rotation, RotationFailed, Rules

ANSWERS = json.loads(RECORDED.read_text())
COMMAND = (sys.executable, "-m", "coachwhip", "rotatelogs")

#: Where ours is otherwise on purpose → why.
DIFFERENT = {
    "arguments a 99999999999": "a number that does not fit is refused; Apache's takes what is left of it in 32 bits",
    "folders: not asked for, later": "what was logged before stays",
    "a folder in the place of the next file": "what was logged before stays",
    "a folder in the place of the next file, told": "what was logged before stays",
}


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", ZONE)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("run", [run for run in RUNS if run.name not in DIFFERENT], ids=lambda run: run.name)
def test_as_apache(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    lay_out(run, tmp_path)
    monkeypatch.chdir(tmp_path)
    started = started_by(monkeypatch)
    status = play(run, monkeypatch, started)
    until(lambda: all(has_ended(pid) for pid in started))
    out, err = capfd.readouterr()
    assert {"status": status, "out": out, "err": without_usage(err), "left": left_in(tmp_path)} == ANSWERS[run.name]


def play(run: Run, monkeypatch: pytest.MonkeyPatch, started: list[int]) -> int:
    """Run the command in this process: reading gives what was written, and moves the clock there.

    `started`: programs that have ended by the time the next text comes, as they have where minutes lie between.
    """
    clock = START
    left = list(run.input)

    def read(fd: int, size: int) -> bytes:
        nonlocal clock
        until(lambda: all(has_ended(pid) for pid in started))
        if not left:
            return b""
        at, text = left.pop(0)
        clock = START + at
        return text.encode()

    class Waiting:
        """Nothing to read as long as the next text is an empty one: its period passes."""

        def register(self, fd: int, events: int) -> None:
            assert fd == 0

        def poll(self, milliseconds: int) -> list[int]:
            nonlocal clock
            if left and not left[0][1]:
                clock = START + left.pop(0)[0]
                return []
            return [0]

    monkeypatch.setattr(rotatelogs.os, "read", read)
    monkeypatch.setattr(rotatelogs.select, "poll", Waiting)
    monkeypatch.setattr(rotatelogs.time, "time", lambda: float(clock))
    monkeypatch.setattr(rotatelogs.signal, "signal", lambda number, handler: None)
    return rotatelogs.run(run.arguments.split())


def started_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The programs that will be started for new files; other tests may have children of this process, too."""
    started: list[int] = []
    spawn = os.posix_spawn

    def note(program: str, *more: Any) -> int:
        started.append(spawn(program, *more))
        return started[-1]

    monkeypatch.setattr(os, "posix_spawn", note)
    return started


def has_ended(pid: int) -> bool:
    """Whether a program has, whoever took notice."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def test_the_list_of_differences_is_true(tmp_path: Path) -> None:
    assert set(DIFFERENT) <= {run.name for run in RUNS} == set(ANSWERS)


@pytest.mark.parametrize("line", ["a 99999999999", "a 2147483648"])
def test_a_number_that_does_not_fit_is_refused(line: str) -> None:
    with pytest.raises(rotatelogs.BadArguments, match="Invalid rotation time parameter"):
        rotatelogs.parse(line.split())


def rotation(**rules: object) -> tuple[Rotation, list[float], list[str]]:
    """With its clock, and what it says."""
    made, clock, said = Rules(), [float(START)], []
    for name, value in rules.items():
        setattr(made, name, value)
    return Rotation(made, lambda: clock[0], said.append), clock, said


def test_a_line_is_not_cut_in_two(tmp_path: Path) -> None:
    log, clock, _ = rotation(name=f"{tmp_path}/a", period=3600)
    log.write(b"one\ntw")
    clock[0] += 3600
    log.write(b"o")
    log.write(b"\nthree\n")
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"one\ntwo\n", b"three\n"]


def test_what_was_logged_stays_when_the_next_file_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "10").mkdir()
    log, clock, said = rotation(name=f"{tmp_path}/%H/a", period=3600)
    log.write(b"one\n")
    clock[0] += 3600
    log.write(b"two\n")
    log.write(b"three\n")
    assert (tmp_path / "10/a").read_bytes() == b"one\ntwo\nthree\n"
    assert said == [f"Could not open log file '{tmp_path}/11/a' (No such file or directory); going on with '{tmp_path}/10/a'"]
    (tmp_path / "11").mkdir()
    log.write(b"four\n")
    assert (tmp_path / "11/a").read_bytes() == b"four\n"


def test_a_next_file_that_cannot_be_opened_is_tried_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "10").mkdir()
    log, clock, _ = rotation(name=f"{tmp_path}/%H/a", period=3600, empty=True)
    log.open()
    waits: list[int] = []

    class Poll:
        def register(self, fd: int, events: int) -> None:
            return

        def poll(self, milliseconds: int) -> list[int]:
            waits.append(milliseconds)
            clock[0] += milliseconds // 1000
            return [0] if len(waits) > 6 else []

    monkeypatch.setattr(rotatelogs.select, "poll", Poll)
    monkeypatch.setattr(rotatelogs.os, "read", lambda fd, size: b"")
    rules = Rules()
    rules.period, rules.empty = 3600, True
    assert rotatelogs._copy(log, rules, is_echoed=False) == 0
    assert waits[1:6] == [1000, 0, 1000, 0, 1000]


def test_without_a_first_file_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    log, _, _ = rotation(name=f"{tmp_path}/none/a", period=3600)
    with pytest.raises(RotationFailed, match="Could not open log file"):
        log.write(b"one\n")


def test_a_full_disk_costs_lines_and_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.2026").symlink_to("/dev/full")
    log, clock, said = rotation(name=f"{tmp_path}/a.%Y", period=3600)
    log.write(b"one\n")
    log.write(b"two\nthree\n")
    assert said == [f"Error 28 writing to log file {tmp_path}/a.2026 (No space left on device); messages are lost"]
    (tmp_path / "a.2026").unlink()
    clock[0] += 3600
    log.write(b"four\n")
    assert said[1:] == [f"3 messages were lost; log file {tmp_path}/a.2026 takes them again"]
    assert (tmp_path / "a.2026").read_bytes() == b"four\n"


def test_a_size_beyond_2_gib(tmp_path: Path) -> None:
    rules, _ = rotatelogs.parse(["a", "3G"])
    assert rules.size == 3 << 30


def start(folder: Path, *arguments: str, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *arguments], cwd=folder, stdin=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload,no-any-return]


def test_as_a_command(tmp_path: Path) -> None:
    program = start(tmp_path, "-e", "a.log", "-l", stdout=subprocess.PIPE)
    assert program.communicate(b"")[1].startswith(b"Invalid rotation time parameter\nUsage: ")
    program = start(tmp_path, "-e", "%Y.log", "86400", stdout=subprocess.PIPE)
    assert program.communicate(b"one\ntwo\n")[0] == b"one\ntwo\n"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one\ntwo\n"]


def test_nobody_reads_its_echo(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        program = start(tmp_path, "-e", "a", "86400", stdout=full)
        assert program.communicate(b"one\n")[1] == b"Unable to write to stdout\n"
    assert program.returncode == 4


def test_programs_for_new_files_are_not_left_behind(tmp_path: Path) -> None:
    program = start(tmp_path, "-p", "/bin/true", "-f", "a", "86400")
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
    until(lambda: bool(list(tmp_path.iterdir())) and not children.read_text())
    program.communicate(b"")
    assert program.returncode == 0


def test_a_terminal_ends_it(tmp_path: Path) -> None:
    program = start(tmp_path, "-f", "a", "86400")
    until(lambda: bool(list(tmp_path.iterdir())))
    program.send_signal(signal.SIGINT)
    _, said = program.communicate()
    assert (program.returncode, said) == (-signal.SIGINT, b"")


def test_it_starts_with_little_to_import() -> None:
    code = "import sys; sys.argv[1:] = ['rotatelogs']; import coachwhip.cli.main as m; m.main(); print(*sys.modules, file=sys.stdout)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "coachwhip.logs.rotation" in loaded
    assert not loaded & {"dataclasses", "typing", "argparse", "asyncio", "logging", "subprocess", "inspect", "rich", "socket"}
    assert {name for name in loaded if name.startswith("coachwhip.")} == {
        "coachwhip.cli", "coachwhip.cli.main", "coachwhip.cli.rotatelogs", "coachwhip.logs", "coachwhip.logs.rotation",
    }  # fmt: skip
