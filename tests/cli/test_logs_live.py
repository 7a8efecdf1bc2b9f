"""Logs of a server that runs: programs that die, reloads, names of clients, and what stops a start."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from running import Server, append, children_of, is_alive, until


def open_files(pid: int) -> list[str]:
    """What the descriptors of a process lead to."""
    found = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(fd))
        except FileNotFoundError:
            continue
    return found


def programs_of(server: Server) -> list[int]:
    """The log programs of the server's parent process."""
    return [pid for pid in children_of(server.pid) if "tee" in Path(f"/proc/{pid}/cmdline").read_text()]


@pytest.fixture
def piped(server: Server) -> Server:
    log = server.root / "logs/piped.log"
    append(server.root / "min.conf", f'CustomLog "|/usr/bin/tee -a {log}" "%h %r"\n')
    assert server.httpd().returncode == 0
    until(lambda: len(programs_of(server)) == 1)
    return server


def test_a_log_program_that_dies_is_run_again(piped: Server) -> None:
    (program,) = programs_of(piped)
    os.kill(program, signal.SIGKILL)
    until(lambda: not is_alive(program))
    piped.get()
    until(lambda: programs_of(piped) not in ([], [program]))
    until(lambda: (piped.root / "logs/piped.log").read_text() == "127.0.0.1 GET /index.html HTTP/1.1\n")
    assert "AH00106: piped log program '/usr/bin/tee -a " in piped.log()


@pytest.mark.parametrize("log", ["logs/access", "|coachwhip rotatelogs -v logs/access.%Y 86400", "|/usr/bin/tee -a logs/access"])
@pytest.mark.parametrize("more", ["", "BufferedLogs On\n"])
def test_every_request_has_its_line_after_a_stop(server: Server, log: str, more: str) -> None:
    append(server.root / "min.conf", f'{more}CustomLog "{log}" "%r"\n')
    assert server.httpd().returncode == 0
    for _ in range(50):
        server.get()
    server.httpd("-k", "stop")
    until(lambda: sum(path.read_text().count("\n") for path in server.root.glob("logs/access*")) == 50)
    assert ("Opening file logs/access.2" in server.log()) is ("rotatelogs" in log)


def test_a_reload_gives_programs_and_descriptors_of_the_old_logs_back(piped: Server) -> None:
    (program,) = programs_of(piped)
    before = len(open_files(piped.pid))
    workers = [pid for pid in children_of(piped.pid) if pid != program]
    for _ in range(2):
        old = children_of(piped.pid)
        os.kill(piped.pid, signal.SIGUSR1)
        until(lambda old=old: not any(is_alive(pid) for pid in old))
    assert not is_alive(program) and not any(is_alive(pid) for pid in workers)
    # The parent gives them back after their owners have ended.
    until(lambda: len(open_files(piped.pid)) == before)
    piped.get()
    until(lambda: (piped.root / "logs/piped.log").read_text().count("\n") == 1)


def test_a_worker_of_a_new_generation_holds_the_new_files_alone(server: Server) -> None:
    server.httpd()
    log = server.root / "logs/error.log"
    old = children_of(server.pid)
    log.rename(server.root / "logs/error.log.1")
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: not any(is_alive(pid) for pid in old))
    # One that has ended and is not buried yet is a child still, without files.
    for pid in (server.pid, *filter(is_alive, children_of(server.pid))):
        assert [name for name in open_files(pid) if "error.log" in name] == [str(log)]


def test_the_name_of_a_client_is_in_the_log(server: Server) -> None:
    lines = 'HostnameLookups On\nCustomLog logs/access.log "%h %s"\n'
    append(server.root / "min.conf", lines)
    server.httpd()
    for _ in range(3):
        server.get()
    log = server.root / "logs/access.log"
    until(lambda: log.read_text().count("\n") == 3)
    assert set(log.read_text().split("\n")) == {"localhost 200", ""}


def test_life_is_logged_whatever_the_level(server: Server) -> None:
    append(server.root / "min.conf", "LogLevel crit\n")
    server.httpd()
    parent = server.pid
    server.httpd("-k", "stop")
    until(lambda: not is_alive(parent))
    assert [line.split("] ")[3][:7] for line in server.log().split("\n") if line] == ["AH00489", "AH00094", "AH00491"]


def test_a_log_that_cannot_be_opened_stops_the_start_in_its_phase(server: Server) -> None:
    done = server.httpd("-c", "CustomLog htdocs common")
    assert done.returncode == 1
    assert done.stderr == (
        f"(21)Is a directory: AH00649: could not open transfer log file {server.root}/htdocs.\nAH00015: Unable to open logs\n"
    )
    assert "AH00649" in server.log()
    assert not server.pid_file.exists()


@pytest.mark.parametrize("line", ["CustomLog htdocs common", "ErrorLog htdocs", "ForensicLog htdocs", 'CustomLog "|$/nope fmt" common'])
def test_a_reload_names_the_line_of_a_log_that_cannot_be_opened(server: Server, line: str) -> None:
    server.httpd()
    append(server.root / "min.conf", f"LoadModule log_forensic_module modules/mod_log_forensic.so\n{line}\n")
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: f"asked for at {server.root}/min.conf:12\n" in server.log())
    assert server.get() == "hello\n"
