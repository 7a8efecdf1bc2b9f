"""Lines for the system's logger."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from coachwhip.logs.syslog import Syslog, parse_syslog


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("syslog", (23, "prog")),
        ("syslog:local1", (17, "prog")),
        ("syslog:LOCAL1:tag", (17, "tag")),
        ("syslog::tag", (23, "tag")),
        ("syslog:nonsense", (23, "prog")),
        ("syslog:daemon:", (3, "prog")),
    ],
)
def test_targets(target: str, found: tuple[int, str]) -> None:
    assert parse_syslog(target, "prog") == found


def test_a_line(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as logger:
        logger.bind(address)
        log = Syslog(17, "tag", address)
        log.write(3, "text")
        assert re.fullmatch(rb"<139>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} tag\[[0-9]+\]: text", logger.recv(1000))
        log.close()


def test_no_logger_and_a_stopped_one_cost_lines(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    log = Syslog(17, "tag", address)
    log.write(3, "nobody there")
    assert log.lost == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as logger:
        logger.bind(address)
        for _ in range(5000):
            log.write(3, "never read")
        assert log.lost > 1
        log.close()
