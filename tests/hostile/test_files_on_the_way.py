"""Files that change while they are sent, things that are no files, and files larger than memory: a real server, a slow client."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.testing.site import Site

MIB = 1 << 20
BIG = b"0123456789abcdef" * (2 * MIB)


def get(path: str, *fields: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{''.join(f + chr(13) + chr(10) for f in fields)}\r\n".encode()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config="LogLevel info\n", files={"htdocs/small": "small\n"}) as site:
        yield site.start()


@pytest.fixture
def big(site: Site) -> Iterator[Path]:
    path = Path(site.root, "htdocs", "big")
    path.write_bytes(BIG)
    yield path
    path.unlink(missing_ok=True)


def begin(site: Site) -> socket.socket:
    """Ask for the big file; return when the answer has begun."""
    client = socket.create_connection(site.address, 10)
    client.sendall(get("/big"))
    client.recv(1, socket.MSG_PEEK)
    return client


def finish(client: socket.socket) -> bytes:
    with client:
        data = b""
        while piece := client.recv(MIB):
            data += piece
    return data.partition(b"\r\n\r\n")[2]


def is_true(body: bytes) -> bool:
    """Whether all bytes are the file's; those behind a cut may be 0, since the system clears what it has not handed out yet."""
    block = 1 << 16
    for at in range(0, len(body), block):
        got, want = body[at : at + block], BIG[at : at + len(body[at : at + block])]
        if got != want and any(a not in (b, 0) for a, b in zip(got, want, strict=True)):
            return False
    return True


@pytest.mark.parametrize("size", [0, 5, MIB, len(BIG) - 1])
def test_a_file_that_is_cut_ends_that_connection_with_what_was_true(site: Site, big: Path, size: int) -> None:
    client = begin(site)
    os.truncate(big, size)
    body = finish(client)
    assert len(body) < len(BIG)
    assert is_true(body)
    assert site.ask(get("/small")).body == b"small\n"
    assert "response cut: file became shorter while it was sent" in site.log()


def test_a_file_that_grows_is_sent_as_long_as_it_was(site: Site, big: Path) -> None:
    client = begin(site)
    with big.open("ab") as file:
        file.write(b"more")
    assert finish(client) == BIG


def test_a_file_that_is_replaced_deleted_or_closed_to_us_is_sent_whole(site: Site, big: Path) -> None:
    clients = [begin(site), begin(site), begin(site)]
    big.chmod(0)
    other = big.with_name("other")
    other.write_bytes(b"z" * len(BIG))
    other.rename(big)
    assert finish(clients[0]) == BIG
    big.unlink()
    assert finish(clients[1]) == BIG
    assert finish(clients[2]) == BIG


def test_a_pipe_a_socket_and_a_device_are_refused_at_once(site: Site) -> None:
    root = Path(site.root, "htdocs")
    os.mkfifo(root / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(root / "socket"))
    (root / "device").symlink_to("/dev/zero")
    try:
        for name in ("pipe", "socket", "device"):
            assert site.ask(get(f"/{name}")).status in (403, 404)
    finally:
        listener.close()
        for name in ("pipe", "socket", "device"):
            (root / name).unlink()


def test_four_gigabytes_are_sent_from_the_file_not_from_memory(site: Site) -> None:
    path = Path(site.root, "htdocs", "sparse")
    with path.open("wb") as file:
        file.truncate(4 << 30)
        file.write(b"head")
        file.seek(-4, os.SEEK_END)
        file.write(b"tail")
    head = site.ask(get("/sparse", f"Range: bytes=0-{4 * MIB - 1}"))
    assert (head.status, len(head.body), head.body[:5]) == (206, 4 * MIB, b"head\0")
    tail = site.ask(get("/sparse", f"Range: bytes=-{2 * MIB}"))
    assert (tail.status, len(tail.body), tail.body[-5:]) == (206, 2 * MIB, b"\0tail")
    with begin_whole(site) as client:
        received = 0
        while received < 32 * MIB:
            received += len(client.recv(MIB))
    pid = int(Path(site.root, "run", "httpd.pid").read_text())
    assert all(peak < 200 << 10 for peak in peaks(pid))


def begin_whole(site: Site) -> socket.socket:
    client = socket.create_connection(site.address, 10)
    client.sendall(get("/sparse"))
    return client


def peaks(pid: int) -> list[int]:
    """The most memory that a server's processes ever had, in KiB."""
    family = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    lines = [line for one in family for line in Path(f"/proc/{one}/status").read_text().split("\n")]
    return [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
