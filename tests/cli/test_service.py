"""The server as a service manager runs it, and in the foreground of a terminal: real processes, with the test in the manager's place."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import HTTPD
from running import WAIT, Server, until

#: Binds the port in its arguments, hands the socket over as systemd does, and becomes the command that follows.
ACTIVATE = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(sock.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """The service manager's socket."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        # As systemd's: whoever a service has become may speak.
        path.chmod(0o777)
        self._socket.settimeout(WAIT)

    def hear(self) -> dict[str, str]:
        """The next message."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().split("\n"))

    def hear_until(self, name: str) -> dict[str, str]:
        while name not in (said := self.hear()):
            pass
        return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(server: Server) -> Iterator[Manager]:
    made = Manager(server.root / "notify")
    yield made
    made.close()


def command(server: Server, *more: str) -> list[str]:
    return [*HTTPD, "-d", str(server.root), "-f", "min.conf", "-D", "FOREGROUND", *more]


def started(server: Server, words: list[str], **environ: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(words, env=os.environ | environ, stderr=subprocess.PIPE, text=True)
    server.started.add(process.pid)
    return process


def ended(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    """What it has said, once it has ended by this signal."""
    process.send_signal(number)
    _, said = process.communicate(timeout=WAIT)
    assert process.returncode == 0
    return said


def test_a_service_says_what_becomes_of_it(server: Server, manager: Manager) -> None:
    process = started(server, command(server), NOTIFY_SOCKET=manager.path)
    said = manager.hear()
    assert (said["READY"], said["MAINPID"]) == ("1", str(process.pid))
    assert said["STATUS"] == f"Listening on 127.0.0.1:{server.port}"
    assert server.get()
    for broken in ("", "Bogus\n"):
        conf = server.root / "min.conf"
        conf.write_text(conf.read_text() + broken)
        process.send_signal(signal.SIGUSR1)
        assert manager.hear()["RELOADING"] == "1"
        assert manager.hear()["READY"] == "1"
        assert server.get()
    process.send_signal(signal.SIGTERM)
    assert manager.hear()["STOPPING"] == "1"
    process.communicate(timeout=WAIT)


def test_signs_of_life_and_counts(server: Server, manager: Manager) -> None:
    conf = server.root / "min.conf"
    conf.write_text(f"LoadModule systemd_module mod_systemd.so\n{conf.read_text()}")
    process = started(server, command(server), NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="400000")
    manager.hear_until("READY")
    assert manager.hear_until("WATCHDOG") == manager.hear_until("WATCHDOG") == {"WATCHDOG": "1"}
    while "requests" not in (said := manager.hear_until("STATUS")["STATUS"]):
        pass
    assert "0 requests, 0 bytes" in said and "workers with" in said
    ended(process)


def serve(server: Server) -> list[str]:
    """The command that can be taken over from."""
    return [sys.executable, "-m", "coachwhip", "serve", "--quiet", "--port", str(server.port), str(server.root / "htdocs")]


def successor_of(process: subprocess.Popen[str], server: Server, manager: Manager) -> int:
    """Who says to the manager that it takes over from this process; it will be ended."""
    process.send_signal(signal.SIGUSR2)
    successor = int(manager.hear_until("READY")["MAINPID"])
    server.started.add(successor)
    assert successor != process.pid
    return successor


def test_who_takes_over_speaks_for_the_service(server: Server, manager: Manager) -> None:
    """The old main process names the new one, whom the manager may not listen to before, and does not say that the service ends."""
    process = started(server, serve(server), NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="400000")
    assert manager.hear_until("READY")["MAINPID"] == str(process.pid)
    successor = successor_of(process, server, manager)
    assert manager.hear_until("MAINPID") == {"MAINPID": str(successor)}
    assert process.wait(WAIT) == 0
    assert server.get()
    while "WATCHDOG" not in (said := manager.hear()):
        assert "STOPPING" not in said
    os.kill(successor, signal.SIGTERM)
    manager.hear_until("STOPPING")
    process.communicate(timeout=WAIT)


def test_sockets_that_were_handed_over_go_to_who_takes_over(server: Server, manager: Manager) -> None:
    """They stay the manager's, who keeps them open: the successor has each twice, the one it was given and the one it listens on."""
    process = started(server, [sys.executable, "-c", ACTIVATE, str(server.port), *serve(server)], NOTIFY_SOCKET=manager.path)
    manager.hear_until("READY")
    successor = successor_of(process, server, manager)
    assert process.wait(WAIT) == 0
    assert server.get()
    links = [os.readlink(fd) for fd in Path(f"/proc/{successor}/fd").iterdir()]
    assert max(links.count(link) for link in links if link.startswith("socket:")) == 2
    os.kill(successor, signal.SIGTERM)
    process.communicate(timeout=WAIT)


def test_a_socket_that_is_handed_over_is_served(server: Server) -> None:
    """And kept over a reload; one that the new configuration has no `Listen` for is a reason to refuse it."""
    process = started(server, [sys.executable, "-c", ACTIVATE, str(server.port), *command(server)])
    until(server.pid_file.exists)
    assert server.get()
    conf = server.root / "min.conf"
    text = conf.read_text()
    conf.write_text(text.replace(f"Listen 127.0.0.1:{server.port}", f"Listen 127.0.0.2:{server.port}"))
    process.send_signal(signal.SIGUSR1)
    until(lambda: "which no `Listen` takes" in server.log())
    assert f"socket 'web' was handed over for 127.0.0.1:{server.port}, which no `Listen` takes" in server.log()
    assert server.get()
    conf.write_text(text)
    process.send_signal(signal.SIGUSR1)
    until(lambda: server.log().count("resuming normal operations") == 2)
    assert server.get()
    ended(process)


def test_a_socket_that_nothing_listens_on_stops_the_start(server: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        other = free.getsockname()[1]
    process = started(server, [sys.executable, "-c", ACTIVATE, str(other), *command(server)])
    _, said = process.communicate(timeout=WAIT)
    assert process.returncode == 1
    assert f"socket 'web' was handed over for 127.0.0.1:{other}, which no `Listen` takes" in said


def test_systemds_own_launcher(server: Server) -> None:
    launcher = shutil.which("systemd-socket-activate")
    if launcher is None:
        pytest.skip("systemd is not installed")
    words = [launcher, f"--listen=127.0.0.1:{server.port}", "--fdname=web", *command(server)]
    process = started(server, words)
    until(lambda: _connects(server.port))
    assert server.get()
    ended(process)


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# -- a terminal


class Terminal:
    """A command in the foreground of a terminal of its own."""

    def __init__(self, words: list[str]) -> None:
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.execv(words[0], words)
        self._resize(24, 80)

    def _resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self) -> None:
        """Larger, and as it was."""
        self._resize(50, 132)
        self._resize(24, 80)

    def type(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def end(self) -> tuple[int, str]:
        """Exit status and output, once the command has ended."""
        said = b""
        while True:
            try:
                more = os.read(self._fd, 4096)
            except OSError:
                break
            if not more:
                break
            said += more
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), said.decode()


@pytest.fixture
def terminal(server: Server) -> Terminal:
    made = Terminal(command(server))
    server.started.add(made.pid)
    until(server.pid_file.exists)
    assert server.get()
    return made


def test_a_terminal_that_is_resized_does_not_stop_the_server(server: Server, terminal: Terminal) -> None:
    """Apache stops; its graceful stop is the same signal."""
    terminal.resize()
    os.kill(terminal.pid, signal.SIGUSR1)
    until(lambda: server.log().count("resuming normal operations") == 2)
    assert server.get()
    assert "caught SIGWINCH" not in server.log()
    os.kill(terminal.pid, signal.SIGWINCH)
    assert terminal.end() == (0, "")
    assert "AH00492: caught SIGWINCH, shutting down gracefully" in server.log()


def test_a_single_process_does_not_heed_that_signal_at_all(server: Server, manager: Manager) -> None:
    """Neither does Apache's."""
    process = started(server, command(server, "-X"), NOTIFY_SOCKET=manager.path)
    assert manager.hear()["READY"] == "1"
    process.send_signal(signal.SIGWINCH)
    assert server.get()
    ended(process)


def test_ctrl_c_ends_it_without_a_word(terminal: Terminal) -> None:
    terminal.type(b"\x03")
    assert terminal.end() == (0, "^C")


def test_ctrl_c_before_there_is_a_server_is_no_traceback() -> None:
    program = "import sys\nfrom coachwhip.cli import httpd, main\n"
    program += "def run(words):\n    raise KeyboardInterrupt\nhttpd.run = run\nsys.exit(main.main(['httpd']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")
