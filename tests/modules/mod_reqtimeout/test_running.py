"""A client that takes too long to send its request is told so (408) and let go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coachwhip.testing import Site
from coachwhip.testing.raw import Client, Response

MODULES = ("mpm_event", "authz_core", "dir", "mime", "reqtimeout")
#: Far beyond the limits of one second, so that an answer in time is the limit's work.
PATIENCE = 5.0


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config="RequestReadTimeout header=1 body=1\n", files={"htdocs/a.txt": "hello\n"}, modules=MODULES).start() as running:
        yield running


def answer(client: Client) -> Response:
    found = client.read_response(b"GET")
    assert found is not None
    return found


def test_half_a_head(site: Site) -> None:
    with site.connect(PATIENCE) as client:
        client.send(b"GET /a.txt HTTP/1.1\r\nHost: loc")
        found = answer(client)
        assert found.status == 408
        assert (b"Connection", b"close") in found.headers
        assert client.read_response(b"GET") is None


def test_bytes_that_trickle_in_do_not_help(site: Site) -> None:
    with site.connect(PATIENCE) as client:
        client.send(b"GET /a.txt HTTP/1.1\r\n")
        client.send(b"Host: localhost\r\n")
        assert answer(client).status == 408


def test_a_later_request_has_its_own_time(site: Site) -> None:
    with site.connect(PATIENCE) as client:
        client.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer(client).status == 200
        client.send(b"GET /a.txt HTTP/1.1\r\n")
        assert answer(client).status == 408


def test_a_later_head_has_the_time_that_the_addresss_own_server_gives() -> None:
    hosts = "<VirtualHost *:*>\nServerName own.test\nRequestReadTimeout header=1\n</VirtualHost>\n"
    hosts += "<VirtualHost *:*>\nServerName other.test\nRequestReadTimeout header=30\n</VirtualHost>\n"
    with (
        Site(config=hosts, files={"htdocs/a.txt": "hello\n"}, modules=MODULES).start() as running,
        running.connect(PATIENCE) as client,
    ):
        client.send(b"GET /a.txt HTTP/1.1\r\nHost: other.test\r\n\r\n")
        assert answer(client).status == 200
        client.send(b"GET /a.txt HTTP/1.1\r\n")
        assert answer(client).status == 408


def test_whoever_is_quick_gets_the_answer(site: Site) -> None:
    assert site.ask(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status == 200
