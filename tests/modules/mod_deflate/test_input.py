"""The input filter `DEFLATE` on a server: a handler reads the plain body, and a bomb is refused before it goes off."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.testing.inside import Inside

HERE = str(Path(__file__).resolve().parent)
CONFIG = """
LoadModule mpm_event_module mod_mpm_event.so
LoadModule authz_core_module mod_authz_core.so
LoadModule deflate_module mod_deflate.so
LoadModule body_echo_module python:body_echo
ServerName localhost
Listen 127.0.0.1:1
DocumentRoot "{root}"
ErrorLog "{root}/error.log"
<Location /echo>
    SetHandler body-echo
    SetInputFilter DEFLATE
</Location>
<Location /echo/small>
    DeflateInflateLimitRequestBody 5000
</Location>
<Location /echo/ratio>
    DeflateInflateRatioLimit 100
    DeflateInflateRatioBurst 1
</Location>
<Location /echo/burst>
    DeflateInflateRatioLimit 100
    DeflateInflateRatioBurst 1000
</Location>
"""
TEXT = b"".join(b"line %d of a text\n" % n for n in range(3000))
GZIPPED = gzip.compress(TEXT, mtime=0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    root = tmp_path_factory.mktemp("site")
    sys.path.insert(0, HERE)
    try:
        with Inside(str(root), CONFIG.replace("{root}", str(root))) as inside:
            yield inside
    finally:
        sys.path.remove(HERE)


def post(server: Inside, body: bytes, *, to: str = "/echo", encoding: str = "gzip", chunk: int = 0) -> tuple[int, str]:
    head = f"POST {to} HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: {encoding}\r\n"
    if chunk:
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        head += "Transfer-Encoding: chunked\r\n\r\n"
    else:
        head += f"Content-Length: {len(body)}\r\n\r\n"
    line = server.line()
    try:
        answer = line.ask(head.encode() + body)
    finally:
        line.close()
    top, _, text = answer.partition(b"\r\n\r\n")
    return int(top.split(b" ")[1]), text.decode("latin-1")


def told(plain: bytes) -> str:
    return f"{len(plain)} {hashlib.sha1(plain, usedforsecurity=False).hexdigest()} None None\n"


@pytest.mark.parametrize("chunk", [0, 1, 7, 1000])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_the_handler_reads_plain_text(server: Inside, encoding: str, chunk: int) -> None:
    plain = TEXT[:500] if chunk == 1 else TEXT
    assert post(server, gzip.compress(plain, mtime=0), encoding=encoding, chunk=chunk) == (200, told(plain))


def test_other_codings_are_left_alone(server: Inside) -> None:
    status, text = post(server, b"abc", encoding="br")
    assert (status, text.split(" ")[0], text.split(" ")[2]) == (200, "3", "br")


def test_the_last_coding_alone_is_taken_off(server: Inside) -> None:
    assert post(server, gzip.compress(b"abc", mtime=0), encoding="br, gzip")[1].split(" ")[2] == "br"


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", GZIPPED[:-3], GZIPPED[:5], GZIPPED[:-8] + bytes(8), GZIPPED + b"more"],
    ids=["no-gzip", "cut-in-trailer", "cut-in-header", "wrong-checksum", "surplus"],
)
def test_broken_data_is_a_bad_request(server: Inside, body: bytes) -> None:
    assert post(server, body)[0] == 400


def test_a_limit_on_what_comes_out(server: Inside) -> None:
    assert post(server, gzip.compress(b"a" * 5000), to="/echo/small")[0] == 200
    assert post(server, gzip.compress(b"a" * 5001), to="/echo/small")[0] == 413


def test_a_limit_on_the_ratio(server: Inside) -> None:
    bomb = gzip.compress(bytes(4 << 20))
    assert post(server, bomb, to="/echo/ratio")[0] == 413
    assert post(server, bomb, to="/echo/burst")[0] == 200
    assert post(server, gzip.compress(bytes(1 << 19)), to="/echo/ratio")[0] == 200, "small bodies are not judged by their ratio"
