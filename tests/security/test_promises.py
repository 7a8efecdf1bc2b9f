"""Attacks on a real server, one test each: what SECURITY.md promises and no recorded case shows."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.testing import Response, Site

CONFIG = """
Redirect /moved http://x.example/
ServerSignature On
Options +Indexes
RequestReadTimeout header=1 body=1
LogFormat "%r|%{Cookie}i|%U" told
CustomLog {root}/told.log told
<Directory "{root}/htdocs/theirs">
    AllowOverride All
</Directory>
<Location /private>
    Require all denied
</Location>
"""

FILES = {
    "htdocs/a.txt": "hello\n",
    "htdocs/private/secret.txt": "secret\n",
    "htdocs/list/<img src=x onerror=1>.txt": "x\n",
    "htdocs/theirs/.htaccess": "Require expr file('{root}/outside.txt') =~ /secret/\n",
    "htdocs/theirs/a.txt": "x\n",
    "outside.txt": "secret\n",
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config=CONFIG, files=FILES).start() as running:
        os.mkfifo(Path(running.root) / "htdocs" / "pipe")
        (Path(running.root) / "htdocs" / "sock").symlink_to("/dev/zero")
        yield running



def ask(site: Site, target: bytes, *fields: bytes, method: bytes = b"GET") -> Response:
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *fields]
    return site.ask(b"\r\n".join(lines) + b"\r\n\r\n", method)


@pytest.mark.parametrize(
    "target",
    [
        b"/../outside.txt",
        b"/..%2foutside.txt",
        b"/.%2e/outside.txt",
        b"/%2e%2e/outside.txt",
        b"/%%32%65%%32%65/outside.txt",
        b"/a/../../outside.txt",
        b"/..\\outside.txt",
        b"/%c0%ae%c0%ae/outside.txt",
        b"/a.txt%00.html",
        b"//../outside.txt",
    ],
)
def test_no_path_leads_out_of_the_document_root(site: Site, target: bytes) -> None:
    answer = ask(site, target)
    assert answer.status in (400, 403, 404)
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        b"/private/secret.txt",
        b"//private/secret.txt",
        b"/./private/secret.txt",
        b"/x/../private/secret.txt",
        b"/%70rivate/secret.txt",
        b"/private%2fsecret.txt",
        b"/private/secret.txt?",
        b"/private/secret.txt%3f",
        b"http://localhost/private/secret.txt",
    ],
)
def test_no_spelling_goes_round_a_location(site: Site, target: bytes) -> None:
    answer = ask(site, target)
    assert answer.status in (403, 404)
    assert b"secret\n" not in answer.body


@pytest.mark.parametrize("name", [b"/pipe", b"/sock"])
def test_what_is_no_file_is_not_opened(site: Site, name: bytes) -> None:
    assert ask(site, name).status == 403


@pytest.mark.parametrize("tail", [b"%0d%0aSet-Cookie:%20a=b", b"%0aX:y", b"%00", b"a?b=%0d%0ac"])
def test_a_redirect_carries_no_line_end(site: Site, tail: bytes) -> None:
    answer = ask(site, b"/moved/" + tail)
    assert answer.status == 302 or answer.status in (400, 404)
    assert not answer.get(b"set-cookie")
    assert not answer.get(b"x")
    assert not set(answer.get(b"location")) & {0, 10, 13}


@pytest.mark.parametrize("target", [b"/<script>alert(1)</script>", b"/%3Cscript%3Ealert(1)%3C/script%3E", b"/moved/<script>"])
def test_pages_do_not_repeat_markup(site: Site, target: bytes) -> None:
    answer = ask(site, target)
    assert answer.status in (302, 400, 404)
    assert b"<script" not in answer.body
    assert b"charset=" in answer.get(b"content-type")


def test_a_host_is_escaped_in_the_signature(site: Site) -> None:
    answer = site.ask(b"GET /none HTTP/1.1\r\nHost: a<b>c\r\nConnection: close\r\n\r\n")
    assert b"<b>" not in answer.body


def test_listings_escape_names(site: Site) -> None:
    answer = ask(site, b"/list/")
    assert answer.status == 200
    assert b"<img src=x" not in answer.body
    assert b"&lt;img" in answer.body


def test_expressions_of_a_htaccess_file_read_no_files(site: Site) -> None:
    answer = ask(site, b"/theirs/a.txt")
    assert answer.status == 500
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "fields",
    [
        (b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        (b"Upgrade: TLS/1.0",),
        (b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_no_protocol_is_switched(site: Site, fields: tuple[bytes, ...]) -> None:
    answer = ask(site, b"/a.txt", *fields)
    assert (answer.status, answer.body) == (200, b"hello\n")


def test_trace_keeps_secrets(site: Site) -> None:
    fields = (b"Cookie: s1", b"Authorization: Basic czI=", b"Proxy-Authorization: Basic czM=", b"X-Told: yes")
    answer = ask(site, b"/a.txt", *fields, method=b"TRACE")
    assert b"X-Told: yes" in answer.body
    assert not [secret for secret in (b"s1", b"czI=", b"czM=") if secret in answer.body]


def test_logs_have_one_line_for_one_request(site: Site) -> None:
    ask(site, b"/a%0ab%1b%5b31m%22.txt", b'Cookie: "q\xff\\x')
    deadline = time.monotonic() + 10
    log = Path(site.root) / "told.log"
    while b"%1b" not in log.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.02)
    (line,) = [line for line in log.read_bytes().split(b"\n") if b"%1b" in line]
    assert line == rb'GET /a%0ab%1b%5b31m%22.txt HTTP/1.1|\"q\xff\\x|/a\nb\x1b[31m\".txt'


def test_a_slow_head_is_answered_408(site: Site) -> None:
    with site.connect(timeout=20) as client:
        client.send(b"GET /a.txt HTTP/1.1\r\nHost: local")
        answer = client.read_response()
        assert answer is not None
        assert answer.status == 408
        assert client.read_rest() == b""


def test_a_slow_body_ends_the_connection(site: Site) -> None:
    with site.connect(timeout=20) as client:
        client.send(b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        while (answer := client.read_response(b"POST")) is not None:
            assert answer.status in (200, 405, 408)
        assert client.read_rest() == b""


def test_no_answer_tells_of_the_inside(site: Site) -> None:
    for target in (b"/none", b"/theirs/a.txt", b"/private/", b"/pipe", b"/%zz"):
        body = ask(site, target).body
        assert b"Traceback" not in body
        assert str(site.root).encode() not in body
    assert "Traceback" not in site.log()
