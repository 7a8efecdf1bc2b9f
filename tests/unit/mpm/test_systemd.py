"""Sockets that a service manager hands over, and what it is told, with a socket in its place."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.mpm.listeners import BindError, ListenAddress, Listeners, Queue
from coachwhip.mpm.systemd import HandedSockets, ServiceManager


def listening(host: str = "127.0.0.1") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family)


@pytest.fixture
def handed() -> Iterator[HandedSockets]:
    with listening() as http, listening() as admin:
        yield HandedSockets([("http", http), ("admin", admin)])


def address(sock: socket.socket, host: str | None = "127.0.0.1") -> ListenAddress:
    return ListenAddress(host, sock.getsockname()[1])


# -- sockets


def test_a_socket_is_found_by_its_address_and_stays_with_whoever_has_bound_it(handed: HandedSockets) -> None:
    _, http = handed.sockets[0]
    found = handed.find(address(http))
    assert found is not None and found.getsockname() == http.getsockname()
    found.close()
    again = handed.find(address(http))
    assert again is not None
    again.close()
    assert http.fileno() >= 0


def test_other_addresses_are_not_found(handed: HandedSockets) -> None:
    _, http = handed.sockets[0]
    assert handed.find(address(http, "127.0.0.2")) is None
    assert handed.find(ListenAddress("127.0.0.1", 1)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_addresses_are_those_of_ipv6_or_else_of_ipv4(host: str) -> None:
    with listening(host) as bound:
        found = HandedSockets([("http", bound)]).find(address(bound, None))
        assert found is not None
        found.close()


def test_sockets_are_used_in_place_of_binding(handed: HandedSockets) -> None:
    wanted = [address(sock) for _, sock in handed.sockets]
    listeners = Listeners(handed)
    listeners.add(wanted, Queue(5))
    assert [sock.getsockname()[1] for sock in listeners.sockets(wanted)] == [one.port for one in wanted]
    client = socket.create_connection(("127.0.0.1", wanted[0].port))
    listeners.sockets(wanted)[0].accept()[0].close()
    client.close()
    listeners.close()


def test_what_was_not_handed_over_is_bound(handed: HandedSockets) -> None:
    with listening() as free:
        more = address(free)
    listeners = Listeners(handed)
    listeners.add([*[address(sock) for _, sock in handed.sockets], more], Queue(5))
    assert listeners.sockets([more])[0].getsockname()[1] == more.port
    listeners.close()


def test_a_socket_that_no_listen_takes_is_an_error_that_says_which(handed: HandedSockets) -> None:
    _, http = handed.sockets[0]
    port = handed.sockets[1][1].getsockname()[1]
    with pytest.raises(BindError, match=f"socket 'admin' was handed over for 127.0.0.1:{port}, which no `Listen` takes"):
        Listeners(handed).add([address(http)], Queue(5))


def test_without_a_service_manager_there_is_nothing() -> None:
    manager = ServiceManager.from_environment({})
    manager.ready("up")
    manager.stopping()
    assert (manager.handed.sockets, manager.wants_beat) == ([], False)


@pytest.mark.parametrize(
    "environ",
    [
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "me", "LISTEN_FDS": "x"},
        {"LISTEN_PID": "me", "LISTEN_FDS": ""},
    ],
)
def test_what_is_meant_for_others_is_left(environ: dict[str, str]) -> None:
    environ = {name: value.replace("me", str(os.getpid())) for name, value in environ.items()}
    assert HandedSockets.from_environment(environ).sockets == []
    assert environ == {}


#: Run in a process of its own, which has descriptors 3 and on as it was started with them.
TAKE = """
import os
from coachwhip.mpm.listeners import BindError
from coachwhip.mpm.systemd import HandedSockets
os.environ["LISTEN_PID"] = str(os.getpid())
try:
    found = HandedSockets.from_environment(os.environ)
    print([(name, sock.fileno(), os.get_inheritable(sock.fileno()), sock.getblocking()) for name, sock in found.sockets])
except BindError as error:
    print(error)
print([name for name in os.environ if name.startswith("LISTEN_")])
"""


def taken(sock: socket.socket, **environ: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import os\nos.dup2({sock.fileno()}, 3)\n{TAKE}"],
        env={"LISTEN_FDS": "1", **environ}, pass_fds=[sock.fileno()], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"LISTEN_FDNAMES": "http"}, "http"),
        ({"LISTEN_FDNAMES": "http:more"}, "http"),
        ({"LISTEN_FDNAMES": ""}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_descriptors_become_sockets_that_programs_do_not_inherit(environ: dict[str, str], name: str) -> None:
    with listening() as sock:
        assert taken(sock, **environ) == [f"[('{name}', 3, False, False)]", "[]"]


@pytest.mark.parametrize("kind", ["not listening", "datagram", "unix"])
def test_a_descriptor_that_is_no_listening_tcp_socket_is_an_error(kind: str, tmp_path: Path) -> None:
    if kind == "unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(str(tmp_path / "s"))
        sock.listen()
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
    with sock:
        error, left = taken(sock, LISTEN_FDNAMES="odd")
    assert error == "socket 'odd', handed over as descriptor 3, cannot be used: it is no TCP socket that listens"
    assert left == "[]"


# -- what the service manager is told


@pytest.fixture(params=["path", "abstract"])
def notified(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket, and its name in the environment."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@coachwhip-test-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        sock.settimeout(5)
        yield sock, name


def lines(sock: socket.socket) -> list[str]:
    return sock.recv(4096).decode().split("\n")


def test_ready_reloading_and_stopping(notified: tuple[socket.socket, str]) -> None:
    sock, name = notified
    environ = {"NOTIFY_SOCKET": name}
    manager = ServiceManager.from_environment(environ)
    manager.ready("Listening\non everything")
    assert lines(sock) == ["READY=1", f"MAINPID={os.getpid()}", "STATUS=Listening on everything"]
    manager.reloading()
    said = lines(sock)
    assert said[0] == "RELOADING=1" and said[1].removeprefix("MONOTONIC_USEC=").isdigit()
    manager.stopping()
    assert lines(sock)[0] == "STOPPING=1"
    manager.status("3 workers")
    assert lines(sock) == ["STATUS=3 workers"]
    assert environ == {}


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "me"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "0"}, 0.0),
        ({"WATCHDOG_USEC": "x"}, 0.0),
        ({}, 0.0),
    ],
)
def test_signs_of_life_come_twice_as_often_as_they_are_waited_for(environ: dict[str, str], interval: float) -> None:
    environ = {name: value.replace("me", str(os.getpid())) for name, value in environ.items()}
    manager = ServiceManager.from_environment(environ | {"NOTIFY_SOCKET": "/nowhere"})
    assert manager.interval == interval
    assert manager.wants_beat is (interval > 0)


def test_a_sign_of_life_is_due_once_in_an_interval(notified: tuple[socket.socket, str]) -> None:
    sock, name = notified
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "900000000000"})
    assert manager.wants_beat
    manager.beat()
    assert lines(sock) == ["WATCHDOG=1"]
    assert not manager.wants_beat


def test_a_service_manager_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    manager.ready("up")
