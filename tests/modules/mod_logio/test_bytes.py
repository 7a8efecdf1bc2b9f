"""`%I %O %S %^FB`: what went over the wire, and when the first byte of it did."""

from __future__ import annotations

import pytest

from coachwhip.testing.site import Site

MODULES = ("mpm_event", "authz_core", "mime", "deflate", "filter")
FILES = {"htdocs/a.txt": "hello\n", "htdocs/big.html": "x" * 20000}
CLOSE = b"Host: h\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (b"GET /a.txt HTTP/1.1\r\n" + CLOSE + b"\r\n", 6),
        (b"HEAD /a.txt HTTP/1.1\r\n" + CLOSE + b"\r\n", 0),
        (b"POST /a.txt HTTP/1.1\r\n" + CLOSE + b"Content-Length: 10\r\n\r\n0123456789", 6),
        (b"GET /big.html HTTP/1.1\r\n" + CLOSE + b"\r\n", 20000),
        (b"GET /a.txt HTTP/1.0\r\n\r\n", 6),
    ],
)
def test_bytes_of_a_request(request_: bytes, body: int) -> None:
    with Site(config='CustomLog logs/io.log "%I %O %S %B"', files=FILES, modules=MODULES) as site:
        site.start()
        with site.connect() as client:
            client.send(request_)
            received = len(client.read_rest())
        site.stop()
        assert site.log("io.log") == f"{len(request_)} {received} {len(request_) + received} {body}\n"


def test_each_request_of_a_connection_counts_its_own() -> None:
    first, last = b"GET /a.txt?long HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a.txt HTTP/1.1\r\n" + CLOSE + b"\r\n"
    with Site(config='CustomLog logs/io.log "%I %B"', files=FILES, modules=MODULES) as site:
        site.start()
        with site.connect() as client:
            client.send(first + last)
            client.read_rest()
        site.stop()
        assert site.log("io.log") == f"{len(first)} 6\n{len(last)} 6\n"


def test_body_bytes_are_counted_without_their_chunks() -> None:
    config = 'SetOutputFilter DEFLATE\nCustomLog logs/io.log "%B %{Transfer-Encoding}o"\n'
    request = b"GET /big.html HTTP/1.1\r\nAccept-Encoding: gzip\r\n" + CLOSE + b"\r\n"
    with Site(config=config, files=FILES, modules=MODULES) as site:
        site.start()
        response = site.ask(request)
        site.stop()
        assert site.log("io.log").split(" ")[0] == str(len(response.body))


def test_the_time_to_the_first_byte_is_kept_where_it_is_asked_for() -> None:
    config = 'CustomLog logs/io.log "%U %^FB"\n<Location /a.txt>\nLogIOTrackTTFB On\n</Location>\n'
    with Site(config=config, files=FILES, modules=MODULES) as site:
        site.start()
        for path in (b"/a.txt", b"/big.html", b"/none"):
            site.ask(b"GET " + path + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
        site.stop()
        tracked, untracked, missing = site.log("io.log").split("\n")[:-1]
    assert tracked.split(" ")[1].isdecimal()
    assert (untracked, missing) == ("/big.html -", "/none -")
