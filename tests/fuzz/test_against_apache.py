"""How the comparison with Apache judges two answers; the comparison itself needs Apache and is a command."""

import pytest
from fuzz.against_apache import Tally, judge_request, judge_url
from fuzz.targets.paths import SECRET


def answer(*statuses, body=b""):
    return b"".join(b"HTTP/1.1 %d X\r\n\r\n" % status for status in statuses) + body


@pytest.mark.parametrize(("target", "apache", "ours", "equal", "listed", "faults"), [
    (b"/", answer(200), answer(200), 1, [], 0),
    (b"/x", answer(404), answer(403), 0, ["404 from Apache, 403 from us: for no known reason"], 0),
    (b"http:/x", answer(200), answer(400), 0, ["200 from Apache, 400 from us: an http address has a host"], 0),
    (b"http://h/x", answer(200), answer(400), 0, ["200 from Apache, 400 from us: for no known reason"], 0),
    (b"/x", answer(500), answer(500), 1, [], 1),
    (b"/x", answer(200), b"", 0, ["200 from Apache, 0 from us: for no known reason"], 1),
    (b"/x", answer(200), answer(200, body=SECRET), 1, [], 1),
])  # fmt: skip
def test_a_target(target, apache, ours, equal, listed, faults):
    tally = Tally()
    judge_url(tally, target, apache, ours)
    assert (tally.equal, list(tally.listed), len(tally.faults)) == (equal, listed, faults)


@pytest.mark.parametrize(("apache", "ours", "faults"), [
    (answer(200, 200), answer(200, 200), 0),
    (answer(200, 200), answer(200), 0),
    (answer(200), answer(200, 400), 0),
    (answer(400), answer(400, 400), 0),
    (answer(200), answer(200, 200), 1),
    (answer(200), answer(200, 200, 400), 1),
    (answer(400), answer(400, 404), 1),
    (answer(200), answer(500), 1),
    (answer(100, 200), answer(200), 0),
])  # fmt: skip
def test_requests_on_one_connection(apache, ours, faults):
    tally = Tally()
    judge_request(tally, b"", apache, ours)
    assert len(tally.faults) == faults
