"""The failures that the early steps are there to show, and the step that ends each."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Callable

import pytest
from stepping import Running, eventually, read_all

Start = Callable[..., Running]
needs_ab = pytest.mark.skipif(not shutil.which("ab"), reason="ab (apache2-utils) is not installed")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def ab(step: Running, target: str, count: int) -> str:
    """Return what `ab` prints for a few requests, one after the other."""
    command = ["ab", "-n", str(count), "-c", "1", f"http://127.0.0.1:{step.port}{target}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("number", [1, 2])
def test_without_a_head_it_is_not_http(start: Start, number: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", start(number).port, timeout=10)
    client.request("GET", "/")
    with pytest.raises(http.client.BadStatusLine):
        client.getresponse()
    client.close()


@needs_ab
def test_ab_counts_a_small_page_without_a_head_as_an_empty_document(start: Start) -> None:
    printed = ab(start(2), "/index.html", 20)
    assert "Complete requests:      20" in printed
    assert "Document Length:        0 bytes" in printed


@needs_ab
@pytest.mark.parametrize(("size", "is_served"), [(8190, True), (8191, False), (52_000, False)])
def test_ab_gives_up_at_8191_bytes_without_the_end_of_a_head(start: Start, size: int, is_served: bool) -> None:
    step = start(2)
    (step.root / "page.html").write_bytes((b"My WebServer\n" * 4000)[:size])
    printed = ab(step, "/page.html", 20)
    assert ("Complete requests:      20" in printed) == is_served
    assert ("Test aborted after 10 failures" in printed) != is_served
    assert len(step.get("/page.html")) == size  # the server had sent it all; it was the client who would not have it


@needs_ab
def test_with_a_head_the_large_page_arrives(start: Start) -> None:
    printed = ab(start(3), "/big.html", 20)
    assert "Document Length:        52000 bytes" in printed
    assert "Failed requests:        0" in printed


def test_a_path_with_dots_leaves_the_folder_in_step_2(start: Start) -> None:
    step = start(2)
    (step.root.parent / "secret").write_text("secret")
    assert step.get("/../secret") == b"secret"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_slow_client_stops_everybody(start: Start, number: int) -> None:
    step = start(number)
    with step.connect(), step.connect(b"GET / HTTP/1.0\r\n\r\n") as second:
        assert step.is_silent(second)


@pytest.mark.parametrize(("number", "crew"), [(6, 8), (7, 64), (9, 64), (10, 64)])
def test_as_many_slow_clients_as_workers_stop_everybody(start: Start, number: int, crew: int) -> None:
    step = start(number, {" = 64, 5.0, ": " = 64, 60.0, "} if number in (9, 10) else {})
    slow = [step.connect() for _ in range(crew - 1)]
    assert step.get("/").endswith(b"</html>\n")
    slow.append(step.connect())
    with step.connect(b"GET / HTTP/1.0\r\n\r\n") as another:
        assert step.is_silent(another)
        slow.pop().close()
        another.settimeout(10)
        assert read_all(another).endswith(b"</html>\n")
    for client in slow:
        client.close()


@pytest.mark.parametrize("number", [4, 5, 8, 11, 12, 13, 14])
def test_slow_clients_stop_nobody(start: Start, number: int) -> None:
    step = start(number)
    slow = [step.connect(b"GET / HT") for _ in range(3 if number == 4 else 100)]  # step 4 has its queue of five
    assert step.get("/").endswith(b"</html>\n")
    for client in slow:
        client.close()


@pytest.mark.parametrize(("number", "survives"), [(1, False), (2, False), (3, False), (4, True), (5, True), (6, True)])
def test_a_client_that_resets_its_connection(start: Start, number: int, survives: bool) -> None:
    step = start(number)
    with step.connect():  # keeps the first three busy until the next client has gone
        rude = step.connect(b"GET / HTTP/1.0\r\n\r\n")
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        rude.close()
    if survives:
        assert len(step.get("/")) > 0
    else:
        assert step.process.wait(10) == 1
        assert "ConnectionResetError" in step.errors.read_text()


@pytest.mark.parametrize("number", range(3, 8))
def test_a_head_in_two_pieces_is_misread(start: Start, number: int) -> None:
    with start(number).connect(b"GET / HT") as client:
        assert read_all(client).startswith(b"HTTP/1.0 404 ")


@pytest.mark.parametrize("number", range(8, 15))
def test_a_head_may_come_byte_by_byte(start: Start, number: int) -> None:
    with start(number).connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET / HTTP/1.0\r\n\r\n":
            client.sendall(bytes([byte]))
        assert read_all(client).endswith(b"</html>\n")


def test_a_head_of_more_than_1024_bytes_gets_its_answer_cut_off_by_a_reset(start: Start) -> None:
    """The unread rest turns our close into a reset (RFC 9293, 3.10.4): the client reads an error, not an end."""
    with start(3).connect(b"GET / HTTP/1.0\r\nCookie: " + b"c" * 2000 + b"\r\n\r\n") as client, pytest.raises(ConnectionResetError):
        read_all(client)


@pytest.mark.parametrize(("number", "left"), [(4, 20), (5, 0)])
def test_children_that_nobody_waits_for_stay_as_zombies(start: Start, number: int, left: int) -> None:
    step = start(number)
    for _ in range(20):
        step.get("/")
    assert eventually(lambda: len(step.others("Z")) == left and len(step.others()) == left)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_backlog_of_five_lets_six_wait(start: Start, number: int) -> None:
    step = start(number)
    busy = step.connect()
    assert eventually(lambda: not waiting(step.port))
    clients = []
    for _ in range(8):
        client = socket.socket()
        client.settimeout(0.3)  # the first repetition of a lost SYN comes after a whole second
        clients.append(client)
        if client.connect_ex(("127.0.0.1", step.port)) != 0:
            break
    assert len(clients) == 7
    for client in (busy, *clients):
        client.close()


def waiting(port: int) -> int:
    """Return how many finished connections wait in a listener's queue (its `rx_queue` in /proc/net/tcp)."""
    with open("/proc/net/tcp") as table:
        row = next(line.split() for line in table if f":{port:04X} 00000000:0000 0A " in line)
    return int(row[4].partition(":")[2], 16)


def test_a_dead_worker_is_replaced(start: Start) -> None:
    step = start(6)
    assert eventually(lambda: len(step.others()) == 8)
    victim = step.others()[0]
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: len(step.others()) == 8 and victim not in step.others())
