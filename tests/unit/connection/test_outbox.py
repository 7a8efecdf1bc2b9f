"""What waits to be written: gathered, at the client's pace, from memory and from files that may change meanwhile."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.api.buckets import File
from coachwhip.api.record import Record
from coachwhip.connection import outbox as room
from coachwhip.connection.outbox import TURN, ClientGone, FileShrank, Outbox
from coachwhip.request.files import RecordedFiles

MIB = 1 << 20


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    yield near, far
    near.close()
    far.close()


def opened(path: Path, start: int = 0, length: int | None = None) -> File:
    file = RecordedFiles(Record()).open(str(path))
    return File(file, start, file.size - start if length is None else length)


def receive(far: socket.socket) -> bytes:
    try:
        return far.recv(16 * MIB)
    except BlockingIOError:
        return b""


def pump(outbox: Outbox, far: socket.socket) -> bytes:
    """Flush and read until all is sent."""
    got = b""
    while not outbox.flush():
        got += receive(far)
    while piece := receive(far):
        got += piece
    return got


def test_pieces_and_files_come_out_in_order(pair, tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789" * 100_000)
    outbox = Outbox(pair[0])
    outbox.put(b"head ", iter((b"a", b"b", opened(tmp_path / "f"), b"", b"c", opened(tmp_path / "f", 3, 4), b"end")))
    assert pump(outbox, pair[1]) == b"head ab" + b"0123456789" * 100_000 + b"c3456end"
    assert outbox.sent == 5 + 2 + 1_000_000 + 1 + 4 + 3
    assert outbox.is_empty


def test_no_more_than_one_gathering_is_pulled_from_a_client_that_does_not_read(pair):
    pulled = []

    def pieces():
        for number in range(100_000):
            pulled.append(number)
            yield b"x" * 1000

    outbox = Outbox(pair[0])
    outbox.put(b"", pieces())
    while not outbox.flush():
        before = len(pulled)
        outbox.flush()
        if len(pulled) == before:
            break
    assert 0 < len(pulled) < 5000
    outbox.drop()
    assert outbox.is_empty


def test_an_empty_piece_gives_others_a_turn(pair):
    outbox = Outbox(pair[0])
    outbox.put(b"head", iter((b"a", b"", b"b")))
    assert not outbox.flush()
    assert receive(pair[1]) == b"heada"
    assert outbox.flush()
    assert receive(pair[1]) == b"b"


def test_a_fast_reader_gets_a_bounded_part_in_one_turn(tmp_path):
    (tmp_path / "f").touch()
    os.truncate(tmp_path / "f", 64 * MIB)

    class Hungry:
        """A socket that takes all."""

        def __init__(self):
            self.count = 0

        def send(self, data, flags=0):
            self.count += len(data)
            return len(data)

    hungry = Hungry()
    outbox = Outbox(hungry)
    outbox.put(b"", (b"x" * MIB for _ in range(64)))
    assert not outbox.flush()
    assert hungry.count <= TURN + MIB


def test_bytes_left_of_an_interim_response_are_not_counted_with_the_answer(pair):
    outbox = Outbox(pair[0])
    outbox.put(b"interim", None)
    outbox.put(b"answer", None)
    assert outbox.flush()
    assert outbox.sent == 6
    assert receive(pair[1]) == b"interimanswer"


def test_large_files_alone_have_the_system_tell_later_of_room(pair, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(room, "tell_later", told.append)
    for size, expected in ((TURN, []), (TURN + 1, [pair[0]])):
        (tmp_path / "f").touch()
        os.truncate(tmp_path / "f", size)
        outbox = Outbox(pair[0])
        outbox.put(b"", iter((opened(tmp_path / "f"),)))
        assert len(pump(outbox, pair[1])) == size
        assert told == expected


def test_a_file_that_shrinks_is_an_error_not_a_loop(pair, tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 10 * MIB)
    outbox = Outbox(pair[0])
    outbox.put(b"", iter((opened(tmp_path / "f"),)))
    assert not outbox.flush()
    os.truncate(tmp_path / "f", 5)
    with pytest.raises(FileShrank):
        pump(outbox, pair[1])


def test_a_file_that_grows_or_loses_its_name_is_sent_as_it_was_measured(pair, tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 5 * MIB)
    outbox = Outbox(pair[0])
    outbox.put(b"", iter((opened(tmp_path / "f"), b"|")))
    assert not outbox.flush()
    with (tmp_path / "f").open("ab") as file:
        file.write(b"y" * MIB)
    (tmp_path / "g").write_bytes(b"z" * 5 * MIB)
    (tmp_path / "g").rename(tmp_path / "f")
    assert pump(outbox, pair[1]) == b"x" * 5 * MIB + b"|"


@pytest.mark.parametrize("where", ["closed", "reset"])
def test_a_client_that_is_gone(pair, tmp_path, where):
    (tmp_path / "f").write_bytes(b"x" * MIB)
    for body in (None, (opened(tmp_path / "f"),)):
        outbox = Outbox(pair[0])
        outbox.put(b"" if body else b"data", iter(body) if body else None)
        pair[1].close()
        with pytest.raises(ClientGone):
            outbox.flush()


def test_where_sendfile_does_not_work_the_file_is_read(pair, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EINVAL, "Invalid argument")

    (tmp_path / "f").write_bytes(b"0123456789" * 100_000)
    monkeypatch.setattr(room, "sendfile", refuse)
    outbox = Outbox(pair[0])
    outbox.put(b"h", iter((opened(tmp_path / "f"),)))
    assert pump(outbox, pair[1]) == b"h" + b"0123456789" * 100_000


def test_a_file_that_cannot_be_read_any_more(pair, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "f").write_bytes(b"x")
    monkeypatch.setattr(room, "sendfile", fail)
    file = opened(tmp_path / "f")
    monkeypatch.setattr(os, "pread", fail)
    outbox = Outbox(pair[0])
    outbox.put(b"", iter((file,)))
    with pytest.raises(FileShrank, match="cannot be read any more"):
        outbox.flush()
