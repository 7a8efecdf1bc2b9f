"""The load says of every failure what it was: a server of a few lines that fails in one way at a time."""

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from faults.load import Kind, Plan, Report

ROOT = Path(__file__).resolve().parents[2]
BODY = "as expected\n"
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
#: Requests that every lane makes before the load begins; those are answered well.
WARM = 3


def answer(client: socket.socket, number: int) -> None:
    client.sendall(ANSWER)


def reset(client: socket.socket, number: int) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def close_idle(client: socket.socket, number: int) -> None:
    """Close after each second answer on a connection, without saying so."""
    client.sendall(ANSWER)
    if number % 2:
        client.close()


def cut(client: socket.socket, number: int) -> None:
    client.sendall(ANSWER[:-3])
    client.close()


def lie(client: socket.socket, number: int) -> None:
    client.sendall(ANSWER.replace(b"as", b"un"))


def fail(client: socket.socket, number: int) -> None:
    client.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


def wait(client: socket.socket, number: int) -> None:
    time.sleep(0.01)


class Faulty:
    """Answers well until `good` requests were answered, then as `fault` does."""

    def __init__(self, fault: Callable[[socket.socket, int], None], good: int) -> None:
        self.fault, self.good, self.count = fault, good, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            while client.recv(1 << 16):
                self.count += 1
                (answer if self.count <= self.good else self.fault)(client, self.count)


@contextmanager
def load(**plan: object) -> Iterator[Report]:
    """The report, filled in at the end."""
    report = Report()
    chosen = Plan(**{"expect": BODY, "lanes": 1, "rate": 50.0, "patience": 0.5, **plan})  # type: ignore[arg-type]
    command, pipe = [sys.executable, "-m", "faults.load"], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(chosen)) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        yield report
        said, _ = process.communicate(timeout=30)
    for name, value in asdict(Report.parse(said)).items():
        setattr(report, name, value)


@pytest.mark.parametrize(
    ("fault", "mode", "kind"),
    [
        (reset, "close", Kind.RESET),
        (close_idle, "keepalive", Kind.STALE),
        (cut, "close", Kind.CUT),
        (cut, "keepalive", Kind.CUT),
        (lie, "close", Kind.WRONG),
        (fail, "keepalive", Kind.WRONG),
        (wait, "close", Kind.TIMEOUT),
    ],
)
def test_every_failure_is_called_what_it_is(fault: Callable[[socket.socket, int], None], mode: str, kind: Kind) -> None:
    server = Faulty(fault, WARM)
    with load(port=server.port, modes=(mode,)) as report:
        time.sleep(1)
    assert report.count(kind) >= 1
    assert set(report.kinds) <= {Kind.OK, kind, *([Kind.STALE] if fault is reset else [])}
    assert report.failed == (0 if kind is Kind.STALE else report.count(kind))


def test_nobody_there_is_refused() -> None:
    server = Faulty(answer, 0)
    with load(port=server.port, modes=("close",)) as report:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        time.sleep(0.5)
    assert report.count(Kind.REFUSED) >= 1
    assert report.failed == report.count(Kind.REFUSED)
    assert {failure["what"] for failure in report.failures} == {"close"}  # type: ignore[index]


def test_without_a_fault_nothing_fails_and_latencies_are_told() -> None:
    server = Faulty(answer, 0)
    with load(port=server.port) as report:
        time.sleep(0.5)
    assert report.failed == report.stale == 0
    assert report.count(Kind.OK) == report.requests > 10
    assert 0 < report.p50_ms <= report.p99_ms <= report.slowest_ms


def test_transfers_in_flight_are_brought_to_their_end_and_judged(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"0123456789" * 10_000)
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + big.read_bytes()

    for cut_at, failed in ((None, False), (-1, True)):
        piece = whole[:cut_at]
        server = Faulty(lambda client, number, piece=piece: (client.sendall(piece), client.close()), WARM)  # type: ignore[misc]
        with load(port=server.port, modes=("close",), rate=0.1, downloads=1, big=str(big), pace=0.3) as report:
            time.sleep(0.1)
        assert (report.transfers_failed > 0) == failed
        assert (report.transfers == 0) == failed
