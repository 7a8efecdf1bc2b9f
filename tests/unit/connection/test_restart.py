"""A request that is given up on the loop and run again on a worker thread is one request to whoever reads the logs."""

from coachwhip.testing import Site

CONFIG = """
LogLevel debug
<Location "/">
    AuthType Basic
    AuthName "x"
    AuthUserFile "{root}/conf/users"
    Require valid-user
</Location>
"""


def test_error_log_lines_are_written_once():
    with Site(config=CONFIG, files={"conf/users": "", "htdocs/a.txt": "a"}).start() as site:
        site.ask(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YTpi\r\nConnection: close\r\n\r\n")
        lines = [line for line in site.log().splitlines() if "Require valid-user" in line]
    assert len(lines) == 1
