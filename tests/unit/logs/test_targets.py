"""Targets of logs: files below ServerRoot, and programs that read lines."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from coachwhip.api.log import LogTargetError
from coachwhip.logs.targets import LogRoom, program_argv, split_command


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/cat", ("/bin/cat",)),
        ("/bin/x  a\tb ", ("/bin/x", "a", "b")),
        ("/bin/x 'a b' \"c d\"", ("/bin/x", "a b", "c d")),
        ("/bin/x a\\ b \\\"q", ("/bin/x", "a b", '"q')),
        ("/bin/x ''", ("/bin/x", "")),
        ("", ()),
    ],
)
def test_words_of_a_command(command: str, words: tuple[str, ...]) -> None:
    assert split_command(command) == words


def test_how_a_program_is_run() -> None:
    assert program_argv("|/bin/x a") == ("/bin/x", "a")
    assert program_argv("||/bin/x a") == ("/bin/x", "a")
    assert program_argv("|$x a | y") == ("/bin/sh", "-c", "x a | y")
    assert program_argv("|coachwhip rotatelogs x 5") == (sys.executable, "-P", "-m", "coachwhip", "rotatelogs", "x", "5")


@pytest.mark.parametrize("form", ["|{}", "||{}", "|${}"])
def test_a_program_runs_in_server_root_and_speaks_to_the_error_log(tmp_path: Path, form: str) -> None:
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\npwd > "$1"\necho said >&2\ncat >> "$1"\n')
    script.chmod(0o755)
    room = LogRoom(str(tmp_path))
    room.open_error_file(str(tmp_path / "error.log"))
    room.open(form.format(f"{script} out")).write(b"line\n")
    pid = room.programs[0].pid
    room.close()
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "out").read_text() == f"{tmp_path}\nline\n"
    assert (tmp_path / "error.log").read_text() == "said\n"


def test_an_error_log_that_is_a_program_hears_the_others(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    room.open_error_program("|$cat > said")
    room.open("|$echo said >&2; cat > out")
    pids = [program.pid for program in room.programs]
    room.close()
    for pid in pids:
        os.waitpid(pid, 0)
    assert (tmp_path / "said").read_text() == "said\n"


def test_a_file_has_one_writer_and_is_appended_to(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"old\n")
    room = LogRoom(str(tmp_path))
    first, second = room.open("log"), room.open(str(tmp_path / "log"))
    assert first is second
    first.write(b"new\n")
    room.close()
    assert (tmp_path / "log").read_bytes() == b"old\nnew\n"


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(LogTargetError, match=r"^\(2\)No such file or directory: AH00649: could not open transfer log file .*none/log\.$"):
        LogRoom(str(tmp_path)).open("none/log")


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    sentence = r"^\(2\)No such file or directory: AH00104: unable to start piped log program '/nonexistent/x y'$"
    with pytest.raises(LogTargetError, match=sentence):
        room.open("|/nonexistent/x y")
    with pytest.raises(LogTargetError, match=sentence):
        room.open("||/nonexistent/x y")
    with pytest.raises(LogTargetError, match=sentence):
        room.open("|$/nonexistent/x y")
    with pytest.raises(LogTargetError, match=r"^\(13\)Permission denied: AH00104: .* '/etc/passwd'$"):
        room.open("|/etc/passwd")
    with pytest.raises(LogTargetError, match="AH00104"):
        room.open("|cat")
    with pytest.raises(LogTargetError, match="AH00104"):
        room.open("|")
    assert room.programs == []


def test_a_program_reads_the_lines_and_ends_with_the_room(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    room.open(f"|$cat > {tmp_path}/out").write(b"one\n")
    pid = room.programs[0].pid
    room.close()
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "out").read_bytes() == b"one\n"


def test_a_program_is_not_in_the_group_that_a_terminal_interrupts(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    room.open("|/bin/cat")
    (program,) = room.programs
    assert os.getpgid(program.pid) == program.pid != os.getpgid(0)
    pid = program.pid
    room.close()
    os.waitpid(pid, 0)


def test_what_was_written_while_a_program_was_dead_reaches_its_successor(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    log = room.open(f"|$cat >> {tmp_path}/out")
    program = room.programs[0]
    dead = program.pid
    os.kill(dead, signal.SIGKILL)
    os.waitpid(dead, 0)
    log.write(b"meanwhile\n")
    assert room.bury(dead) == f"cat >> {tmp_path}/out"
    assert room.bury(dead) is None
    room.revive()
    assert program.pid == 0  # it rests
    program.rests_until = 0.0
    room.revive()
    assert program.pid not in (0, dead)
    pid = program.pid
    room.close()
    os.waitpid(pid, 0)
    assert (tmp_path / "out").read_bytes() == b"meanwhile\n"


def test_a_worker_of_another_generation_keeps_no_program_waiting(tmp_path: Path) -> None:
    room = LogRoom(str(tmp_path))
    log = room.open(f"|$cat > {tmp_path}/out")
    pid, kept = room.programs[0].pid, room.open("file")
    room.attach(lambda flush: None, lambda seconds, flush: None)
    log.write(b"another's\n")
    room.forget()
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "out").read_bytes() == b""
    kept.write(b"nowhere\n")
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_lines_and_what_is_printed_do_not_cover_each_other(tmp_path: Path, name: str) -> None:
    """As where standard output was redirected to a file, which goes on from its beginning when somebody empties it."""
    file = tmp_path / "out"
    fd = os.open(file, os.O_WRONLY | os.O_CREAT)
    room = LogRoom(str(tmp_path))
    try:
        os.write(fd, b"printed\n")
        log = room.open(name.format(fd), at_once=True)
        log.write(b"logged\n")
        os.write(fd, b"printed again\n")
        log.write(b"logged again\n")
        assert file.read_text() == "printed\nlogged\nprinted again\nlogged again\n"
        os.truncate(file, 0)
        log.write(b"logged\n")
        os.write(fd, b"printed\n")
        assert file.read_text() == "logged\nprinted\n"
    finally:
        room.close()
        os.close(fd)


def test_a_pipe_stays_as_it_is_for_whoever_else_writes_to_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    room = LogRoom(str(tmp_path))
    try:
        log = room.open(f"/dev/fd/{write}", at_once=True)
        assert os.get_blocking(write) and not os.get_blocking(log.fileno())
    finally:
        room.close()
        os.close(read)
        os.close(write)


def test_a_descriptor_that_can_only_be_read_is_opened_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_text("there\n")
    fd = os.open(file, os.O_RDONLY)
    room = LogRoom(str(tmp_path))
    try:
        room.open(f"/dev/fd/{fd}", at_once=True).write(b"logged\n")
        assert file.read_text() == "there\nlogged\n"
    finally:
        room.close()
        os.close(fd)
