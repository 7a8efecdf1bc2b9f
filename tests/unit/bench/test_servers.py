"""Configurations, files and the own generator; and one small run of the whole bench."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from coachwhip.bench import site
from coachwhip.bench.check import WrongAnswer, check
from coachwhip.bench.contenders import CONTENDERS, Place, found, render
from coachwhip.bench.launch import free_port, running
from coachwhip.bench.loadgen import Answer, Generator, Plan
from coachwhip.bench.workloads import WORKLOADS, Features, Serves, Tool, named
from coachwhip.cli import bench

BY_KEY = {contender.key: contender for contender in CONTENDERS}


def place(tmp_path, **features):
    return Place(tmp_path, tmp_path / "www", 8123, 1000, Features(**features))


@pytest.mark.parametrize("key", [contender.key for contender in CONTENDERS if contender.template])
def test_configurations_listen_on_loopback_and_log(tmp_path, key):
    text = render(BY_KEY[key], place(tmp_path))
    assert "8123" in text
    assert "127.0.0.1" in text
    assert f"{tmp_path}/access.log" in text


@pytest.mark.parametrize("key", [contender.key for contender in CONTENDERS if contender.template])
def test_configurations_follow_the_features(tmp_path, key):
    text = render(BY_KEY[key], place(tmp_path, gzip=True, hosts=("one.test", "two.test")))
    assert "gzip" in text.lower() or "DEFLATE" in text
    assert f"{tmp_path}/www/hosts/two.test" in text


def test_only_ours_is_told_to_keep_nothing(tmp_path):
    assert "\nReplay Off\n" in render(BY_KEY["coachwhip"], place(tmp_path, replay=False))
    assert "Replay" not in render(BY_KEY["apache"], place(tmp_path, replay=False))
    assert "Replay Off" not in render(BY_KEY["coachwhip"], place(tmp_path))


def test_apache_and_ours_differ_in_nothing_else(tmp_path):
    ours, apache = (render(BY_KEY[key], place(tmp_path, gzip=True)).splitlines() for key in ("coachwhip", "apache"))
    assert [(a, b) for a, b in zip(ours, apache, strict=True) if a != b] == [(ours[0], apache[0])]


def test_htaccess_files_take_part_only_where_asked(tmp_path):
    assert "AllowOverride All" in render(BY_KEY["apache"], place(tmp_path, htaccess=True))
    assert "AllowOverride All" not in render(BY_KEY["apache"], place(tmp_path))


def test_unknown_servers_are_named():
    with pytest.raises(LookupError, match="no server 'iis'"):
        found(["iis"])


def test_files_have_their_sizes_and_one_time(tmp_path):
    for kind, name, size in (("many", "f/999.html", 612), ("medium", "medium.html", 52_000), ("large", "1g.bin", 1 << 30)):
        site.build(kind, tmp_path / kind)
        status = (tmp_path / kind / name).stat()
        assert (status.st_size, status.st_mtime) == (size, site.MODIFIED)
    assert (tmp_path / "large" / "1g.bin").stat().st_blocks * 512 < 1 << 20


def test_five_folders_have_eight_lines_of_htaccess_each(tmp_path):
    site.build("deep", tmp_path / "www")
    files = sorted((tmp_path / "www").rglob(".htaccess"))
    assert [len(file.read_text().splitlines()) for file in files] == [8] * 5


def test_the_visited_site_has_every_recorded_path(tmp_path):
    site.build("visit", tmp_path / "www")
    for path, _, _ in named("mix").requests().items:
        assert (tmp_path / "www" / path[1:]).is_file()


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", False),
    ],
)
def test_answers_are_whole_when_their_framing_says_so(answer, whole):
    assert Answer().feed(answer) is whole
    slow = Answer()
    assert [slow.feed(answer[at : at + 1]) for at in range(len(answer))][-1] is whole


def test_something_else_is_no_answer():
    with pytest.raises(ValueError, match="HTTP/1"):
        Answer().feed(b"SSH-2.0-x\r\n\r\n")


@pytest.fixture
def small_server():
    """Answers each request with 612 bytes, keep-alive; records the heads."""
    heads = []
    body = b"x" * 612
    listener = socket.create_server(("127.0.0.1", 0))

    def converse(sock):
        with sock:
            rest = b""
            while True:
                try:
                    data = sock.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                rest += data
                while b"\r\n\r\n" in rest:
                    head, _, rest = rest.partition(b"\r\n\r\n")
                    heads.append(head)
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 612\r\n\r\n" + body)
                    if b"Connection: close" in head:
                        return

    def accept():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heads
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_own_generator_keeps_connections_and_numbers_requests(small_server):
    port, heads = small_server
    plan = Plan(port, "keep", 3, 30.0, ["GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"], serial=100, total=20)
    outcome = Generator(plan).run()
    assert (outcome.requests, outcome.errors, outcome.wrong_status) == (20, 0, 0)
    assert sorted(head.split()[1] for head in heads) == sorted(b"/%d" % number for number in range(101, 121))
    assert outcome.p99_ms >= outcome.p50_ms > 0


def test_own_generator_opens_a_connection_each(small_server):
    port, heads = small_server
    outcome = Generator(Plan(port, "new", 2, 30.0, ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n"], total=9)).run()
    assert (outcome.requests, outcome.errors, len(heads)) == (9, 0, 9)


def test_own_generator_counts_what_fails():
    outcome = Generator(Plan(free_port(), "keep", 1, 30.0, ["GET / HTTP/1.1\r\n\r\n"], total=4)).run()
    assert (outcome.requests, outcome.errors) == (0, 4)


def test_holder_keeps_connections_open_until_told(small_server):
    port, _ = small_server
    held = Generator(Plan(port, "hold", 5, 0.0, ["GET / HTTP/1.1\r\n\r\n"])).hold()
    assert len(held) == 5
    for sock in held:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        sock.close()


def test_a_wrong_answer_does_not_take_part(small_server):
    port, _ = small_server
    assert check(port, named("page")) == 612
    with pytest.raises(WrongAnswer, match="got 612 bytes, expected 52000"):
        check(port, named("medium"))
    with pytest.raises(WrongAnswer, match="status 200, expected 304"):
        check(port, named("304"))


@pytest.mark.skipif(sys.platform != "linux", reason="the floor is Linux's")
@pytest.mark.parametrize("name", [workload.name for workload in WORKLOADS if Serves.ONE in workload.beside])
def test_the_floor_gives_right_answers_and_outlives_clients_who_vanish(tmp_path, name):
    workload = named(name)
    site.build(workload.site, tmp_path / "www")
    at = Place(tmp_path / "floor", tmp_path / "www", free_port(), 100, workload.features, workload.tool is not Tool.NEW)
    with running(BY_KEY["floor"], at, None) as live:
        check(live.port, workload)
        gone = socket.create_connection(("127.0.0.1", live.port))
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.sendall(b"GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n")
        gone.close()
        check(live.port, workload)


def test_command_line_errors_are_plain(capsys):
    assert bench.run(["--workload", "nothing"]) == 1
    assert "there is no workload 'nothing'" in capsys.readouterr().err
    assert bench.run(["show", "/nonexistent.json"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_list_names_workloads_and_servers(capsys):
    assert bench.run(["--list"]) == 0
    out = capsys.readouterr().out
    assert "htaccess" in out
    assert "nginx" in out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the bench reads /proc")
def test_a_whole_run_for_coachwhip_alone(tmp_path):
    """A process of its own, as the bench raises its limit on descriptors."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "coachwhip", "bench", "--quick", "--rounds", "1", "--own-generator", "--no-plots"]
    done = subprocess.run(
        [*command, "--servers", "coachwhip", "--workload", "page", "--out", str(out)],
        capture_output=True, text=True, timeout=120, env={**os.environ, "TMPDIR": str(_open_folder(tmp_path))}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    saved = json.loads((out / "result.json").read_text())
    (row,) = saved["rows"]
    (sample,) = row["samples"]
    assert (row["server"], row["note"], sample["errors"]) == ("coachwhip", "", 0)
    assert sample["requests"] > 0
    assert sample["cpu_us"] > 0
    assert sample["pss_kib"] > 1000


def _open_folder(tmp_path):
    """Where a server's worker, another user when root starts it, can get to."""
    return Path("/tmp") if os.geteuid() == 0 else tmp_path
