"""A server's life from the command line: it leaves the terminal, is signalled through its PidFile, reloads, and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess

import pytest
from commands import HTTPD
from running import WAIT, Server, append, children_of, is_alive, is_refused, until

from coachwhip.testing.site import free_port


def test_the_command_returns_when_the_server_serves(server: Server) -> None:
    done = server.httpd()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert server.get() == "hello\n"
    assert os.getsid(server.pid) == server.pid


def test_the_pid_file_is_the_parents_and_goes_with_it(server: Server) -> None:
    server.httpd("-k", "start")
    parent = server.pid
    assert server.pid_file.read_text() == f"{parent}\n"
    assert len(children_of(parent)) >= 2
    assert server.httpd("-k", "stop").returncode == 0
    until(lambda: not is_alive(parent))
    assert not server.pid_file.exists()
    assert is_refused(server.port)


def test_a_second_start_says_who_runs(server: Server) -> None:
    server.httpd()
    for words in ([], ["-k", "start"], ["-X"], ["-DFOREGROUND"]):
        done = server.httpd(*words)
        assert (done.returncode, done.stdout) == (0, f"httpd (pid {server.pid}) already running\n")


def test_an_address_in_use_is_named_and_nothing_stays(server: Server) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
        other.listen()
        done = server.httpd()
    assert done.returncode == 1
    assert done.stderr == (
        f"(98)Address already in use: AH00072: make_sock: could not bind to address 127.0.0.1:{server.port}\n"
        "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"
    )
    assert not server.pid_file.exists()


def test_a_stale_pid_file_is_overwritten_with_a_warning(server: Server) -> None:
    server.pid_file.write_text("999999\n")
    assert server.httpd().returncode == 0
    assert server.pid != 999999
    assert f"AH00098: pid file {server.pid_file} overwritten -- Unclean shutdown of previous Apache run?" in server.log()


def test_a_pid_file_that_cannot_be_written_stops_the_start(server: Server) -> None:
    done = server.httpd("-c", "PidFile /nonexistent/x")
    assert done.returncode == 1
    assert "AH00099: could not create /nonexistent/x" in done.stderr
    assert is_refused(server.port)


def test_graceful_and_restart_without_a_server_start_one(server: Server) -> None:
    done = server.httpd("-k", "graceful")
    assert (done.returncode, done.stdout) == (0, "httpd not running, trying to start\n")
    assert server.get() == "hello\n"


@pytest.mark.parametrize("word", ["graceful", "restart"])
def test_a_reload_brings_new_workers_and_new_lines(server: Server, word: str) -> None:
    server.httpd()
    parent, old = server.pid, children_of(server.pid)
    other = server.root / "other"
    other.mkdir()
    (other / "index.html").write_text("other\n")
    conf = server.root / "min.conf"
    conf.write_text(conf.read_text().replace("/htdocs", "/other"))
    done = server.httpd("-k", word)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    until(lambda: server.get() == "other\n")
    until(lambda: not any(is_alive(pid) for pid in old))
    assert server.pid == parent


def test_a_reload_may_move_to_another_port_and_pid_file(server: Server) -> None:
    server.httpd()
    parent, before = server.pid, server.port
    server.port = free_port()
    conf = server.root / "min.conf"
    moved = conf.read_text().replace(f"Listen 127.0.0.1:{before}", f"Listen {server.port}")
    conf.write_text(moved.replace("logs/httpd.pid", "logs/moved.pid"))
    os.kill(parent, signal.SIGUSR1)
    until(lambda: not is_refused(server.port) and is_refused(before))
    assert (server.root / "logs/moved.pid").read_text() == f"{parent}\n"
    assert not server.pid_file.exists()


def test_a_pid_file_that_cannot_be_written_stops_a_reload_and_its_line_is_told(server: Server) -> None:
    server.httpd()
    parent = server.pid
    append(server.root / "min.conf", "PidFile none/httpd.pid\n")
    os.kill(parent, signal.SIGUSR1)
    until(lambda: "the new configuration is not used" in server.log())
    assert f"AH00099: could not create {server.root}/none/httpd.pid; asked for at {server.root}/min.conf:11" in server.log()
    assert "AH00098" not in server.log()
    assert (server.get(), server.pid) == ("hello\n", parent)


def test_a_reload_to_another_name_of_the_same_pid_file_keeps_it(server: Server) -> None:
    server.httpd()
    (server.root / "link").symlink_to("logs")
    append(server.root / "min.conf", "PidFile link/httpd.pid\n")
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: server.log().count("resuming normal operations") == 2)
    assert server.get() == "hello\n"
    assert server.pid_file.exists()


def test_a_wildcard_takes_the_place_of_an_address_on_the_same_port(server: Server) -> None:
    server.httpd()
    workers = children_of(server.pid)
    conf = server.root / "min.conf"
    conf.write_text(conf.read_text().replace(f"Listen 127.0.0.1:{server.port}", f"Listen {server.port}"))
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: not any(is_alive(pid) for pid in workers))
    assert server.get() == "hello\n"


@pytest.mark.parametrize("word", ["graceful", "restart"])
def test_the_command_refuses_a_broken_configuration_and_signals_nobody(server: Server, word: str) -> None:
    server.httpd()
    workers = children_of(server.pid)
    append(server.root / "min.conf", "Bogus\n")
    done = server.httpd("-k", word)
    assert done.returncode == 1
    assert done.stderr.startswith(f"AH00526: Syntax error on line 11 of {server.root}/min.conf:\nInvalid command 'Bogus'")
    assert children_of(server.pid) == workers
    assert server.get() == "hello\n"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_signal_with_a_broken_configuration_leaves_the_old_one_serving(server: Server, number: signal.Signals) -> None:
    server.httpd()
    workers = children_of(server.pid)
    append(server.root / "min.conf", "Bogus\n")
    os.kill(server.pid, number)
    until(lambda: f"Syntax error on line 11 of {server.root}/min.conf" in server.log())
    assert children_of(server.pid) == workers
    assert server.get() == "hello\n"


def test_a_signal_with_an_address_that_is_taken_leaves_the_old_one_serving(server: Server) -> None:
    server.httpd()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        append(server.root / "min.conf", f"Listen 127.0.0.1:{taken}\n")
        os.kill(server.pid, signal.SIGUSR1)
        named = f"could not bind to address 127.0.0.1:{taken}; asked for at {server.root}/min.conf:11\n"
        until(lambda: named in server.log())
    assert server.get() == "hello\n"


@pytest.mark.parametrize("word", ["graceful", "restart"])
def test_the_command_refuses_an_address_that_is_taken_and_signals_nobody(server: Server, word: str) -> None:
    server.httpd()
    workers = children_of(server.pid)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        append(server.root / "min.conf", f"Listen 127.0.0.1:{taken}\nListen {free_port()}\n")
        done = server.httpd("-k", word)
    assert done.returncode == 1
    assert f"AH00072: make_sock: could not bind to address 127.0.0.1:{taken}\nasked for at {server.root}/min.conf:11\n" in done.stderr
    assert children_of(server.pid) == workers
    assert server.get() == "hello\n"


@pytest.mark.parametrize("line", ['CustomLog "|/nope fmt" common', 'CustomLog "|$/nope fmt" common', 'ForensicLog "|/nope fmt"'])
def test_the_command_refuses_a_log_program_that_is_not_there_and_signals_nobody(server: Server, line: str) -> None:
    server.httpd()
    workers, logged = children_of(server.pid), server.log()
    append(server.root / "min.conf", f"LoadModule log_forensic_module modules/mod_log_forensic.so\n{line}\nCustomLog logs/new common\n")
    done = server.httpd("-k", "graceful")
    assert done.returncode == 1
    assert done.stderr == (
        "(2)No such file or directory: AH00104: unable to start piped log program '/nope fmt'\n"
        f"AH00015: Unable to open logs\nasked for at {server.root}/min.conf:12\n"
    )
    assert children_of(server.pid) == workers
    assert server.log() == logged
    assert not (server.root / "logs/new").exists()
    assert server.httpd("-t").stderr == "Syntax OK\n"


def test_the_command_refuses_an_error_log_whose_program_may_not_be_run(server: Server) -> None:
    server.httpd()
    append(server.root / "min.conf", f'ErrorLog "|{server.root}/min.conf"\n')
    done = server.httpd("-k", "restart")
    assert (done.returncode, done.stderr.splitlines()) == (1, [
        f"(13)Permission denied: AH00089: Couldn't start ErrorLog process '{server.root}/min.conf'.",
        "AH00015: Unable to open logs",
        f"asked for at {server.root}/min.conf:11",
    ])  # fmt: skip
    assert server.get() == "hello\n"


def test_log_programs_that_are_there_are_not_run_to_find_that_out(server: Server) -> None:
    server.httpd()
    parent, program = server.pid, server.root / "program"
    program.write_text(f"#!/bin/sh\necho $PPID >>{server.root}/parents\nexec cat >/dev/null\n")
    program.chmod(0o755)
    append(server.root / "min.conf", f'CustomLog "|{program}" common\nCustomLog "|$cat >/dev/null" common\n')
    done = server.httpd("-k", "graceful")
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: (server.root / "parents").exists() and (server.root / "parents").read_text() == f"{parent}\n")


def test_a_reload_opens_the_logs_anew(server: Server) -> None:
    server.httpd()
    log = server.root / "logs/error.log"
    log.rename(log.with_suffix(".1"))
    os.kill(server.pid, signal.SIGUSR1)
    until(log.exists)


@pytest.mark.parametrize("word", ["stop", "graceful-stop"])
def test_stop_ends_all_of_it(server: Server, word: str) -> None:
    server.httpd()
    processes = [server.pid, *children_of(server.pid)]
    done = server.httpd("-k", word)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    until(lambda: not any(is_alive(pid) for pid in processes))
    assert not server.pid_file.exists()


def test_workers_end_when_their_parent_is_killed(server: Server) -> None:
    server.httpd()
    parent, workers = server.pid, children_of(server.pid)
    os.kill(parent, signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid in workers))
    assert is_refused(server.port)


def test_a_worker_that_dies_is_replaced(server: Server) -> None:
    server.httpd()
    before = set(children_of(server.pid))
    worker = before.pop()
    os.kill(worker, signal.SIGKILL)
    until(lambda: len(set(children_of(server.pid)) - {worker}) > len(before))
    assert server.get() == "hello\n"
    assert f"AH00052: child pid {worker} exit signal SIGKILL" in server.log()


ENDED_BY = [
    (["-X"], signal.SIGTERM),
    (["-X"], signal.SIGINT),
    *[([word], number) for word in ("-DFOREGROUND", "-DNO_DETACH") for number in (signal.SIGTERM, signal.SIGINT, signal.SIGWINCH)],
]


@pytest.mark.parametrize(("words", "number"), ENDED_BY, ids=str)
def test_in_the_foreground_a_signal_ends_it_with_status_0(server: Server, words: list[str], number: signal.Signals) -> None:
    process = subprocess.Popen([*HTTPD, "-d", str(server.root), "-f", "min.conf", *words])
    try:
        until(lambda: server.pid_file.exists() and not is_refused(server.port))
        assert server.pid == process.pid
        assert server.get() == "hello\n"
        process.send_signal(number)
        assert process.wait(WAIT) == 0
    finally:
        process.kill()
        process.wait()
    # One process that has given root up cannot take a file of root's away; nor can Apache's.
    if words != ["-X"] or os.geteuid() != 0:
        assert not server.pid_file.exists()


def test_one_process_alone_goes_on_when_it_is_asked_to_reload(server: Server) -> None:
    process = subprocess.Popen([*HTTPD, "-d", str(server.root), "-f", "min.conf", "-X"])
    try:
        until(lambda: server.pid_file.exists() and not is_refused(server.port))
        assert server.get() == "hello\n"
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGWINCH):
            process.send_signal(number)
        assert server.get() == "hello\n"
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_nobody_keeps_the_commands_output_open(server: Server) -> None:
    """A program that reads all the command prints would wait for ever."""
    assert server.httpd("-E", "logs/startup.log").stdout == ""
    assert (server.root / "logs/startup.log").read_text() == ""


def test_start_up_errors_go_to_the_file_of_E(server: Server) -> None:
    done = server.httpd("-E", "logs/startup.log", "-c", "Bogus x")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert (server.root / "logs/startup.log").read_text().startswith("AH00526: Syntax error on line 1 of -c/-C directives:\n")


def test_ctl_passes_its_verbs_on(server: Server) -> None:
    ctl = [*HTTPD[:-1], "ctl"]
    flags = ["-d", str(server.root), "-f", "min.conf"]

    def run(verb: str) -> tuple[int, str, str]:
        done = subprocess.run([*ctl, verb, *flags], capture_output=True, text=True, timeout=60, check=False)
        server.note()
        return done.returncode, done.stdout, done.stderr

    assert run("configtest") == (0, "", "Syntax OK\n")
    assert run("stop") == (0, "httpd (no pid file) not running\n", "")
    assert run("start") == (0, "", "")
    assert server.get() == "hello\n"
    assert run("graceful") == (0, "", "")
    parent = server.pid
    assert run("graceful-stop") == (0, "", "")
    until(lambda: not is_alive(parent))


def test_ctl_status_says_what_is_missing(server: Server) -> None:
    command = [*HTTPD[:-1], "ctl", "status", "-d", str(server.root), "-f", "min.conf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"http://127.0.0.1:{server.port}/server-status gives no answer" in done.stderr


def test_ctl_status_shows_the_page_as_text(server: Server) -> None:
    status = 'LoadModule status_module x\n<Location "/server-status">\n    SetHandler server-status\n</Location>\n'
    append(server.root / "min.conf", status)
    server.httpd()
    command = [*HTTPD[:-1], "ctl", "fullstatus", "-d", str(server.root), "-f", "min.conf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Server Version:" in done.stdout
    assert "<" not in done.stdout.replace("<b>", "")
