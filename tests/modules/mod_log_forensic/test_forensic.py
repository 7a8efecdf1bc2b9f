"""The first line is written before the request is processed, the two of a request have one ID, and nothing is given again."""

from __future__ import annotations

import re
import time
from pathlib import Path

from coachwhip.testing import Site

MODULES = ("mpm_event", "authz_core", "authn_core", "authn_file", "auth_basic", "authz_user", "log_forensic")
#: A password that is checked on a thread: the request begins again there.
CONFIG = """
ForensicLog logs/forensic.log
<Directory "{root}/htdocs/own">
    AuthType Basic
    AuthName x
    AuthBasicProvider file
    AuthUserFile "{root}/conf/users"
    Require valid-user
</Directory>
"""
FILES = {
    "htdocs/a.txt": "hello\n",
    "htdocs/own/b.txt": "mine\n",
    "conf/users": "me:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
}


def lines(site: Site) -> list[str]:
    return (Path(site.root) / "logs/forensic.log").read_text().split("\n")[:-1]


def test_both_lines_of_every_request() -> None:
    with Site(config=CONFIG, files=FILES, modules=MODULES).start() as site, site.connect() as client:
        for _ in range(3):
            client.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = client.read_response(b"GET")
            assert answer is not None and answer.status == 200
        client.send(b"GET /own/b.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic bWU6cGFzc3dvcmQ=\r\nConnection: close\r\n\r\n")
        answer = client.read_response(b"GET")
        assert answer is not None and answer.status == 200
        while len(found := lines(site)) < 8:
            # The line after is written after the answer.
            time.sleep(0.01)
    assert [line[0] for line in found] == ["+", "-"] * 4
    ids = [re.match(r"[+-]([0-9a-f]+:[0-9a-f]+:[0-9a-f]+)", line)[1] for line in found]  # type: ignore[index]
    assert ids[::2] == ids[1::2] and len(set(ids)) == 4
    assert found[6].endswith("|GET /own/b.txt HTTP/1.1|Host:localhost|Authorization:Basic bWU6cGFzc3dvcmQ=|Connection:close")
