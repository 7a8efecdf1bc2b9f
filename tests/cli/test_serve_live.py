"""`coachwhip serve` as a newcomer meets it: every link of the welcome site leads somewhere, and whatever is wrong is one sentence."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import WAIT, children_of, is_refused, until

from coachwhip.testing.site import free_port

SERVE = (sys.executable, "-m", "coachwhip", "serve")


@contextmanager
def serving(*words: str) -> Iterator[int]:
    """Its port; it is ended as Ctrl-C ends it."""
    port = free_port()
    process = subprocess.Popen([*SERVE, "--port", str(port), *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: not is_refused(port))
        yield port
    finally:
        process.terminate()
        try:
            _, said = process.communicate(timeout=WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0
    assert "Traceback" not in said and "AH00489" not in said


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def links_of(page: str) -> list[str]:
    return [link for link in re.findall(r'(?:href|src)="([^"]+)"', page) if "://" not in link]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def test_every_link_of_the_welcome_site() -> None:
    with serving() as port:
        status, page = ask(port, "/")
        assert status == 200
        links = [link for link in links_of(page) if link not in ("nothing-here", "docs")]
        assert {"files/", "server-status", "style.css", "coachwhip.svg"} <= set(links)
        assert {link: ask(port, f"/{link}")[0] for link in links} == dict.fromkeys(links, 200)
        status, missing = ask(port, "/nothing-here")
        assert status == 404 and "It slipped away." in missing
        with pytest.raises(urllib.error.HTTPError) as moved:
            urllib.request.build_opener(NoRedirect).open(f"http://127.0.0.1:{port}/docs", timeout=10)
        moved.value.close()
        assert (moved.value.code, moved.value.headers["Location"]) == (301, "https://httpd.apache.org/docs/2.4/")
        _, listing = ask(port, "/files/")
        found = [link if link.startswith("/") else f"/files/{link}" for link in links_of(listing)]
        assert "/files/read-me.txt" in found and "/.coachwhip/listing.css" in found
        assert {link: ask(port, link)[0] for link in found} == dict.fromkeys(found, 200)


def test_a_folder_with_awkward_names(tmp_path: Path) -> None:
    names = ["a b", "é", '"q"', "100%", "a;b", "a#b", "a?b", "<x>&amp;", "new\nline", "-"]
    for name in names:
        (tmp_path / name).write_text(name)
    with serving(str(tmp_path)) as port:
        links = [link for link in links_of(ask(port, "/")[1]) if not link.startswith(("/", "?"))]
        assert sorted(ask(port, f"/{link.replace('&amp;', '&')}")[1] for link in links) == sorted(names)


def refused(*words: str) -> str:
    done = subprocess.run([*SERVE, *words], capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 1
    return "\n".join(line for line in done.stderr.split("\n") if "running as root" not in line)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert refused("--port", str(port)).startswith(f"coachwhip serve: port {port} is in use by another program; try --port ")


def test_a_wrong_line_is_one_sentence() -> None:
    assert refused("-c", "Bogus x").startswith("coachwhip serve: AH00526: Syntax error on line 1 of -c/-C directives:\nInvalid command")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    assert refused(str(tmp_path)) == f"coachwhip serve: '{tmp_path}' may not be read by you\n"


# signals, as gunicorn has them


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    return children_of(process.pid)


@contextmanager
def served(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port; whoever took over from it is ended too."""
    port = free_port()
    command = [*SERVE, "--port", str(port), *words, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        assert "Coachwhip serves" in process.stdout.readline()
        yield process, port
    finally:
        for pid in in_session(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def in_session(session: int) -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _session_of(folder) == session]


def _session_of(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text().rpartition(") ")[2].split()[3])
    except OSError:
        return 0


def test_workers_can_be_added_and_taken_away(tmp_path: Path) -> None:
    with served(tmp_path, "-c", "StartServers 2") as (process, _):
        for number, count in ((signal.SIGTTIN, 3), (signal.SIGTTOU, 2), (signal.SIGTTOU, 1), (signal.SIGTTOU, 1)):
            process.send_signal(number)
            until(lambda count=count: len(workers_of(process)) == count)


def test_a_hangup_reloads(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with served(tmp_path) as (process, port):
        before = workers_of(process)
        process.send_signal(signal.SIGHUP)
        until(lambda: workers_of(process) and not set(workers_of(process)) & set(before))
        assert ask(port, "/a.txt") == (200, "a")


def test_logs_are_reopened_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    log = tmp_path / "access.log"
    with served(tmp_path, "--quiet", "-c", f"CustomLog {log} %r") as (process, port):
        ask(port, "/a.txt?1")
        until(lambda: log.read_text() == "GET /a.txt?1 HTTP/1.1\n")
        log.rename(tmp_path / "access.log.1")
        before = workers_of(process)
        process.send_signal(signal.SIGUSR1)
        until(lambda: workers_of(process) and not set(workers_of(process)) & set(before))
        ask(port, "/a.txt?2")
        until(lambda: log.exists() and log.read_text() == "GET /a.txt?2 HTTP/1.1\n")


def test_another_process_image_takes_the_listeners_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with served(tmp_path) as (process, port):
        process.send_signal(signal.SIGUSR2)
        assert process.wait(WAIT) == 0
        assert ask(port, "/a.txt") == (200, "a")
        (successor,) = [pid for pid in in_session(process.pid) if children_of(pid)]
        os.kill(successor, signal.SIGTERM)
        until(lambda: not in_session(process.pid))


def test_if_the_other_image_cannot_serve_the_old_one_does(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    conf = tmp_path / "more.conf"
    conf.write_text("")
    with served(tmp_path, "-c", f"Include {conf}") as (process, port):
        before = workers_of(process)
        conf.write_text("Bogus\n")
        process.send_signal(signal.SIGUSR2)
        until(lambda: len(children_of(process.pid)) > len(before))
        until(lambda: children_of(process.pid) == before)
        assert ask(port, "/a.txt") == (200, "a")
        conf.write_text("")
        process.send_signal(signal.SIGUSR2)
        assert process.wait(WAIT) == 0
