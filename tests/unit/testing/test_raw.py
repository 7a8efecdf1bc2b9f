"""The raw client frames responses as RFC 9112 section 6.3 says and reports what it saw."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coachwhip.testing.raw import Client, FramingError, exchange


@contextmanager
def peer(answer: bytes, received: list[bytes] | None = None) -> Iterator[tuple[str, int]]:
    """A server that reads one request head, sends `answer` and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65_536)
                if received is not None:
                    received.append(data)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        thread.join(10)


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_content_length() -> None:
    with peer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1\r\nx: 2\r\n\r\nhello") as address:
        (response,) = exchange(address, REQUEST)
    assert (response.status, response.reason, response.body, response.is_complete) == (200, b"OK", b"hello", True)
    assert response.get_all(b"X") == [b"1", b"2"]


def test_until_close() -> None:
    with peer(b"HTTP/1.0 200 OK\r\n\r\nall of it") as address:
        (response,) = exchange(address, REQUEST)
    assert (response.body, response.says_close) == (b"all of it", True)


def test_chunked_with_extension_and_trailer() -> None:
    wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
    with peer(wire) as address:
        (response,) = exchange(address, REQUEST)
    assert (response.body, response.trailers, response.is_complete) == (b"abcde", ((b"T", b"v"),), True)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n",
    ],
)
def test_a_cut_body_is_reported_not_raised(wire: bytes) -> None:
    with peer(wire) as address:
        (response,) = exchange(address, REQUEST)
    assert (response.body, response.is_complete) == (b"hell", False)


def test_head_and_304_have_no_body_whatever_they_announce() -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
    with peer(wire) as address:
        first, second = exchange(address, REQUEST, [b"HEAD", b"GET"])
    assert (first.status, first.body, second.status, second.body) == (200, b"", 304, b"")


def test_interim_responses_come_with_the_final_one() -> None:
    wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    with peer(wire) as address:
        (response,) = exchange(address, REQUEST)
    assert ([interim.status for interim in response.interim], response.status) == ([100], 204)


def test_closed_without_an_answer() -> None:
    with peer(b"") as address:
        assert exchange(address, REQUEST) == []


@pytest.mark.parametrize(
    "wire",
    [
        b"hello\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_http_is_an_error(wire: bytes) -> None:
    with peer(wire) as address, pytest.raises(FramingError):
        exchange(address, REQUEST)


def test_split_sends_the_same_bytes() -> None:
    received: list[bytes] = []
    with peer(b"HTTP/1.1 204 No Content\r\n\r\n", received) as address:
        exchange(address, REQUEST, split=1)
    assert received == [REQUEST]


def test_waiting_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Client(*silent.getsockname(), timeout=0.05) as client:
        client.send(REQUEST)
        with pytest.raises(TimeoutError):
            client.read_response()
