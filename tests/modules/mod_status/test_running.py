"""A running server's status: what was asked for is counted, replays included, and the page shows who asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coachwhip.testing import Site

MODULES = ("mpm_event", "authz_core", "status", "dir", "mime")
CONFIG = "<Location /server-status>\n    SetHandler server-status\n</Location>\n"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config=CONFIG, files={"htdocs/a.txt": "hello\n"}, modules=MODULES).start() as running:
        yield running


def ask(site: Site, target: str) -> str:
    return site.ask(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()).body.decode()


def figures(site: Site) -> dict[str, str]:
    lines = ask(site, "/server-status?auto").split("\n")
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def test_replayed_answers_count(site: Site) -> None:
    before = figures(site)
    with site.connect() as client:
        for _ in range(20):
            client.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = client.read_response(b"GET")
            assert answer is not None and answer.status == 200
    after = figures(site)
    assert int(after["Total Accesses"]) == int(before["Total Accesses"]) + 21
    assert int(after["ReplayHits"]) - int(before["ReplayHits"]) == 18
    assert int(after["ReplayKeptBytes"]) > 0
    assert after["ReplayNotKept (live counters)"]


def test_a_changed_file_makes_its_answer_stale(site: Site) -> None:
    site.write("htdocs/b.txt", "one\n")
    hits = int(figures(site)["ReplayHits"])
    before = figures(site)
    # A file that was written a moment ago is not kept yet.
    for _ in range(500):
        ask(site, "/b.txt")
        before = figures(site)
        if int(before["ReplayHits"]) > hits:
            break
    site.write("htdocs/b.txt", "another\n")
    assert ask(site, "/b.txt") == "another\n"
    after = figures(site)
    assert int(after["ReplayStale"]) == int(before["ReplayStale"]) + 1
    assert int(after["ReplayMisses"]) > int(before["ReplayMisses"])
    assert int(after["ReplayHits"]) == int(before["ReplayHits"]) > hits
    assert int(after["ReplayKeptAnswers"]) == int(before["ReplayKeptAnswers"]) - 1


def test_the_request_itself_is_at_work(site: Site) -> None:
    assert figures(site)["Scoreboard"].count("W") == 1
    page = ask(site, "/server-status")
    assert "GET /server-status HTTP/1.1" in page
    assert "<h2>Replay</h2>" in page


def test_refresh(site: Site) -> None:
    answer = site.ask(b"GET /server-status?refresh=7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (b"Refresh", b"7") in answer.headers


def test_without_extended_status_there_are_states_alone() -> None:
    with Site(config=CONFIG + "ExtendedStatus Off\n", modules=MODULES).start() as plain:
        assert "Total Accesses" not in figures(plain)
        page = ask(plain, "/server-status")
        assert " in state: W " in page
        assert "Replay" not in page
