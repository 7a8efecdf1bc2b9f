"""An answer that is larger than its socket takes: who is asked for room, how long it may take, what comes meanwhile."""

import os

import pytest

MIB = 1 << 20
SIZE = 64 * MIB
GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def begun(serve):
    """A worker, a line on which a large answer is on its way, and its connection."""
    inside = serve("Timeout 7")
    large = inside.root / "htdocs" / "large"
    large.touch()
    os.truncate(large, SIZE)
    line = inside.line()
    assert line.ask(GET).endswith(b"hello\n")
    line.send(LARGE)
    inside.turns(10)
    (connection,) = inside.worker.connections
    return inside, line, connection


def take(inside, line, count):
    """Read so much of the answer, and no more."""
    line._socket.setblocking(True)
    while count > 0:
        count -= len(line._socket.recv(min(count, MIB)))
        inside.turn()
    line._socket.setblocking(False)


def test_the_system_is_asked_for_room_once(begun, monkeypatch):
    inside, line, connection = begun
    asked = []
    poller = type(inside.worker.poller)
    watch = poller.watch_writes
    monkeypatch.setattr(poller, "watch_writes", lambda self, one, on: (asked.append(on), watch(self, one, on)))
    assert connection.is_writing
    take(inside, line, SIZE)
    assert asked == [False]
    assert not connection.is_writing


def test_nothing_is_read_where_nothing_has_come(begun, monkeypatch):
    inside, line, _ = begun
    read = []
    monkeypatch.setattr("coachwhip.connection.poller.read", lambda fd, count: read.append(fd) or os.read(fd, count))
    take(inside, line, SIZE)
    assert read == []


def test_a_request_that_comes_meanwhile_is_answered_behind_it(begun):
    inside, line, _ = begun
    line.send(GET)
    inside.turns()
    take(inside, line, MIB)
    line.send(GET)
    take(inside, line, SIZE - MIB)
    inside.turns()
    line._receive()
    # The head of the first answer came before its body, so as much of the body is left.
    rest = line._data.lstrip(b"\0")
    assert rest.count(b"HTTP/1.1 200 ") == 2
    assert rest.endswith(b"hello\n")


def test_others_are_answered_meanwhile(begun):
    inside, line, _ = begun
    other = inside.line()
    for _ in range(8):
        take(inside, line, 4 * MIB)
        assert other.ask(GET).endswith(b"hello\n")


def test_time_runs_from_the_last_bytes_that_were_taken(begun):
    inside, line, connection = begun
    connection.clock.deadline = 0.0
    take(inside, line, 16 * MIB)
    assert connection.clock.deadline > 0.0
    inside.let_pass(6)
    assert not connection.is_closed
    inside.let_pass(8)
    assert connection.is_closed


def test_what_was_taken_counts_while_it_is_taken_and_in_the_log_when_it_is_cut(begun):
    inside, line, connection = begun
    before = connection.moved
    take(inside, line, 16 * MIB)
    moved = connection.moved
    assert moved >= before + 8 * MIB
    line.reset()
    while not connection.is_closed:
        inside.turn()
    status, sent, how, *_ = inside.log("access.log").splitlines()[-1].split()
    assert (status, how) == ("200", "X")
    assert 16 * MIB <= int(sent) <= SIZE


def test_a_file_that_is_cut_meanwhile_ends_the_connection(begun):
    inside, line, connection = begun
    os.truncate(inside.root / "htdocs" / "large", 20 * MIB)
    while not connection.is_closed:
        inside.turn()
        line._receive()
    assert "response cut: file became shorter while it was sent" in inside.log()
