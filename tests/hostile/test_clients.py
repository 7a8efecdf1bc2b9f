"""Clients that vanish in the middle of whatever they began, or ask for secrets; faults/ has them in great numbers, and what runs out."""

import os
import socket
import struct
import time
from pathlib import Path

from coachwhip.testing.site import Site

GET = b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FILES = {"htdocs/small": "small\n", "htdocs/big": b"x" * (8 << 20)}


def vanish(client: socket.socket) -> None:
    """Close so that the other side gets a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def descriptors(site: Site) -> int:
    """How many the process has that has most; there may be more workers later than there were."""
    parent = int(Path(site.root, "run", "httpd.pid").read_text())
    family = [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]
    return max(len(os.listdir(f"/proc/{pid}/fd")) for pid in family)


def settles(site: Site, expected: int) -> bool:
    """Whether the number of descriptors comes back to what it was."""
    deadline = time.monotonic() + 10
    while descriptors(site) > expected + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    return descriptors(site) <= expected + 2


def test_clients_that_vanish_in_the_middle_leave_nothing_behind() -> None:
    with Site(files=FILES).start() as site:
        site.ask(GET)
        before = descriptors(site)
        for _ in range(30):
            for request in (
                GET.replace(b"small", b"big"),
                b"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc",
                b"POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                b"GET /small HTTP/1.1\r\nHo",
            ):
                client = socket.create_connection(site.address, 10)
                client.sendall(request)
                if b"big" in request:
                    client.recv(1000)
                vanish(client)
        assert settles(site, before)
        assert site.ask(GET).body == b"small\n"
        assert "fault" not in site.log()
        assert "Traceback" not in site.log()


def test_trace_sends_no_secrets_back() -> None:
    request = b"TRACE / HTTP/1.1\r\nHost: localhost\r\n%b: SECRET\r\nX-Other: shown\r\nConnection: close\r\n\r\n"
    with Site().start() as site:
        for name in (b"Authorization", b"Cookie", b"Proxy-Authorization", b"COOKIE"):
            answer = site.ask(request % name)
            assert answer.status == 200
            assert b"SECRET" not in answer.body
            assert b"X-Other: shown" in answer.body
