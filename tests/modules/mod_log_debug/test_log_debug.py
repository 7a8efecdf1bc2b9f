"""What the cases cannot see: an answer there is a message about is made anew each time, and one begun again on a thread is logged once."""

from __future__ import annotations

import time
from pathlib import Path

from coachwhip.testing import Site

MODULES = ("mpm_event", "authz_core", "authn_core", "authn_file", "auth_basic", "authz_user", "log_debug")
#: A password that is checked on a thread: the request begins again there.
CONFIG = """
LogLevel info
<VirtualHost *:{port}>
    ServerName localhost
    DocumentRoot "{root}/htdocs"
    ErrorLog logs/messages
    ErrorLogFormat "%M"
    LogFormat "%U %{replay}n" replay
    CustomLog logs/access.log replay
    <Location /logged>
        LogMessage "%{REQUEST_URI} %{REQUEST_STATUS}"
    </Location>
    <Location /logged/own>
        AuthType Basic
        AuthName x
        AuthBasicProvider file
        AuthUserFile "{root}/conf/users"
        Require valid-user
        LogMessage "before" hook=translate_name
    </Location>
    <Location /logged/refused>
        Require all denied
    </Location>
</VirtualHost>
"""
FILES = {
    "htdocs/plain.txt": "plain\n",
    "htdocs/logged/a.txt": "hello\n",
    "htdocs/logged/own/b.txt": "mine\n",
    "conf/users": "me:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
}
OWN = b"Authorization: Basic bWU6cGFzc3dvcmQ=\r\n"


def ask(site: Site, path: str, field: bytes = b"") -> int:
    with site.connect() as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + field + b"Connection: close\r\n\r\n")
        answer = client.read_response(b"GET")
        assert answer is not None
        return answer.status


def lines(site: Site, name: str, count: int) -> list[str]:
    """The lines of a log, once there are so many: the last ones are written after the answer."""
    end = time.monotonic() + 15
    while len(found := (Path(site.root) / "logs" / name).read_text().split("\n")[:-1]) < count and time.monotonic() < end:
        time.sleep(0.01)
    return found


def test_what_is_logged_about_is_never_given_again() -> None:
    with Site(config=CONFIG, files=FILES, modules=MODULES).start() as site:
        for path, status in (("/plain.txt", 200), ("/logged/a.txt", 200), ("/logged/refused", 403), ("/logged/none", 404)):
            assert [ask(site, path) for _ in range(4)] == [status] * 4
        seen = lines(site, "access.log", 16)
        logged = [line for line in lines(site, "messages", 12) if line.startswith("/logged")]
    assert "/plain.txt hit" in seen
    assert not [line for line in seen if line.startswith("/logged") and line.endswith("hit")]
    assert logged == ["/logged/a.txt 200"] * 4 + ["/logged/refused 403"] * 4 + ["/logged/none 404"] * 4


def test_a_request_that_goes_to_a_thread_is_logged_once() -> None:
    with Site(config=CONFIG, files=FILES, modules=MODULES).start() as site:
        assert ask(site, "/logged/own/b.txt", OWN) == 200
        assert lines(site, "messages", 2) == ["before", "/logged/own/b.txt 200"]
