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


def test_a_page_behind_a_password_answers_for_a_request_with_a_body():
    # The body is gone by the time the hook that may block is met: the request cannot begin again.
    config = (
        "ErrorDocument 404 /priv/e.html\n"
        '<Location "/priv">\nAuthType Basic\nAuthName "x"\nAuthUserFile "{root}/conf/users"\nRequire valid-user\n</Location>\n'
    )
    # The hash is of "b", as htpasswd -s makes it.
    files = {"conf/users": "a:{SHA}6dcfXufJLW3J6S/9rRe4vUlBj5g=\n", "htdocs/priv/e.html": "gone\n"}
    with Site(config=config, files=files).start() as site:
        head = b"POST /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n"
        known = site.ask(head + b"Authorization: Basic YTpi\r\n\r\nabc")
        unknown = site.ask(head + b"\r\nabc")
    assert (known.status, unknown.status) == (404, 404)
