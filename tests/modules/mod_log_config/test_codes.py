"""Every `%` code that does not depend on the moment, against what Apache 2.4.71 wrote for the same requests.

`recorded_codes.json` was written by Apache: run this file as a program to record it again (needs Debian's apache2).
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.testing.site import Site

RECORDED = Path(__file__).parent / "recorded_codes.json"
SECRET = base64.b64encode(hashlib.sha1(b"pw").digest()).decode("ascii")
BASIC = base64.b64encode(b"us\ter:pw").decode("ascii")

CODES = (
    "%a", "%{c}a", "%A", "%b", "%B", "%{K}C", "%{k}C", "%{two}C", "%{E1}e", "%{e1}e", "%{none}e", "%f", "%h", "%{c}h", "%H",
    "%{X-In}i", "%{x-in}i", "%{X-Empty}i", "%{Host}i", "%k", "%l", "%m", "%<m", "%{N}n", "%{Date}o", "%{Server}o",
    "%{Content-Length}o", "%{Content-Type}o", "%{content-type}o", "%{Connection}o", "%{Keep-Alive}o", "%{ETag}o",
    "%{Location}o", "%{Transfer-Encoding}o", "%p", "%{canonical}p", "%{local}p", "%{odd}p", "%{odd}P", "%q", "%r", "%>r",
    "%R", "%s", "%>s", "%<s", "%{odd}T", "%u", "%U", "%>U", "%<U", "%v", "%V", "%X", "%{T}^ti", "%{T}^to", "%%", "%{%%}t",
    "%404s", "%!404s", "%200,404q", "%!200,304{X-In}i", 'q\\"q', "z\\\\qz", "x\\\\ty", "b\\\\\\\\b",
)  # fmt: skip

CONFIG = """\
LogFormat "{format}" all
CustomLog logs/codes.log all
LogLevel crit
ServerName main.example
SetEnv E1 "va\\"l"
ErrorDocument 301 "no"
ErrorDocument 400 "no"
ErrorDocument 401 "no"
ErrorDocument 414 "no"
ErrorDocument 404 /err.txt
LimitRequestLine 200
<Location /priv>
    AuthType Basic
    AuthName x
    AuthUserFile "{{root}}/conf/users"
    Require valid-user
</Location>
"""
#: Stands between the codes of a line; no request has it.
BETWEEN = " ~~ "

FILES = {
    "htdocs/a.txt": "hello\n",
    "htdocs/err.txt": "err\n",
    "htdocs/sub/index.html": "idx",
    "htdocs/priv/a.txt": "p",
    'htdocs/a b".txt': "q",
    "conf/users": f"us\ter:{{SHA}}{SECRET}\n",
}


def get(target: str, *fields: str, method: str = "GET") -> bytes:
    head = [f"{method} {target} HTTP/1.1", "Host: HoSt.example:{port}", *fields, "Connection: close", "", ""]
    return "\r\n".join(head).encode("latin-1")


REQUESTS = {
    "fields": get(
        '/a.txt?x="1\\2', 'X-In: a"b\\c\tqz', "X-In: second", "X-Empty:", "Cookie: K=v1; two=a=b ;k=v2", "Cookie: three=1"
    ),
    "redirected": get("/none?q"),
    "user": get("/priv/a.txt", f"Authorization: Basic {BASIC}"),
    "nobody": get("/priv/a.txt"),
    "slash": get("/sub"),
    "index": get("/sub/"),
    "head": get("/a.txt", method="HEAD"),
    "kept": b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"
    b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "1.0": b"GET /a.txt HTTP/1.0\r\n\r\n",
    "1.0 kept": b"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /a.txt HTTP/1.0\r\n\r\n",
    "chunks and trailer": b"POST /a.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"5\r\nhello\r\n0\r\nT: tr\r\n\r\n",
    "escaped path": b"GET /a%20b%22.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "octets": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "range": get("/a.txt", "Range: bytes=1-2"),
    "not modified": get("/a.txt", "If-None-Match: *"),
    "password": b"GET http://u:p@main.example:81/a.txt?z HTTP/1.1\r\nHost: main.example\r\nConnection: close\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bad line": b"BAD\x01REQ\r\n\r\n",
    "bad method": b'G"T /a?q HTTP/1.1\r\nHost: h\r\n\r\n',
}  # fmt: skip


def play(command: list[str] | None) -> dict[str, list[list[str]]]:
    """The items of each line that each request gave."""
    config = CONFIG.replace("{format}", BETWEEN.join(CODES)).replace("{{root}}", "{root}")
    with Site(config=config, files=FILES) as site:
        site.start(command)
        for request in REQUESTS.values():
            with site.connect() as client:
                client.send(request.replace(b"{port}", str(site.port).encode()))
                client.read_rest()
        site.stop()
        lines = site.log("codes.log").replace(site.root, "{root}").replace(str(site.port), "{port}").split("\n")
    found: dict[str, list[list[str]]] = {}
    for name, request in REQUESTS.items():
        count = max(request.count(b" HTTP/1."), 1)
        found[name] = [line.split(BETWEEN) for line in lines[:count]]
        del lines[:count]
    return found


@pytest.fixture(scope="module")
def ours() -> Iterator[dict[str, list[list[str]]]]:
    yield play(None)


@pytest.mark.parametrize("name", list(REQUESTS))
def test_codes(ours: dict[str, list[list[str]]], name: str) -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))[name]
    assert [_by_code(line) for line in ours[name]] == [_by_code(line) for line in recorded]


def _by_code(line: list[str]) -> dict[str, str]:
    return dict(zip(CODES, line, strict=True))


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(play(sys.argv[1:] or ["/usr/sbin/apache2"]), indent=1) + "\n", "utf-8")
