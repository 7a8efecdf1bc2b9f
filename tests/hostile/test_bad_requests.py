"""Bad requests that we found ourselves: `bad_requests.jsonl` beside this file, whole, in sevens and byte by byte.

A line gives the bytes (`raw`, or `parts` with how often each is repeated) and what may come back, as `python -m conformance.hostile`
reads it: the first status, how many answers, literal text, whether the server closes.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from coachwhip.testing import Site

CASES = [json.loads(line) for line in (Path(__file__).parent / "bad_requests.jsonl").read_text("ascii").split("\n") if line]
FILES = {
    "htdocs/a.txt": "FILE-A-0123456789\n",
    "htdocs/k10.bin": "0123456789abcdef" * 640,
    "htdocs/secret/index.html": "SECRET-AUTHED\n",
    "users": "u:{SHA}UW6faNxqbYBSohNtpyRwjQ3mRSM=\n",
    "img/i.txt": "IMG-OK\n",
    "outside/secret.txt": "SECRET-OUTSIDE\n",
}
CONFIG = """
ServerName main.test
Alias /img/ "{root}/img/"
<Directory "{root}/img">
    Require all granted
</Directory>
<Directory "{root}/htdocs/secret">
    AuthType Basic
    AuthName "rig"
    AuthUserFile "{root}/users"
    Require valid-user
</Directory>
CustomLog "{root}/access.log" "%h %u %r %>s %U %{Referer}i %{User-Agent}i"
"""
STATUS = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2}) ")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(config=CONFIG, files=FILES).start() as running:
        yield running


def octets(case: dict) -> bytes:
    parts = case.get("parts") or [[case["raw"], 1]]
    return b"".join(text.encode("latin-1") * count for text, count in parts)


@pytest.mark.parametrize("split", [0, 7, 1], ids=["whole", "sevens", "bytes"])
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_bad_request_gets_an_answer_that_is_allowed(site: Site, case: dict, split: int) -> None:
    expect = case["expect"]
    data = octets(case)
    logs = Path(site.root)
    before = {name: (logs / name).stat().st_size if (logs / name).exists() else 0 for name in ("access.log", "logs/error.log")}
    with site.connect(timeout=20) as client:
        client.send(data, split=split if len(data) < 5_000 else 0)
        if not expect.get("must_close"):
            client.finish_sending()
        # Of a connection that has to be closed by the server, this is the proof: it comes to an end.
        answer = client.read_rest()
    statuses = [int(status) for status in STATUS.findall(answer)]
    assert statuses, f"no answer: {answer!r}"
    assert statuses[0] in expect["status"]
    assert len(statuses) <= expect.get("max_responses", 99)
    assert statuses == expect.get("statuses", statuses)
    for text in expect.get("must_not", ()):
        assert text.encode("latin-1") not in answer
    for text in expect.get("log_must_not", ()):
        written = b"".join((logs / name).read_bytes()[size:] for name, size in before.items() if (logs / name).exists())
        assert text.encode("latin-1") not in written


def test_cases_have_names_of_their_own_and_say_why() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert all(case["why"] and case["level"] in ("MUST", "SHOULD", "MAY", "POLICY") for case in CASES)
