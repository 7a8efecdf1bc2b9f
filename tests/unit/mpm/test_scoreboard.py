"""The shared scoreboard: rows are published whole, sums outlive workers, slots follow the connections of the moment."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from coachwhip.api.scoreboard import WorkerState
from coachwhip.api.traffic import Traffic
from coachwhip.connection.states import State
from coachwhip.mpm.scoreboard import PAGE, Board, Seat, WorkerScoreboard


class FakeWorker:
    def __init__(self, *connections: Any) -> None:
        self.connections = list(connections)
        self.draining = False
        self.lost_lines = 3
        counters = SimpleNamespace(hits=0, misses=2, evictions=0, stale=1, volatile={"clock": 3})
        replay = SimpleNamespace(counters=counters, count=4, memory=5000)
        self.hot: Any = SimpleNamespace(tally=SimpleNamespace(accesses=0, bytes=0, last=None, client=""), now=0.0, replay=replay)


def connection(state: State, line: str = "GET / HTTP/1.1") -> Any:
    info = SimpleNamespace(client_ip="127.0.0.1", server=SimpleNamespace(name="localhost"), local_port=80, keepalives=1, bytes_out=9)
    return SimpleNamespace(state=state, info=info, request_line=line, started=100.0)


def request(started: float = 10.0, finished: float = 10.25) -> Any:
    server = SimpleNamespace(name="localhost", core=SimpleNamespace(see_request_tail=False))
    traffic = Traffic(started, finished)
    return SimpleNamespace(connection=connection(State.SENDING).info, server=server, traffic=traffic, the_request="GET /x HTTP/1.1")


def letters(board: WorkerScoreboard) -> str:
    return "".join(slot.state.value for slot in board.slots())


def test_an_empty_row_has_nobody() -> None:
    assert Board(4).rows.read(1) is None


def test_what_was_published_last_is_read() -> None:
    rows = Board(2).rows
    rows._turn = 0xFFFC
    for pid in range(8):
        rows.write(1, Seat(pid))
        found = rows.read(1)
        assert found is not None and found.pid == pid


def test_a_torn_page_is_not_read() -> None:
    rows = Board(2).rows
    rows.write(1, Seat(1))
    rows.write(1, Seat(2))
    rows._memory[2 * PAGE + 12 : 2 * PAGE + 14] = b"##"
    found = rows.read(1)
    assert found is not None and found.pid == 1


def test_a_row_too_long_keeps_its_sums() -> None:
    rows = Board(2).rows
    rows.write(1, Seat(7, slots={"0": {"request": "x" * PAGE}}, totals={"accesses": 5}))
    found = rows.read(1)
    assert found is not None and (found.pid, found.slots, found.totals) == (7, {}, {"accesses": 5})


def test_another_process_sees_a_row() -> None:
    board = Board(3)
    row = board.claim()
    pid = os.fork()
    if pid == 0:
        board.rows.write(row, Seat(4711))
        os._exit(0)
    os.waitpid(pid, 0)
    found = board.rows.read(row)
    assert found is not None and found.pid == 4711


def test_sums_outlive_a_worker_and_its_row_is_used_again() -> None:
    board = Board(3)
    row = board.claim()
    first = WorkerScoreboard(board, row, FakeWorker(), 2)
    first.count(request(), 100)
    first.publish()
    board.release(row)
    again = board.claim()
    second = WorkerScoreboard(board, again, FakeWorker(), 2)
    second.count(request(), 11)
    assert again == row
    assert (second.totals().accesses, second.totals().bytes, second.totals().duration_ms) == (2, 111, 500)
    assert [(process.number, process.generation) for process in second.processes()] == [(0, 0)]
    assert second.processes()[0].memory > 1 << 20
    assert second.totals().lost_lines == 6
    assert second.replay().misses == 4
    assert second.replay().memory == 5000
    assert second.replay().volatile == {"clock": 6}


def test_a_restart_lets_the_sums_begin_anew() -> None:
    board = Board(4)
    rows = [board.claim(), board.claim()]
    old = WorkerScoreboard(board, rows[0], FakeWorker(), 2)
    old.count(request(), 100)
    old.publish()
    new = WorkerScoreboard(board, rows[1], FakeWorker(), 2, generation=1)
    new.count(request(), 11)
    assert (new.totals().accesses, new.restarted) == (2, board.restarted)
    before = board.restarted
    board.begin_anew(1)
    assert (new.totals().accesses, new.totals().bytes, board.totals().accesses) == (1, 11, 1)
    assert new.restarted == board.restarted > before
    board.release(rows[0])
    assert new.totals().accesses == 1
    board.release(rows[1])
    assert board.totals().accesses == 1


def test_when_rows_run_out_workers_serve_uncounted() -> None:
    board = Board(2)
    assert board.claim() == 1
    assert board.claim() == 0
    crowded = WorkerScoreboard(board, 0, FakeWorker(), 1)
    crowded.count(request(), 1)
    assert crowded.totals().accesses == 0
    board.release(0)


def test_slots_are_the_connections_at_work() -> None:
    board = Board(2)
    worker = FakeWorker(*[connection(state) for state in State if state is not State.CLOSED])
    mine = WorkerScoreboard(board, board.claim(), worker, 4)
    process = mine.processes()[0]
    assert sorted(letters(mine)) == sorted("RRW_")
    assert (process.busy, process.idle, process.connections) == (3, 1, 6)
    assert (process.writing, process.keep_alive, process.closing) == (1, 1, 1)
    assert [slot.request for slot in mine.slots() if slot.state is WorkerState.WRITING] == ["GET / HTTP/1.1"]


def test_more_connections_than_slots() -> None:
    board = Board(2)
    mine = WorkerScoreboard(board, board.claim(), FakeWorker(*[connection(State.ANSWERING)] * 5), 2)
    assert letters(mine) == "WW"


def test_a_draining_worker_finishes_gracefully() -> None:
    board = Board(2)
    worker = FakeWorker(connection(State.ANSWERING))
    worker.draining = True
    mine = WorkerScoreboard(board, board.claim(), worker, 2)
    assert letters(mine) == "G."
    assert mine.processes()[0].stopping


def test_replays_are_taken_once() -> None:
    board = Board(2)
    worker = FakeWorker()
    mine = WorkerScoreboard(board, board.claim(), worker, 2)
    worker.hot.tally.accesses, worker.hot.tally.bytes, worker.hot.tally.last = 1000, 5000, request()
    assert (mine.totals().accesses, mine.totals().bytes) == (1000, 5000)
    assert (mine.totals().accesses, mine.replay().hits) == (1000, 1000)
    assert (worker.hot.tally.accesses, worker.hot.tally.bytes) == (0, 0)
