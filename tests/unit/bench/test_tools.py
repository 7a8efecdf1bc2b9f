"""What is sent to wrk and ab, and what is read from them."""

import pytest

from coachwhip.bench import ab, wrk
from coachwhip.bench.requests import HOST, SERIAL, Requests, page_load, plain, varying, virtual_hosts
from coachwhip.bench.workloads import WORKLOADS

AB = """\
Server Software:        nginx/1.22.1
Concurrency Level:      500
Time taken for tests:   0.981 seconds
Complete requests:      20000
Failed requests:        3
   (Connect: 0, Receive: 0, Length: 3, Exceptions: 0)
Total transferred:      16880000 bytes
HTML transferred:       12240000 bytes
Requests per second:    20387.36 [#/sec] (mean)
"""
TABLE = "Percentage served,Time in ms\n0,2.101\n50,23.977\n99,31.520\n"
WRK = """\
Running 1s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  38241 requests in 1.10s, 30.67MB read
coachwhip-bench {"requests":38241,"duration":1100000,"bytes":32160000,"failed":2,"status":5,"p50":1250,"p99":19000}
"""


def test_ab_report_is_read():
    found = ab.parse(AB, TABLE, expects_failure=False)
    assert (found.requests, found.seconds, found.bytes, found.errors) == (20000, 0.981, 16_880_000, 3)
    assert (found.p50_ms, found.p99_ms) == (23.977, 31.520)


def test_ab_counts_unwanted_statuses():
    output = AB + "Non-2xx responses:      7\n"
    assert ab.parse(output, TABLE, expects_failure=False).wrong_status == 7
    assert ab.parse(output, TABLE, expects_failure=True).wrong_status == 20000 - 7


@pytest.mark.parametrize(("output", "table"), [("apr_socket_connect(): refused", TABLE), (AB, "")])
def test_ab_without_figures_is_an_error(output, table):
    with pytest.raises(ValueError, match="ab "):
        ab.parse(output, table, expects_failure=False)


def test_ab_sends_one_request_only():
    assert ab.command("ab", plain("/x", ("A", "b")), 500, 500, 80, "t")[-3:] == ["-H", "A: b", "http://127.0.0.1:80/x"]
    with pytest.raises(ValueError, match="one request"):
        ab.command("ab", varying(["/x"]), 500, 500, 80, "t")


def test_short_ab_runs_are_joined():
    one = ab.parse(AB, TABLE, expects_failure=False)
    both = ab.joined([one, one])
    assert (both.requests, both.errors, both.p50_ms) == (40000, 6, one.p50_ms)
    assert both.seconds == pytest.approx(1.962)


def test_wrk_figures_are_read():
    found = wrk.parse(WRK, expects_failure=False)
    assert (found.requests, found.seconds, found.bytes) == (38241, 1.1, 32_160_000)
    assert (found.errors, found.wrong_status, found.p50_ms, found.p99_ms) == (2, 5, 1.25, 19.0)


def test_wrk_counts_successes_as_wrong_where_failure_is_asked_for():
    assert wrk.parse(WRK, expects_failure=True).wrong_status == 38241 - 5


def test_wrk_without_figures_is_an_error():
    with pytest.raises(ValueError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused", expects_failure=False)


def test_single_request_needs_no_function():
    script = wrk.script(plain("/p", ("Accept-Encoding", "gzip")), 0)
    assert "function request" not in script
    assert 'wrk.path = "/p"' in script
    assert f'wrk.headers["Host"] = "{HOST}"' in script
    assert 'wrk.headers["Accept-Encoding"] = "gzip"' in script


def test_varying_requests_are_split_at_the_serial_number():
    script = wrk.script(varying(["/a", "/b"]), 4711)
    assert "serial = 0, 4711" in script
    assert SERIAL not in script
    assert '"GET /b HTTP/1.1\\r\\nHost: ' in script


def test_every_request_of_every_workload_is_one_whole_get():
    for workload in WORKLOADS:
        for head in workload.requests().heads():
            assert head.startswith("GET /")
            assert head.endswith("\r\n\r\n")
            assert head.count("\r\n\r\n") == 1
            assert head.count("\r\nHost: ") == 1


def test_virtual_hosts_are_asked_for_by_name():
    assert [head.split("\r\n")[1] for head in virtual_hosts(["a.test", "b.test"]).heads()] == ["Host: a.test", "Host: b.test"]


def test_the_recorded_visits_have_pages_and_assets():
    paths = [path for path, _, _ in page_load().items]
    assert "/home.html" in paths
    assert "/about.html" in paths
    assert any(path.endswith(".js") for path in paths)


def test_requests_are_single_only_without_serial_numbers():
    assert plain("/").is_single
    assert not varying(["/"]).is_single
    assert not Requests(plain("/").items * 2).is_single
