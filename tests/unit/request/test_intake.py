"""From a head to a request record: host, virtual host, and what is refused before the first phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api.server import Connection
from coachwhip.protocol.errors import BadRequest
from coachwhip.request import intake

MakeWorld = Callable[..., Any]
HOSTS = """
<VirtualHost *:80>
    ServerName one.test
</VirtualHost>
<VirtualHost *:80>
    ServerName two.test
    ServerAlias alias.test *.wild.test
    ServerPath /two
</VirtualHost>
"""


@pytest.mark.parametrize(
    ("line", "host", "server", "hostname"),
    [
        ("/", "one.test", "one.test", "one.test"),
        ("/", "TWO.test:8080", "two.test", "two.test"),
        ("/", "two.test.", "two.test", "two.test"),
        ("/", "alias.test", "two.test", "alias.test"),
        ("/", "a.b.wild.test", "two.test", "a.b.wild.test"),
        ("/", "unknown.test", "one.test", "unknown.test"),
        ("http://two.test/", "one.test", "two.test", "two.test"),
        ("/", "[::1]", "one.test", "[::1]"),
    ],
)
def test_host(world: MakeWorld, line: str, host: str, server: str, hostname: str) -> None:
    r, status = world(HOSTS).begin(line, {"Host": host})
    assert (status, r.server.name, r.hostname) == (200, server, hostname)
    assert r.connection.server is r.server


@pytest.mark.parametrize(
    ("line", "fields", "status", "keeps"),
    [
        ("/", {"Host": ""}, 400, False),
        ("/", {"Host": "a b"}, 400, False),
        ("/", {"Content-Length": "x"}, 400, False),
        ("/", {"Transfer-Encoding": "gzip, chunked"}, 501, False),
        ("ftp://localhost/", {}, 400, True),
        # The body can be found, so the connection may go on.
        ("/", {"Expect": "miracles", "Content-Length": "5"}, 417, True),
        ("/", {"Transfer-Encoding": "chunked", "Content-Length": "5"}, 200, False),
        ("/", {}, 200, True),
    ],
)
def test_refusals(world: MakeWorld, line: str, fields: dict[str, str], status: int, keeps: bool) -> None:
    r, answered = world().begin(line, fields)
    assert (answered, r.keepalive) == (status, keeps)


def test_strict_host_check(world: MakeWorld) -> None:
    w = world("StrictHostCheck On\n" + HOSTS)
    assert [w.begin("/", {"Host": host})[1] for host in ("one.test", "other.test")] == [200, 400]


def test_connect_is_judged_like_any_method(world: MakeWorld) -> None:
    answer = world().ask("CONNECT localhost:80", {"Host": "localhost:80"})
    assert (answer.status, answer.r.uri) == (405, "/")
    assert world("<Location />\nRequire all denied\n</Location>").ask("CONNECT localhost:80").status == 403


def test_what_the_record_says(world: MakeWorld) -> None:
    r, _ = world().begin("POST http://localhost:81/a%20b?c=d", {"X-Two": "1"})
    assert (r.method, r.the_request) == ("POST", "POST http://localhost:81/a%20b?c=d HTTP/1.1")
    assert (r.uri, r.args, r.unparsed_uri, r.protocol_number) == ("/a%20b", "c=d", "http://localhost:81/a%20b?c=d", 1001)
    assert (r.host_port, r.headers_in.get("x-two")) == (81, "1")


@pytest.mark.parametrize(
    ("line", "method", "uri"),
    [(b"GET /a?b HTTP/1.1", "GET", "/a"), (b"nonsense", "nonsense", "/"), (b"", "", "/"), (b"\xff\xfe /x HTTP/9.9", "\xff\xfe", "/x")],
)
def test_bytes_that_are_no_request_can_be_logged(world: MakeWorld, line: bytes, method: str, uri: str) -> None:
    w = world()
    connection = Connection(w.pipeline.startup.main, ("127.0.0.1", 1), ("127.0.0.1", 80), id=1)
    r = intake.begin_broken(w.pipeline, connection, BadRequest(400, "no request"), line, time.time())
    assert (r.method, r.uri, r.keepalive) == (method, uri, False)
