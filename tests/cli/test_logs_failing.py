"""Logs that take nothing: a full disk, a program that was killed or stopped. They cost log lines, counted and told, never a request."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from running import Server, append, children_of, is_alive, until

#: One worker, or its figures would be those of a second ago in another.
METRICS = """
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
LoadModule metrics_module modules/mod_metrics.so
<Location /metrics>
    SetHandler prometheus-metrics
</Location>
"""
#: More than a pipe and the server hold together takes this many lines.
LINES, LONG = 90, "x" * 20000


def start(server: Server, lines: str) -> None:
    # One worker: others tell what they have lost about once a second.
    append(server.root / "min.conf", "StartServers 1\n" + METRICS + lines)
    assert server.httpd().returncode == 0


def lost(server: Server) -> int:
    found = re.search(r"^coachwhip_log_lines_lost_total ([0-9]+)$", server.get("/metrics"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def program_of(server: Server) -> int:
    (program,) = [pid for pid in children_of(server.pid) if "tee" in Path(f"/proc/{pid}/cmdline").read_text()]
    return program


def stop(server: Server) -> None:
    assert server.httpd("-k", "stop").returncode == 0
    until(lambda: not server.pid_file.exists())


@pytest.mark.parametrize("log", ['CustomLog /dev/full "%r"', 'CustomLog "|/bin/false" "%r"'])
def test_a_log_without_room_or_reader_costs_no_request(server: Server, log: str) -> None:
    start(server, log + "\n")
    for _ in range(20):
        server.get()
    if "full" in log:
        assert lost(server) == 20
        stop(server)
        lines = server.log().split("\n")
        assert len([line for line in lines if "AH00646: Error writing to /dev/full" in line]) == 1
        assert len([line for line in lines if line.endswith("21 log lines were lost: /dev/full did not take them")]) == 1


def test_an_error_log_without_room_costs_no_request(server: Server) -> None:
    conf = server.root / "min.conf"
    conf.write_text(conf.read_text().replace("ErrorLog logs/error.log", "ErrorLog /dev/full\nLogLevel debug"))
    start(server, "")
    for _ in range(20):
        server.get()
    assert lost(server) > 0


def test_a_stopped_program_costs_lines_that_are_counted_and_told(server: Server) -> None:
    log = server.root / "logs/piped.log"
    start(server, f'CustomLog "|/usr/bin/tee -a {log}" "%r {LONG}"\n')
    program = program_of(server)
    os.kill(program, signal.SIGSTOP)
    for _ in range(LINES):
        server.get()
    missing = lost(server)
    assert 0 < missing < LINES
    assert "Error writing to |/usr/bin/tee -a" in server.log()
    os.kill(program, signal.SIGCONT)
    until(lambda: log.read_text().count("\n") == LINES - missing)
    stop(server)
    until(lambda: log.read_text().count("\n") == LINES + 1 - lost_in(server.log()))


def lost_in(log: str) -> int:
    return sum(int(number) for number in re.findall(r"core:error\].* ([0-9]+) log lines were lost: \|/usr/bin/tee", log))


def test_killed_programs_lose_nothing(server: Server) -> None:
    log = server.root / "logs/piped.log"
    start(server, f'CustomLog "|/usr/bin/tee -a {log}" "%r"\n')
    for lines in (10, 20, 30):
        program = program_of(server)
        os.kill(program, signal.SIGKILL)
        # While it dies it may still take a line out of the pipe.
        until(lambda program=program: not is_alive(program))
        for _ in range(10):
            server.get()
        until(lambda program=program: is_replaced(server, program))
        until(lambda lines=lines: log.read_text().count("\n") == lines)
    assert lost(server) == 0


def is_replaced(server: Server, program: int) -> bool:
    return [pid for pid in children_of(server.pid) if "tee" in Path(f"/proc/{pid}/cmdline").read_text()] not in ([], [program])
