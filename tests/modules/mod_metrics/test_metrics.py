"""`prometheus-metrics`: every line is of the text format 0.0.4, names keep Prometheus' rules, and the figures are the scoreboard's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from coachwhip.api.replay import ReplayFigures
from coachwhip.api.scoreboard import ProcessInfo, Slot, Totals, WorkerState
from coachwhip.modules.generators.mod_metrics import families, metrics_text
from coachwhip.testing import Site

NAME = r"coachwhip_[a-z_]+"
LABELS = r'\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\}'
SAMPLE = re.compile(rf"({NAME})((?:{LABELS})?) (-?[0-9.e+-]+)")
COMMENT = re.compile(rf"# (?:HELP ({NAME}) [^\n]+|TYPE ({NAME}) (counter|gauge))")


class Board:
    restarted = 1000.0
    config_generation = 3
    mpm_generation = 2
    mpm = "event"

    def slots(self) -> list[Slot]:
        return [Slot(WorkerState.WRITING, 7), Slot(WorkerState.READY, 7), Slot(WorkerState.GRACEFUL, 8, 1, 1)]

    def processes(self) -> list[ProcessInfo]:
        return [ProcessInfo(7, 0, 2, connections=5, keep_alive=2, closing=1, memory=1 << 25), ProcessInfo(8, 1, 1, stopping=True)]

    def totals(self) -> Totals:
        return Totals(accesses=4, bytes=8192, duration_ms=1500, cpu_user=0.5, lost_lines=6)

    def replay(self) -> ReplayFigures:
        return ReplayFigures(hits=3, misses=2, evictions=1, entries=1, memory=100, volatile={'a "b"\\\n': 2})

    def load(self) -> tuple[float, float, float]:
        return (0.0, 0.0, 0.0)


def read(text: str) -> dict[str, float]:
    """Sample → value; every line is looked at."""
    found: dict[str, float] = {}
    family, type = "", ""
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        comment, sample = COMMENT.fullmatch(line), SAMPLE.fullmatch(line)
        assert comment or sample, line
        if comment:
            family, type = comment[1] or comment[2], comment[3] or ""
        elif sample:
            assert sample[1] == family and (type == "counter") == family.endswith("_total")
            assert sample[1] + sample[2] not in found
            found[sample[1] + sample[2]] = float(sample[3])
    return found


def test_figures() -> None:
    found = read(metrics_text(families(Board(), 1010.0, "Coachwhip/1")))
    assert found['coachwhip_info{mpm="event",server="Coachwhip/1"}'] == 1
    assert found["coachwhip_uptime_seconds"] == 10
    assert found["coachwhip_generation"] == 2
    assert found["coachwhip_requests_total"] == 4
    assert found["coachwhip_bytes_sent_total"] == 8192
    assert found["coachwhip_request_duration_seconds_total"] == 1.5
    assert found['coachwhip_cpu_seconds_total{mode="user",process="workers"}'] == 0.5
    assert found["coachwhip_log_lines_lost_total"] == 6
    assert found['coachwhip_processes{state="stopping"}'] == 1
    assert found['coachwhip_connections{state="active"}'] == 2
    assert found['coachwhip_connections{state="keepalive"}'] == 2
    assert found['coachwhip_workers{state="graceful"}'] == 1
    assert found['coachwhip_resident_memory_bytes{slot="0"}'] == 1 << 25
    assert found["coachwhip_replay_hits_total"] == 3
    assert found["coachwhip_replay_evictions_total"] == 1


def test_what_a_reason_says_is_escaped() -> None:
    found = read(metrics_text(families(Board(), 1010.0, "Coachwhip/1")))
    assert found['coachwhip_replay_volatile_total{reason="a \\"b\\"\\\\\\n"}'] == 2


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    config = "<Location /metrics>\n    SetHandler prometheus-metrics\n</Location>\n"
    with Site(config=config, files={"htdocs/a.txt": "hello\n"}, modules=("mpm_event", "authz_core", "metrics")).start() as running:
        yield running


def ask(site: Site, line: str) -> tuple[int, dict[bytes, bytes], str]:
    answer = site.ask(f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return answer.status, dict(answer.headers), answer.body.decode()


def test_a_running_server_counts(site: Site) -> None:
    before = read(ask(site, "GET /metrics")[2])
    for _ in range(5):
        assert ask(site, "GET /a.txt")[0] == 200
    status, headers, text = ask(site, "GET /metrics")
    after = read(text)
    assert status == 200 and headers[b"Content-Type"] == b"text/plain; version=0.0.4; charset=utf-8"
    assert after["coachwhip_requests_total"] == before["coachwhip_requests_total"] + 6
    assert after["coachwhip_bytes_sent_total"] > before["coachwhip_bytes_sent_total"]
    assert after['coachwhip_replay_volatile_total{reason="live counters"}'] >= 1
    assert after['coachwhip_resident_memory_bytes{slot="0"}'] > 1 << 20


def test_head_and_other_methods(site: Site) -> None:
    status, _, text = ask(site, "HEAD /metrics")
    assert (status, text) == (200, "")
    assert ask(site, "POST /metrics")[0] == 404
