"""Strict freshness: what was changed on disk before a request was sent shows in its answer, whatever was kept before.

Each round lets the answers of many files be kept, sees that they are given again, changes every file, and asks for it at once on a
connection that was open all the time.
"""

import os

import pytest
from changes import CONFIG, KINDS, NOT_AS_ROOT
from places import get, settle

from coachwhip.testing import Site

#: How many changes; 20,000 in all.
WATCHED, PLAIN_LOOP, ASKED, PROCESS = 7_000, 1_000, 5_000, 7_000


def split(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head[9:12]), head + b"\r\n", body


def rounds(cases, ask, target):
    """Change until there were `target` changes; returns how many, those whose answer was stale, and requests that should be replays."""
    stale, changes, expected = [], 0, 0
    while changes < target:
        settle()
        for _ in range(3):
            for _case, request in cases:
                ask(request)
        expected += len(cases)
        for case, request in cases:
            case.change()
            if not case.shows(*split(ask(request))):
                stale.append((type(case).__name__, case.count))
        changes += len(cases)
    return changes, stale, expected


def made(root, kinds, copies):
    cases = [kind(root, f"{kind.__name__.lower()}-{n}") for n in range(copies) for kind in kinds]
    return [(case, get(case.url, *case.fields)) for case in cases]


def run_inside(place, loop, target):
    cases = made(place.root, KINDS, copies=10)
    server = place.serve(CONFIG, use_uvloop=loop)
    line = server.line()
    for case, request in cases:
        assert case.shows(*split(line.ask(request))), f"{type(case).__name__} does not show at the start"
    changes, stale, expected = rounds(cases, line.ask, target)
    return changes, stale, expected, server


@pytest.mark.parametrize("uvloop", [True, False], ids=["uvloop", "asyncio"])
def test_no_answer_is_stale_with_inotify(place, uvloop):
    _changes, stale, expected, server = run_inside(place, uvloop, WATCHED if uvloop else PLAIN_LOOP)
    assert server.replay.watcher.fileno() >= 0
    assert stale == []
    assert server.hits >= expected, "the answers before the changes were not replays"


def test_no_answer_is_stale_where_nothing_can_be_watched(place, blind):
    _changes, stale, expected, server = run_inside(place, False, ASKED)
    assert server.replay.watcher.fileno() < 0
    assert stale == []
    assert server.hits >= expected, "the answers before the changes were not replays"


def test_the_rounds_see_what_is_stale(place):
    cases = made(place.root, KINDS, copies=1)
    server = place.serve(CONFIG)
    server.worker.hot._take_in = lambda: None
    _, stale, _ = rounds(cases, server.line().ask, 1)
    # The list of what a negotiation chooses from, and all else: each kind on its own would go unseen.
    assert {kind for kind, _ in stale} == {kind.__name__ for kind in KINDS}


def test_no_answer_of_a_server_process_is_stale():
    config = CONFIG + 'LogFormat "%{replay}n" replay\nCustomLog {root}/logs/replay.log replay\n'
    kinds = KINDS + (NOT_AS_ROOT if os.geteuid() == 0 else ())
    with Site(config=config) as site:
        cases = made(site.root, kinds, copies=8)
        site.start()
        with site.connect() as client:

            def ask(request):
                client.send(request)
                found = client.read_response()
                head = b"".join(b"%b: %b\r\n" % field for field in found.headers)
                return found.status_line + b"\r\n" + head + b"\r\n" + found.body

            _changes, stale, expected = rounds(cases, ask, PROCESS)
        site.stop()
        assert stale == []
        assert site.log("replay.log").split("\n").count("hit") >= expected


@pytest.fixture(autouse=True, scope="module")
def _no_umask():
    old = os.umask(0o022)
    yield
    os.umask(old)


