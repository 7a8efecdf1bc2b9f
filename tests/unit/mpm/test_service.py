"""When the parent gives a sign of life, and what it reports."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from coachwhip.mpm import service
from coachwhip.mpm.pulse import Pulse
from coachwhip.mpm.scoreboard import Board, Seat
from coachwhip.mpm.service import ALIVE, EVERY, Service
from coachwhip.mpm.systemd import ServiceManager


class Told(ServiceManager):
    """A service manager that waits for signs of life and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(interval=0.001)
        self.lines: list[str] = []

    def _tell(self, *lines: str) -> None:
        self.lines += lines


class Workers:
    """Children whose signs of life are so many seconds old."""

    def __init__(self, *ages: float, up: bool = True) -> None:
        self.board = Board(4)
        self._pulses = {row: Pulse(beat=time.monotonic() - age, connections=2) for row, age in enumerate(ages)}
        self._up = up

    def all(self) -> list[Any]:
        return [SimpleNamespace(row=row, is_up=self._up) for row in self._pulses]

    def pulse(self, child: Any) -> Pulse:
        return self._pulses[child.row]


def generation(**options: object) -> Any:
    return SimpleNamespace(pipeline=SimpleNamespace(startup=SimpleNamespace(options=options)), addresses=["*:80", "*:443"])


def turned(workers: Workers, **options: object) -> list[str]:
    told = Told()
    Service(told, workers).turn(generation(**options))  # type: ignore[arg-type]
    return told.lines


@pytest.mark.parametrize(
    ("ages", "lines"),
    [([0.0], ["WATCHDOG=1"]), ([ALIVE + 60, 0.0], ["WATCHDOG=1"]), ([ALIVE + 60, ALIVE + 60], []), ([], [])],
    ids=["alive", "one alive", "all stuck", "none"],
)
def test_a_sign_of_life_is_given_while_a_worker_gives_one(ages: list[float], lines: list[str]) -> None:
    assert turned(Workers(*ages)) == lines


def test_a_worker_that_does_not_serve_yet_is_none() -> None:
    assert turned(Workers(0.0, up=False)) == []


def test_counts_are_reported_only_if_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(0.0, 0.0)
    workers.board.rows.write(1, Seat(totals={"accesses": 70, "bytes": 9}))
    workers.board.rows.write(0, Seat(totals={"accesses": 30, "bytes": 1}))
    told = Told()
    made = Service(told, workers)  # type: ignore[arg-type]
    later = time.monotonic() + EVERY
    monkeypatch.setattr(service.time, "monotonic", lambda: later)
    made.turn(generation())
    assert not [line for line in told.lines if line.startswith("STATUS")]
    made.turn(generation(service_counts=True))
    (line,) = [line for line in told.lines if line.startswith("STATUS")]
    assert line.startswith("STATUS=100 requests, 10 bytes; ") and line.endswith("; 2 workers with 4 connections")


def test_what_is_listened_on_is_told() -> None:
    told = Told()
    made = Service(told, Workers())  # type: ignore[arg-type]
    made.serves(generation())
    assert told.lines[-1] == "STATUS=Listening on *:80, *:443"
