"""Many workers under one parent: what is lost with a worker, a parent or a generation, and what is not."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import WAIT, Server, append, children_of, is_alive, is_refused, until

MISBEHAVING = "LoadModule misbehaving_module python:misbehaving\n" + "".join(
    f"<Location /{name}>\n    SetHandler t-{name}\n</Location>\n" for name in ("spin", "hang", "crash", "who")
)
SLOW = 'LoadModule slow_module python:slow\n<Location "/sleep">\n    SetHandler t-sleep\n</Location>\n'

WAITING = "LoadModule waiting_module python:waiting\n" + "".join(
    f"<Location /{name}>\n    SetHandler t-{name}\n</Location>\n" for name in ("wait", "read", "go", "begun")
)


@pytest.fixture(autouse=True)
def modules_of_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def start(server: Server, *lines: str, mpm: str = "") -> None:
    conf = server.root / "min.conf"
    if mpm:
        conf.write_text(conf.read_text().replace("mpm_event", f"mpm_{mpm}"))
    append(conf, "\n".join(lines) + "\n")
    done = server.httpd()
    assert (done.returncode, done.stderr) == (0, "")


class Client:
    """One connection."""

    def __init__(self, server: Server, *, buffer: int = 0) -> None:
        self.sock = socket.socket()
        self.sock.settimeout(WAIT)
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.connect(("127.0.0.1", server.port))

    def ask(self, path: str = "/index.html") -> None:
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def head(self) -> str:
        """The head of the next answer, and what of its body came with it; "" at the end."""
        return self.sock.recv(4096).decode("latin-1")

    def rest(self) -> int:
        """How many bytes come until the end."""
        count = 0
        while data := self.sock.recv(1 << 20):
            count += len(data)
        return count

    def close(self) -> None:
        self.sock.close()


@contextmanager
def client(server: Server, *, buffer: int = 0) -> Iterator[Client]:
    made = Client(server, buffer=buffer)
    try:
        yield made
    finally:
        made.close()


def who(server: Server) -> int:
    """The worker that answers a new connection."""
    with client(server) as one:
        one.ask("/who")
        return int(one.head().split("\n")[-2])


def big(server: Server) -> int:
    size = 16 << 20
    with open(server.root / "htdocs/big", "wb") as file:
        file.truncate(size)
    return size


# reloads


def test_a_reload_answers_an_idle_connection_once_more_and_says_that_it_was_the_last(server: Server) -> None:
    start(server)
    with client(server) as one:
        one.ask()
        assert "Connection: close" not in one.head()
        old = children_of(server.pid)
        os.kill(server.pid, signal.SIGUSR1)
        until(lambda: server.log().count("resuming normal operations") == 2)

        def is_last() -> bool:
            """The old worker hears of it a moment later than the log."""
            one.ask()
            answer = one.head()
            assert answer.startswith("HTTP/1.1 200 ")
            return "Connection: close" in answer

        until(is_last)
        assert one.head() == ""
    until(lambda: not any(is_alive(pid) for pid in old))


@pytest.mark.parametrize("times", [1, 3])
def test_a_download_outlives_reloads(server: Server, times: int) -> None:
    start(server)
    size = big(server)
    with client(server, buffer=4096) as one:
        one.ask("/big")
        begun = len(one.sock.recv(4096))
        for done in range(times):
            os.kill(server.pid, signal.SIGUSR1)
            until(lambda done=done: server.log().count("resuming normal operations") == done + 2)
        one.sock.shutdown(socket.SHUT_WR)
        assert begun + one.rest() > size


def test_requests_that_hang_do_not_let_processes_pile_up(server: Server) -> None:
    start(server, MISBEHAVING, "StartServers 1", "MaxRequestWorkers 25")
    clients = []
    for done in range(6):
        one = Client(server)
        one.ask("/hang")
        clients.append(one)
        until(lambda: server.get() == "hello\n")
        os.kill(server.pid, signal.SIGUSR1)
        until(lambda done=done: server.log().count("resuming normal operations") == done + 2)
        assert len(children_of(server.pid)) <= 3
    assert "killing 1 workers of earlier generations" in server.log()
    for one in clients:
        one.close()


# workers that die


def test_a_start_that_loses_a_worker_serves_with_the_others(server: Server) -> None:
    start(server, "LoadModule stillborn_module python:stillborn", "StartServers 2")
    assert server.get() == "hello\n"
    until(lambda: "exit signal SIGKILL" in server.log() and len([*filter(is_alive, children_of(server.pid))]) == 2)


def test_what_waits_to_be_accepted_outlives_the_workers(server: Server) -> None:
    start(server)
    workers = children_of(server.pid)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    with client(server) as one:
        one.ask()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert one.head().startswith("HTTP/1.1 200 ")


def test_the_stacks_of_a_worker_that_dies_by_a_fault_are_logged(server: Server) -> None:
    start(server, MISBEHAVING)
    before = set(children_of(server.pid))
    with client(server) as one:
        one.ask("/crash")
        assert one.head() == ""
    until(lambda: "exit signal SIGSEGV" in server.log())
    assert "misbehaving.py" in server.log()
    until(lambda: len(children_of(server.pid)) == len(before))
    assert server.get() == "hello\n"


def test_a_worker_that_is_silent_is_replaced_and_its_stacks_are_logged(server: Server) -> None:
    append(server.root / "min.conf", MISBEHAVING)
    (server.root / "impatient.py").write_text(
        "import sys\n"
        "from coachwhip import launch\n"
        "from coachwhip.cli.main import main\n"
        "made = launch.generation_of\n"
        "def generation_of(*args, **more):\n"
        "    generation = made(*args, **more)\n"
        "    generation.silence = 2.0\n"
        "    return generation\n"
        "launch.generation_of = generation_of\n"
        "sys.exit(main(['httpd', *sys.argv[1:]]))\n"
    )
    command = [sys.executable, str(server.root / "impatient.py"), "-d", str(server.root), "-f", "min.conf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    server.note()
    assert done.returncode == 0, done.stderr
    before = set(children_of(server.pid))
    stopped = before.pop()
    os.kill(stopped, signal.SIGSTOP)
    until(lambda: f"child pid {stopped} has been silent for" in server.log() and f'child pid {stopped}:   File "' in server.log())
    until(lambda: not is_alive(stopped))
    with client(server) as one:
        one.ask("/spin")
        until(lambda: "misbehaving.py" in server.log())
    until(lambda: len(children_of(server.pid)) == len(before) + 1)
    assert server.get() == "hello\n"


# parents that die


def test_after_the_parents_death_a_new_one_starts_although_a_worker_is_stuck(server: Server) -> None:
    start(server, MISBEHAVING)
    with client(server) as stuck:
        stuck.ask("/spin")
        old = children_of(server.pid)
        os.kill(server.pid, signal.SIGKILL)
        done = server.httpd()
        assert (done.returncode, done.stderr) == (0, "")
        assert server.get() == "hello\n"
        until(lambda: not any(is_alive(pid) for pid in old))


def test_requests_under_way_are_answered_when_the_parent_is_dead(server: Server) -> None:
    start(server, SLOW)
    with client(server) as one:
        one.ask("/sleep?2")
        until(lambda: len(open_connections(server)) >= 1)
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: is_refused(server.port))
        assert one.head().startswith("HTTP/1.1 200 ")


def open_connections(server: Server) -> list[str]:
    """Established connections to its port, server's side."""
    table = Path("/proc/net/tcp").read_text().split("\n")[1:]
    return [line for line in table if line and line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "01"]


# stops


def test_a_graceful_stop_completes_downloads_and_refuses_new_connections(server: Server) -> None:
    start(server)
    size = big(server)
    parent = server.pid
    clients = [Client(server, buffer=4096) for _ in range(4)]
    for one in clients:
        one.ask("/big")
        assert one.head()
    os.kill(parent, signal.SIGWINCH)
    until(lambda: is_refused(server.port))
    for one in clients:
        one.sock.shutdown(socket.SHUT_WR)
        assert one.rest() > size - 4096
        one.close()
    until(lambda: not is_alive(parent))


def test_a_stop_kills_what_is_stuck(server: Server) -> None:
    start(server, MISBEHAVING)
    parent, workers = server.pid, children_of(server.pid)
    with client(server) as one:
        one.ask("/spin")
        until(lambda: len(open_connections(server)) == 1)
        os.kill(parent, signal.SIGTERM)
        until(lambda: not any(is_alive(pid) for pid in (parent, *workers)))


@pytest.mark.parametrize("after", [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0])
def test_a_start_that_is_interrupted_leaves_nothing_behind(server: Server, after: float) -> None:
    command = [sys.executable, "-m", "coachwhip", "httpd", "-d", str(server.root), "-f", "min.conf", "-DFOREGROUND"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.terminate()
    _, said = process.communicate(timeout=WAIT)
    assert "Traceback" not in said
    assert not server.pid_file.exists()
    assert is_refused(server.port)
    until(lambda: not [pid for pid in Path("/proc").glob("[0-9]*") if in_session(pid, process.pid)])


def in_session(folder: Path, session: int) -> bool:
    try:
        fields = (folder / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" and int(fields[3]) == session


# MPMs


@pytest.mark.parametrize(
    ("mpm", "ids"),
    [
        ("event", ["AH00489", "AH00493", "AH00489", "AH00494", "AH00489", "AH00492"]),
        ("worker", ["AH00292", "AH00297", "AH00292", "AH00298", "AH00292", "AH00296"]),
        ("prefork", ["AH00163", "AH00171", "AH00163", "AH00173", "AH00163", "AH00170"]),
    ],
)
def test_each_says_what_it_does_as_in_apache(server: Server, mpm: str, ids: list[str]) -> None:
    def said() -> list[str]:
        return [line.split("] ")[3].split(":")[0] for line in server.log().splitlines() if f"[mpm_{mpm}:notice]" in line]

    start(server, "StartServers 1", mpm=mpm)
    for count, word in ((3, "graceful"), (5, "restart"), (6, "graceful-stop")):
        assert server.httpd("-k", word).returncode == 0
        until(lambda count=count: len(said()) == count)  # type: ignore[misc]
    assert said() == ids


def test_prefork_has_one_connection_in_a_process(server: Server) -> None:
    start(server, MISBEHAVING, "StartServers 3", "MinSpareServers 1", "MaxSpareServers 2", "MaxRequestWorkers 4", mpm="prefork")
    clients = [Client(server) for _ in range(4)]
    pids = []
    for one in clients:
        one.ask("/who")
        pids.append(int(one.head().split("\n")[-2]))
    assert len(set(pids)) == 4
    with client(server) as waiting:
        waiting.ask("/who")
        clients[0].close()
        assert int(waiting.head().split("\n")[-2]) in pids
    for one in clients:
        one.close()
    until(lambda: len(children_of(server.pid)) == 2)


def test_workers_come_while_their_threads_are_at_work_and_go_when_they_are_idle(server: Server) -> None:
    sizes = ("StartServers 1", "ThreadsPerChild 2", "MinSpareThreads 1", "MaxSpareThreads 3", "MaxRequestWorkers 8")
    start(server, SLOW, *sizes)
    # On a busy machine the start itself may look like load.
    until(lambda: len(children_of(server.pid)) == 1)
    clients = [Client(server) for _ in range(4)]
    for one in clients:
        one.ask("/sleep?6")
    until(lambda: len(children_of(server.pid)) >= 2)
    for one in clients:
        assert one.head().startswith("HTTP/1.1 200 ")
        one.close()
    until(lambda: len(children_of(server.pid)) == 1)


@pytest.mark.parametrize("line", ["MaxConnectionsPerChild 3", "MaxRequestsPerChild 3", "MaxAgePerChild 1", "MaxMemoryPerChild 1M"])
def test_a_worker_is_replaced_when_it_has_done_enough(server: Server, line: str) -> None:
    start(server, MISBEHAVING, "StartServers 1", "MaxRequestWorkers 25", line)
    seen = {who(server)}

    def is_another() -> bool:
        seen.add(who(server))
        return len(seen) > 1

    until(is_another)
    assert "exited with status" not in server.log() and "exit signal" not in server.log()


def test_after_so_many_connections_prefork_takes_not_one_more(server: Server) -> None:
    start(server, MISBEHAVING, "StartServers 1", "MinSpareServers 1", "MaxRequestWorkers 1", "MaxConnectionsPerChild 1", mpm="prefork")
    assert len({who(server) for _ in range(4)}) == 4


# configurations that cannot be used


def broken(server: Server, kind: str) -> None:
    """Make the configuration unusable in one of many ways."""
    conf = server.root / "min.conf"
    text = conf.read_text()
    lines = {
        "unknown directive": "Bogus on\n",
        "open section": "<Directory />\n",
        "missing file": "Include nowhere.conf\n",
        "bad value": "KeepAliveTimeout soon\n",
        "bad pattern": 'LoadModule alias_module x\nAliasMatch "(" /x\n',
        "missing module": "LoadModule nonsense_module modules/mod_nonsense.so\n",
        "log folder gone": "ErrorLog nowhere/error.log\n",
        "include loop": "Include min.conf\n",
        "listened twice": f"Listen 127.0.0.1:{server.port}\n",
        "log is a folder": "CustomLog htdocs common\n",
        "no types": "LoadModule mime_module x\nTypesConfig nowhere\n",
        "no user": "User nobody-of-this-name\n",
    }
    if kind == "empty":
        conf.write_text("")
    elif kind == "no address":
        conf.write_text(re.sub(r"Listen .*", "", text))
    elif kind == "unreadable":
        conf.unlink()
        conf.mkdir()
    else:
        conf.write_text(text + lines[kind])


KINDS = [
    "unknown directive", "open section", "missing file", "bad value", "bad pattern", "missing module",
    "log folder gone", "include loop", "listened twice", "log is a folder", "no types", "no user", "empty",
    "no address", "unreadable",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_that_cannot_be_used_changes_nothing(server: Server, kind: str) -> None:
    start(server)
    workers = children_of(server.pid)
    pid_file = server.pid_file.read_text()
    broken(server, kind)
    done = server.httpd("-k", "graceful")
    assert done.returncode == 1 and done.stderr
    for count, number in enumerate((signal.SIGUSR1, signal.SIGHUP)):
        os.kill(server.pid, number)
        until(lambda count=count: server.log().count("the new configuration is not used") == count + 1)
    if kind not in ("empty", "no address", "unreadable"):
        place = r"line \d+ of \S+/min\.conf|\S+/min\.conf:\d+"
        assert re.search(place, done.stderr) and re.search(place, server.log().rpartition("is not used")[2])
    assert children_of(server.pid) == workers
    assert server.pid_file.read_text() == pid_file
    assert server.get() == "hello\n"


@pytest.mark.parametrize(("mpm", "log_id"), [("event", "AH00501"), ("worker", "AH00304"), ("prefork", "AH00179")])
def test_a_reload_says_that_it_does_not_change_server_limit(server: Server, mpm: str, log_id: str) -> None:
    start(server, "ServerLimit 5", f"MaxRequestWorkers {5 if mpm == 'prefork' else 50}", mpm=mpm)
    conf = server.root / "min.conf"
    conf.write_text(conf.read_text().replace("ServerLimit 5", "ServerLimit 7"))
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: server.log().count("resuming normal operations") == 2)
    said = f"[mpm_{mpm}:warn] [pid {server.pid}:tid {server.pid}] {log_id}: changing ServerLimit to 7 from original value of 5 not allowed"
    assert said in server.log()


def umask_of(pid: int) -> str:
    return next(line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Umask:"))


def test_a_reload_takes_back_what_umask_withheld(server: Server) -> None:
    start(server, "Umask 077")
    workers = set(children_of(server.pid))
    assert {umask_of(pid) for pid in workers} == {"0077"}
    conf = server.root / "min.conf"
    conf.write_text(conf.read_text().replace("Umask 077", ""))
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: bool(children_of(server.pid)) and workers.isdisjoint(children_of(server.pid)))
    assert {umask_of(pid) for pid in children_of(server.pid)} == {"0022"}


def test_a_refused_reload_leaves_its_umask_nowhere(server: Server) -> None:
    start(server, "Umask 027")
    append(server.root / "min.conf", "Umask 077\n")
    broken(server, "no address")
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: "the new configuration is not used" in server.log())
    assert umask_of(server.pid) == "0027"


def test_refused_reloads_leave_no_logs_open_and_no_programs_running(server: Server) -> None:
    start(server, 'CustomLog "|/bin/cat" common')

    def held() -> tuple[int, int]:
        return len(os.listdir(f"/proc/{server.pid}/fd")), len(children_of(server.pid))

    until(lambda: server.get() == "hello\n")
    before = held()
    broken(server, "no address")
    for count in range(3):
        os.kill(server.pid, signal.SIGUSR1)
        until(lambda count=count: server.log().count("the new configuration is not used") == count + 1)
    until(lambda: held() == before)


def test_a_reload_that_fails_when_its_workers_are_forked_needs_no_pid_file_back(server: Server) -> None:
    """It claimed another one, and the first one's folder is gone by then."""
    server.pid_file = server.root / "gone/httpd.pid"
    server.pid_file.parent.mkdir()
    start(server, "PidFile gone/httpd.pid")
    parent = server.pid
    server.pid_file.unlink()
    server.pid_file.parent.rmdir()
    append(server.root / "min.conf", "PidFile logs/httpd.pid\nLoadModule stillborn_module python:stillborn\n")
    os.kill(parent, signal.SIGUSR1)
    until(lambda: "the new configuration is not used" in server.log())
    assert server.get() == "hello\n"
    assert is_alive(parent)
    assert not (server.root / "logs/httpd.pid").exists()


# how much at the same time


def begun(server: Server) -> int:
    """How many handlers of `waiting` have begun."""
    return int(server.get("/begun"))


@pytest.mark.parametrize(("line", "count"), [("MaxRequestWorkers 2", 2), ("", 3)])
def test_max_request_workers_bounds_async_handlers_where_it_is_said(server: Server, line: str, count: int) -> None:
    append(server.root / "min.conf", f"{WAITING}StartServers 1\nServerLimit 1\nThreadsPerChild 2\n{line}\n")
    assert server.httpd().returncode == 0
    clients = [Client(server) for _ in range(3)]
    for one in clients:
        one.ask("/wait")
    until(lambda: begun(server) == count)
    assert [begun(server) for _ in range(3)] == [count] * 3
    assert server.get("/go") == "gone\n"
    for one in clients:
        assert one.head().startswith("HTTP/1.1 200 ")
        one.close()
    assert begun(server) == 3


def test_a_slow_client_does_not_take_the_place_of_another(server: Server) -> None:
    """Nor of one that wants to connect."""
    sizes = ("StartServers 1", "ServerLimit 1", "ThreadsPerChild 2", "MaxRequestWorkers 2", "AsyncRequestWorkerFactor 9")
    start(server, WAITING, *sizes)
    slow = [Client(server) for _ in range(3)]
    for one in slow:
        one.sock.sendall(b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
    until(lambda: begun(server) == 3)
    with client(server) as fast:
        fast.ask("/wait")
        until(lambda: begun(server) == 4)
        server.get("/go")
        assert fast.head().startswith("HTTP/1.1 200 ")
    for one in slow:
        one.sock.sendall(b"cd")
        assert one.head().endswith("\r\n\r\n4\n")
        one.close()


def test_async_request_worker_factor_bounds_connections_where_it_is_said(server: Server) -> None:
    sizes = ("StartServers 1", "ServerLimit 1", "ThreadsPerChild 2", "MaxRequestWorkers 2", "AsyncRequestWorkerFactor 1")
    start(server, *sizes, "KeepAliveTimeout 60", "LogLevel debug")
    clients = [Client(server) for _ in range(4)]
    for one in clients:
        one.ask()
        assert one.head().startswith("HTTP/1.1 200 ")
    until(lambda: "Too many open connections (4), not accepting new conns in this process" in server.log())
    with client(server) as late:
        late.ask()
        assert "AH00457" not in server.log()
        clients[0].close()
        assert late.head().startswith("HTTP/1.1 200 ")
    for one in clients:
        one.close()


def test_it_is_said_once_that_nothing_is_idle(server: Server) -> None:
    start(server, SLOW, "StartServers 1", "ServerLimit 1", "ThreadsPerChild 1", "MaxRequestWorkers 1")
    clients = [Client(server) for _ in range(2)]
    for one in clients:
        one.ask("/sleep?3")
    for one in clients:
        assert one.head().startswith("HTTP/1.1 200 ")
        one.close()
    said = "[mpm_event:error]", "AH00484: server reached MaxRequestWorkers setting, consider raising the MaxRequestWorkers setting"
    assert [all(word in line for word in said) for line in server.log().split("\n") if "AH00484" in line] == [True]


# balance


def test_connections_that_stay_are_shared_between_workers(server: Server) -> None:
    start(server, MISBEHAVING, "StartServers 2", "MinSpareThreads 1")
    clients = [Client(server) for _ in range(40)]
    pids = []
    for one in clients:
        one.ask("/who")
        pids.append(int(one.head().split("\n")[-2]))
    counts = [pids.count(pid) for pid in set(pids)]
    assert len(counts) == 2 and min(counts) >= 10
    for one in clients:
        one.close()
