"""Heartbeats that are sent, heard, posted and written down, by running servers on loopback addresses."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coachwhip.testing import Site

MODULES = ("mpm_event", "authz_core", "heartbeat", "heartmonitor")
HANDLER = "<Location /hb>\n    SetHandler heartbeat\n</Location>\nHeartbeatMaxServers 0\nHeartbeatStorage beats\n"


def monitor(config: str = "") -> Site:
    """Its workers, whoever they run as, may write into the folder of the file."""
    site = Site(config=HANDLER + config, modules=MODULES)
    Path(site.root, "run").chmod(0o777)
    return site.start()


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def written(site: Site) -> str:
    path = Path(site.root) / "run/beats"
    return path.read_text() if path.exists() else ""


def post(site: Site, body: str, method: str = "POST") -> tuple[int, bytes]:
    head = f"{method} /hb HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = site.ask((head + body).encode())
    return answer.status, answer.body


def test_once_a_second_one_worker_says_how_many_are_idle() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20)
        config = f"HeartbeatAddress 127.0.0.1:{ear.getsockname()[1]}\nWatchdogInterval 100ms\nThreadsPerChild 7\nMaxRequestWorkers 7\n"
        with Site(config=config, modules=("mpm_event", "authz_core", "heartbeat")).start():
            heard = [ear.recvfrom(1000)[0]]
            # Its first figures are a moment old.
            while heard[-1] != b"v=1&ready=7&busy=0":
                assert heard[-1] == b"v=1&ready=0&busy=0" and len(heard) < 100
                heard.append(ear.recvfrom(1000)[0])


def test_what_is_heard_is_written_down() -> None:
    port = free_port()
    config = f"HeartbeatListen 127.0.0.1:{port}\nHeartbeatAddress 127.0.0.1:{port}\nWatchdogInterval 100ms\n"
    with monitor(config) as site:
        until(lambda: bool(re.fullmatch(r"127\.0\.0\.1 &ready=[1-9][0-9]*&busy=0&lastseen=[01]&port=80\n", written(site))))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"garbage", ("127.0.0.1", port))
        until(lambda: "AH02087: malformed message from 127.0.0.1:" in site.log("error.log"))


def test_a_posted_one_is_written_down_at_once() -> None:
    with monitor() as site:
        assert post(site, "v=1&ready=5&busy=3&port=81") == (200, b"OK")
        assert written(site) == "127.0.0.1 &ready=5&busy=3&lastseen=0&port=81\n"
        assert post(site, "ready=6&busy=2") == (200, b"OK")
        assert written(site) == "127.0.0.1 &ready=6&busy=2&lastseen=0&port=80\n"


def test_of_many_posted_at_once_none_is_lost() -> None:
    """From forty clients, each on an address of its own, to two workers."""
    clients = [f"127.0.1.{n}" for n in range(1, 41)]
    body = b"ready=5&busy=3"
    with monitor("StartServers 2\nServerLimit 2\nThreadsPerChild 8\nMaxRequestWorkers 16\n") as site:
        lines = []
        for client in clients:
            line = socket.create_connection(("127.0.0.1", site.port), 20, source_address=(client, 0))
            line.sendall(b"POST /hb HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            lines.append(line)
        for line in lines:
            line.sendall(body)
        answers = [line.recv(1000) for line in lines]
        for line in lines:
            line.close()
        assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
        assert sorted(text.split(" ")[0] for text in written(site).splitlines()) == sorted(clients)


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("GET", "", 405), ("PUT", "ready=1&busy=1", 405), ("POST", "v=1&ready=5", 400), ("POST", "", 400)],
)
def test_what_is_no_heartbeat(method: str, body: str, status: int) -> None:
    with monitor() as site:
        assert post(site, body, method)[0] == status
        assert written(site) == ""


def test_without_the_file_there_would_have_to_be_shared_memory() -> None:
    with pytest.raises(Exception, match="AH02284"), Site(config="HeartbeatMaxServers 10\n", modules=MODULES).start():
        pass
