"""The instrument: it reads what ab, strace and /proc say, and draws what it is given."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest
from steps.lab import plan
from steps.lab.cost import cpu_seconds, parse_calls, session_states, tcp_counters
from steps.lab.forking import SUSPECTS, accuse, time_forks
from steps.lab.load import parse_ab, peak, slow_clients
from steps.lab.plots import bars, colour_table, marks, shade
from steps.lab.servers import contestants, find_program, running

needs_ab = pytest.mark.skipif(not shutil.which("ab"), reason="ab (apache2-utils) is not installed")

AB = """Document Length:        499 bytes

Concurrency Level:      64
Time taken for tests:   0.500 seconds
Complete requests:      1000
Failed requests:        2
Requests per second:    2000.00 [#/sec] (mean)

Percentage of the requests served within a certain time (ms)
  50%      3
 100%    105 (longest request)
"""
STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 52.10    0.001200           3       400        12 accept4
 47.90    0.001100           2       400           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.002300           2       800        12 total
"""
TRACE = """connect(4, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINPROGRESS (Operation now in progress)
connect(5, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINPROGRESS (Operation now in progress)
connect(4, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0
close(4)                                = 0
connect(6, {sa_family=AF_UNIX, sun_path="/x"}, 110) = 0
close(5)                                = 0
"""


def test_what_ab_prints() -> None:
    load = parse_ab(AB, "")
    assert (load.requests, load.per_second, load.failed, load.document_bytes, load.longest_ms) == (1000, 2000.0, 2, 499, 105.0)
    assert load.aborted == ""


@pytest.mark.parametrize(
    ("errors", "reason", "completed"),
    [
        ("\nTest aborted after 10 failures\n\n", "Test aborted after 10 failures", 0),
        ("apr_pollset_poll: The timeout specified has expired (70007)\nTotal of 145 requests completed\n",
         "apr_pollset_poll: The timeout specified has expired (70007)", 145),
        ("", "no result", 0),
    ],
)  # fmt: skip
def test_what_ab_prints_when_it_gives_up(errors: str, reason: str, completed: int) -> None:
    load = parse_ab("Benchmarking 127.0.0.1 (be patient)...", errors)
    assert (load.aborted, load.requests, load.per_second) == (reason, completed, 0.0)


def test_what_strace_counts() -> None:
    assert parse_calls(STRACE) == {"accept4": 400, "sendto": 400}
    assert peak(TRACE) == 2


def test_processor_time_includes_children_reaped_or_not() -> None:
    burn = "import os, time\nif os.fork():\n    time.sleep(60)\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    with subprocess.Popen([sys.executable, "-c", burn], start_new_session=True) as process:
        deadline = time.monotonic() + 10
        while "Z" not in session_states(process.pid).values() and time.monotonic() < deadline:
            time.sleep(0.01)
        spent = cpu_seconds(process.pid)
        process.kill()
    assert 0.2 <= spent < 5


def test_the_kernel_counts_full_queues() -> None:
    assert all(count >= 0 for count in tcp_counters().values())


def test_forks_are_timed() -> None:
    seen = time_forks(20, zombies=5)
    assert len(seen["call_us"]) == len(seen["life_us"]) == 10
    assert min(seen["life_us"]) > 0
    assert seen["child_faults"] > 0


@needs_ab
@pytest.mark.parametrize("suspect", SUSPECTS[:4])
def test_a_suspect_serves_under_load(suspect: str) -> None:
    assert accuse(suspect, 20)["completed"] == 20


@needs_ab
@pytest.mark.parametrize("key", ["02_files", "09_keepalive", "apache", "nginx"])
def test_a_round_with_one_server(key: str) -> None:
    server = next((server for server in contestants() if server.key == key), None)
    if not server:
        pytest.skip(f"{key} is not installed")
    figures: dict[str, list[float]] = {}
    aborted: dict[str, str] = {}
    with running(server) as live:
        plan.one_round(live, plan.Scale(rounds=1, seconds=0, requests=100, traced=0, forks=0, accused=0), figures, aborted)
        with slow_clients(live.port, 3, b"GET"):
            session = live.session
    assert session_states(session) == {}, "something is still running"
    if key == "02_files":
        assert aborted == {"blog_big": "Test aborted after 10 failures"}
    else:
        assert aborted == {}
        assert figures["close_small"][0] > 0
        assert figures["keep_big"][0] > 0


def test_a_program_that_is_not_there() -> None:
    assert find_program("no-such-program-of-ours") == ""


def test_figures_are_kept_with_four_digits() -> None:
    assert plan.rounded({"a": [1234.567, 3], "b": {"c": 0.00012345}}) == {"a": [1235.0, 3], "b": {"c": 0.0001234}}


@pytest.mark.parametrize("logarithmic", [False, True])
def test_bars_are_well_formed_and_as_long_as_their_values(logarithmic: bool) -> None:
    svg = bars(("a < b", "note", "one", "two"), [("x", [100.0, None]), ("y", [1000.0, 0.0])], logarithmic=logarithmic)
    tree = ElementTree.fromstring(svg)
    widths = [float(box.get("width", "0")) for box in tree.iter("{http://www.w3.org/2000/svg}rect")][3:]
    assert len(widths) == 2
    assert widths[0] < widths[1]
    assert "a &lt; b" in svg
    assert "–" in svg


def test_colours_and_grid() -> None:
    assert ElementTree.fromstring(colour_table(("t", "n"), ["c"], [("r", [0.0]), ("s", [2.0])])) is not None
    assert shade(0) != shade(0.5) != shade(1) == shade(7)
    assert marks(0, 23) == [0, 5, 10, 15, 20]
    assert marks(10, 1300) == [10, 100, 1000]
