"""`Writer`: one write for a turn, whole lines for pipes, a bound for those that take nothing, and never an exception."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from coachwhip.logs import writer as writing
from coachwhip.logs.writer import Writer


class Turns:
    """A loop whose turns end when the test says so."""

    def __init__(self, running: bool = True) -> None:
        self.running = running
        self.waiting: list[Callable[[], None]] = []
        self.delayed: list[Callable[[], None]] = []

    def soon(self, flush: Callable[[], None]) -> bool:
        if self.running:
            self.waiting.append(flush)
        return self.running

    def later(self, seconds: float, flush: Callable[[], None]) -> None:
        self.delayed.append(flush)

    def end(self) -> None:
        for flush in self.waiting[:]:
            self.waiting.remove(flush)
            flush()


def open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def pipe() -> tuple[int, int]:
    read, write = os.pipe()
    os.set_blocking(write, False)
    return read, write


def fill(fd: int) -> int:
    """Fill a pipe to the brim; returns how many bytes it took."""
    count = 0
    for size in (4096, 1):
        try:
            while True:
                count += os.write(fd, b"x" * size)
        except BlockingIOError:
            continue
    return count


def test_without_a_loop_each_line_is_written_at_once(tmp_path: Path) -> None:
    log = Writer(open_log(tmp_path / "a"), "a", turns=Turns(running=False))
    log.write(b"one\n")
    assert (tmp_path / "a").read_bytes() == b"one\n"


def test_the_lines_of_a_turn_go_together(tmp_path: Path) -> None:
    turns = Turns()
    log = Writer(open_log(tmp_path / "a"), "a", turns=turns)
    log.write(b"one\n")
    log.write(b"two\n")
    assert (tmp_path / "a").read_bytes() == b"" and len(turns.waiting) == 1
    turns.end()
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"


def test_many_lines_do_not_wait_for_the_end_of_the_turn(tmp_path: Path) -> None:
    log = Writer(open_log(tmp_path / "a"), "a", turns=Turns())
    log.write(b"x" * writing.ENOUGH + b"\n")
    assert (tmp_path / "a").stat().st_size == writing.ENOUGH + 1


def test_buffered_lines_wait_for_enough_of_them_or_the_end(tmp_path: Path) -> None:
    turns = Turns()
    log = Writer(open_log(tmp_path / "a"), "a", turns=turns, buffered=True)
    line = b"x" * 999 + b"\n"
    for _ in range(4):
        log.write(line)
    turns.end()
    assert (tmp_path / "a").stat().st_size == 0
    log.write(line)
    assert (tmp_path / "a").stat().st_size == 4000
    log.finish()
    assert (tmp_path / "a").stat().st_size == 5000


def test_a_full_pipe_keeps_lines_in_order_until_it_is_read() -> None:
    read, write = pipe()
    turns = Turns()
    log = Writer(write, "p", turns=turns)
    brim = fill(write)
    log.write(b"one\n")
    turns.end()
    log.write(b"two\n")
    assert len(turns.delayed) == 1
    assert len(os.read(read, brim)) == brim
    turns.delayed.pop()()
    assert os.read(read, 100) == b"one\ntwo\n"
    os.close(read)
    log.close()


def test_a_stopped_reader_costs_lines_that_are_counted() -> None:
    read, write = pipe()
    told: list[object] = []
    log = Writer(
        write,
        "p",
        on_loss=lambda writer, lines: told.append(lines),
        on_failure=lambda writer, error: told.append(error.errno),
    )
    brim = fill(write)
    line = b"y" * 1023 + b"\n"
    for _ in range(writing.BOUND // len(line) + 3):
        log.write(line)
    assert log.lost == 3 and told == [errno.EAGAIN]
    os.set_blocking(read, False)
    left = brim + writing.BOUND
    while left:
        left -= len(os.read(read, 1 << 20))
        log.flush()
    assert told == [errno.EAGAIN, 3] and (log.lost, log.lost_ever) == (0, 3)
    os.close(read)
    log.close()


def test_whole_lines_are_written_to_a_pipe_in_pieces_that_cannot_be_torn() -> None:
    read, write = pipe()
    turns = Turns()
    log = Writer(write, "p", turns=turns)
    for _ in range(10):
        log.write(b"z" * 999 + b"\n")
    turns.end()
    assert os.read(read, 1 << 16) == (b"z" * 999 + b"\n") * 10
    os.close(read)
    log.close()


def test_a_closed_pipe_and_a_full_disk_cost_lines_only() -> None:
    read, write = pipe()
    os.close(read)
    log = Writer(write, "p")
    log.write(b"one\n")
    assert log.lost == 1
    log.close()
    full = Writer(os.open("/dev/full", os.O_WRONLY), "full")
    full.write(b"one\n")
    assert full.lost == 1
    full.close()


def test_a_full_disk_is_told_once() -> None:
    told: list[int | None] = []
    full = Writer(os.open("/dev/full", os.O_WRONLY), "full", on_failure=lambda writer, error: told.append(error.errno))
    full.write(b"one\n")
    full.write(b"two\n")
    assert full.lost == 2 and told == [errno.ENOSPC]
    full.close()


def test_a_line_that_the_disk_cut_does_not_run_into_the_next(tmp_path: Path) -> None:
    log = Writer(open_log(tmp_path / "a"), "a")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, before[1]))
    try:
        log.write(b"one\n")
        log.write(b"two\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.write(b"three\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntw\nthree\n"
    assert log.lost_ever == 1


def test_what_nobody_reads_at_the_end_is_counted_and_told() -> None:
    read, write = pipe()
    told: list[int] = []
    log = Writer(write, "p", on_loss=lambda writer, lines: told.append(lines))
    fill(write)
    log.write(b"one\n")
    log.close()
    assert told == [1]
    os.close(read)


def test_after_close_nothing_happens(tmp_path: Path) -> None:
    log = Writer(open_log(tmp_path / "a"), "a")
    log.close()
    log.write(b"late\n")
    log.close()
    assert (tmp_path / "a").read_bytes() == b""


def test_the_lines_of_a_turn_are_written_at_once_but_behind_those_that_wait(tmp_path: Path) -> None:
    turns = Turns()
    log = Writer(open_log(tmp_path / "a"), "a", turns=turns)
    log.write_all([b"1\n", b"2\n"])
    assert (tmp_path / "a").read_bytes() == b"1\n2\n"
    log.write(b"3\n")
    log.write_all([b"4\n"])
    turns.end()
    assert (tmp_path / "a").read_bytes() == b"1\n2\n3\n4\n"
    log.close()


def test_of_a_turn_that_a_file_does_not_take_lines_are_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Writer(open_log(tmp_path / "a"), "a", turns=Turns())
    taken = iter([3])
    real = os.write

    def write(fd: int, data: bytes) -> int:
        for count in taken:
            return real(fd, data[:count])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(writing.os, "write", write)
        log.write_all([b"1\n", b"22\n", b"3\n"])
    assert log.lost_ever == 2
    log.write_all([b"4\n"])
    log.close()
    assert (tmp_path / "a").read_bytes() == b"1\n2\n4\n"
