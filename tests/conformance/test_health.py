"""The health check of a server sees what it is for: descriptors that stay open, memory, other processes, a traceback in the log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import health

#: Opens as many files as it is told to, one line at a time.
WORKER = """
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    word, count = line.split()
    kept.append([open("/dev/null") for _ in range(int(count))] if word == "open" else b"x" * int(count))
    print("done", flush=True)
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.3)
    process = subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    (tmp_path / "pid").write_text(str(process.pid))
    (tmp_path / "log").write_text("fine\n")
    assert process.stdout.readline() == "ready\n"
    yield process, tmp_path
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


@pytest.mark.parametrize(("told", "complaint"), [
    ("open 1", ""),
    ("open 3", "descriptors"),
    ("take 1000", ""),
    ("take 30000000", "KiB"),
])  # fmt: skip
def test_what_is_kept_open_or_taken_is_told(server, told, complaint):
    process, folder = server
    before = health.look(folder / "pid")
    assert before.descriptors[process.pid] == len(os.listdir(f"/proc/{process.pid}/fd"))
    tell(process, told)
    found = list(health.complaints(before, folder / "pid", folder / "log"))
    assert len(found) == bool(complaint)
    assert all(complaint in line for line in found)


def test_a_traceback_is_told(server):
    folder = server[1]
    before = health.look(folder / "pid")
    Path(folder / "log").write_text("Traceback (most recent call last):\n")
    assert list(health.complaints(before, folder / "pid", folder / "log")) == ["a traceback in log"]


def test_a_process_that_is_gone_is_told_and_one_that_came_is_not(server):
    folder = server[1]
    before = health.look(folder / "pid")
    fewer = health.Health(dict(before.descriptors), dict(before.memory))
    assert list(health.complaints(fewer, folder / "pid", folder / "log")) == []
    fewer.descriptors[1] = fewer.memory[1] = 10
    (found,) = health.complaints(fewer, folder / "pid", folder / "log")
    assert found.startswith("processes were [1, ")
    assert list(health.complaints(health.Health({}, {}), folder / "pid", folder / "log")) == []
