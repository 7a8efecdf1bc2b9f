"""Steps 9 to 14: connections that stay open, a strict parser, files by the kernel, and answers that are never stale."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from stepping import Running, eventually, read_all

Start = Callable[..., Running]
PROPER = range(9, 15)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

BAD = [
    (b"GET / HTTP/1.1\r\n\r\n", 400),  # RFC 9112 3.2: no Host
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),  # RFC 9112 5.1: space before the colon
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n folded\r\n\r\n", 400),  # RFC 9112 5.2
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\nC: d\r\n\r\n", 400),  # a bare LF
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\x00c\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
    (b"\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 413),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n", 413),
    (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 9000, 400),
]


def statuses(answer: bytes) -> list[int]:
    """Return the status codes of the responses in a stream (no page of ours contains a status line)."""
    return [int(part[2:5]) for part in answer.split(b"HTTP/1.")[1:]]


@pytest.mark.parametrize("number", PROPER)
def test_a_connection_serves_many_requests(start: Start, number: int) -> None:
    step = start(number)
    assert statuses(step.ask(GET + GET + b"GET /no HTTP/1.1\r\nHost: a\r\n\r\n" + LAST + GET)) == [200, 200, 404, 200]
    with step.connect(GET) as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\nDate: ")
        client.sendall(LAST)
        assert statuses(read_all(client)).pop() == 200


@pytest.mark.parametrize("number", PROPER)
def test_http_1_0_stays_open_on_request_only(start: Start, number: int) -> None:
    step = start(number)
    old, asked = b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
    assert statuses(step.ask(old + old)) == [200]
    assert statuses(step.ask(asked + old)) == [200, 200]


@pytest.mark.parametrize("number", PROPER)
def test_head_has_the_length_but_no_body(start: Start, number: int) -> None:
    answer = start(number).ask(b"HEAD /big.html HTTP/1.0\r\n\r\n")
    assert b"\r\nContent-Length: 52000\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("number", PROPER)
def test_what_could_be_misunderstood_is_refused_and_nothing_after_it_is_read(start: Start, number: int) -> None:
    step = start(number)
    got = []
    for request, _ in BAD:
        with step.connect(request) as client:
            got.append(status_before_a_reset(client.recv))
    assert got == [status for _, status in BAD]
    assert statuses(step.get("/")) == [200]


def status_before_a_reset(recv: Callable[[int], bytes]) -> int:
    """Read the one response; the refusal may be followed by a reset, never by a second response."""
    answer = b""
    try:
        while piece := recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    (status,) = statuses(answer)
    return status


@pytest.mark.parametrize("number", PROPER)
def test_awkward_names(start: Start, number: int) -> None:
    step = start(number)
    (step.root / "a b ü%.txt").write_text("found")
    (step.root / "empty.css").write_text("")
    (step.root / "sub").mkdir()
    assert step.get("/a%20b%20%C3%BC%25.txt?query").endswith(b"\r\n\r\nfound")
    assert b"Content-Type: text/css\r\nContent-Length: 0\r\n" in step.get("/empty.css")
    for target in ("/sub", "/sub/", "/" + "a" * 300, "/index.html/"):
        assert statuses(step.get(target)) == [404]
    assert step.errors.read_text() == ""


def test_a_large_file_does_not_pass_through_our_memory(start: Start) -> None:
    step = start(10)
    with (step.root / "huge.bin").open("wb") as huge:
        huge.truncate(3 * 2**30)
    with step.connect(b"GET /huge.bin HTTP/1.0\r\n\r\n") as client:
        received = 0
        while received < 2**24:
            received += len(client.recv(2**20))
    peak = next(line for line in Path(f"/proc/{step.process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    assert int(peak.split()[1]) < 200 * 1024


@pytest.mark.parametrize("number", PROPER)
def test_a_silent_client_is_shown_the_door(start: Start, number: int) -> None:
    step = start(number, {" = 64, 5.0, " if number < 11 else " = 5.0, ": " = 64, 0.1, " if number < 11 else " = 0.1, "})
    with step.connect(b"GET / HT") as client:
        assert status_or_nothing(client.recv) == b""


def status_or_nothing(recv: Callable[[int], bytes]) -> bytes:
    try:
        return recv(100)
    except ConnectionResetError:
        return b""


def test_every_core_gets_a_process(start: Start) -> None:
    step = start(12)
    assert eventually(lambda: len(step.others()) == os.cpu_count())


def test_a_thousand_cookies_do_not_confuse_the_line_memory(start: Start) -> None:
    step = start(13, {"8190, 100, 1000": "8190, 100, 10"})
    with step.connect() as client:
        for number in range(1000):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: n=%d\r\n\r\n" % number)
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: n=\x01\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("number", PROPER)
def test_a_change_on_disk_shows_in_the_next_response(start: Start, number: int) -> None:
    step = start(number)
    page = step.root / "page.html"
    request = b"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n"
    with step.connect() as client:
        for length in range(1, 40):
            for content in (b"x" * length, None):
                page.unlink() if content is None else page.write_bytes(content)
                for _ in range(2):
                    client.sendall(request)
                    head, _, body = client.recv(65536).partition(b"\r\n\r\n")
                    while b"404" not in head and len(body) < length:
                        body += client.recv(65536)
                    assert (b"404" in head) == (content is None)
                    assert content is None or body == content
