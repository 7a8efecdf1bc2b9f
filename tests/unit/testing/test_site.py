"""A site lays out its files, starts whatever command it is given, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from coachwhip.testing.casefile import parse
from coachwhip.testing.play import check, observe
from coachwhip.testing.site import FileSpec, Link, Site, StartFailed

# The least that can stand in for a server: it takes Apache's flags, answers each request with a file of its folder,
# and refuses a configuration that says so.
STAND_IN = """
import http.server, re, sys
conf = open(sys.argv[sys.argv.index("-f") + 1]).read()
port = int(re.search(r"Listen 127.0.0.1:(\\d+)", conf)[1])
root = sys.argv[sys.argv.index("-d") + 1]
case = open(root + "/conf/case.conf").read()
if "Refuse" in case:
    print(f"AH00526: Syntax error on line 1 of {root}/conf/case.conf:")
    sys.exit(1)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = open(root + "/htdocs" + self.path, "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        open(root + "/logs/access.log", "a").write(self.path + "\\n")
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    return [sys.executable, str(script)]


def test_files_folders_and_links_are_laid_out() -> None:
    files = {
        "htdocs/a.txt": FileSpec(b"x", mode=0o600, mtime=1_000),
        "htdocs/place": "{root} {port} {other}",
        "htdocs/deep/empty": None,
        "htdocs/link": Link("a.txt"),
    }
    with Site(files=files) as site:
        root = Path(site.root)
        assert (root / "htdocs/a.txt").stat().st_mode & 0o777 == 0o600
        assert (root / "htdocs/link").stat().st_mtime == 1_000
        assert (root / "htdocs/place").read_text() == f"{root} {site.port} {{other}}"
        assert (root / "htdocs/deep/empty").is_dir()
    assert not root.exists()


def test_a_server_is_started_asked_and_ended(command: list[str]) -> None:
    with Site(files={"htdocs/a.txt": "hello\n"}) as site:
        site.start(command)
        assert site.ask(b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n").body == b"hello\n"
        site.stop()
        with pytest.raises(ConnectionRefusedError):
            site.connect()
        assert site.log("access.log") == "/a.txt\n"


def test_a_refused_start_tells_status_and_output(command: list[str]) -> None:
    with Site(config="Refuse\n") as site, pytest.raises(StartFailed) as failed:
        site.start(command)
    assert failed.value.status == 1
    assert "AH00526" in failed.value.output


def case_text(body: str) -> str:
    return f"""\
# A case

== files
htdocs/a.txt = "hello\\n"

== request
GET /a.txt HTTP/1.1
Host: localhost

== expect
HTTP/1.1 200 OK
Server: {{any}}
Date: {{date}}
Content-Length: 6

{body}

== log access.log
/a.txt
"""


def test_a_case_passes_or_tells_what_is_wrong(command: list[str]) -> None:
    good, bad = parse(case_text("hello")), parse(case_text("bye"))
    assert list(check(good, observe(good, command))) == []
    problems = list(check(bad, observe(bad, command)))
    assert any("body" in problem and "bye" in problem for problem in problems)


def test_a_refusal_case(command: list[str]) -> None:
    text = "# t\n\n== config\n{}\n\n== refused\nstatus 1 AH00526 conf/case.conf:1\n"
    refused, accepted = parse(text.format("Refuse")), parse(text.format("Accept"))
    assert list(check(refused, observe(refused, command))) == []
    assert list(check(accepted, observe(accepted, command))) == ["the configuration was accepted, expected a refusal"]


def test_no_process_is_left_when_a_case_is_over(command: list[str], tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = Path(command[1])
    script.write_text(f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid()))\n" + STAND_IN)
    case = parse(case_text("hello"))
    observe(case, command)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
