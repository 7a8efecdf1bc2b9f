"""`coachwhip serve` as a newcomer meets it: every link of the welcome site leads somewhere, and whatever is wrong is one sentence."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import WAIT, is_refused, until

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
