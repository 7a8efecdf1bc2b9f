"""`api.storage`: read whole, replaced whole."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from coachwhip.api.storage import Storage


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Storage(f"{tmp_path}/none").read() == ("", 0.0)


def test_replaced_and_read_with_its_age(tmp_path: Path) -> None:
    storage = Storage(f"{tmp_path}/kept")
    storage.replace("one\n")
    storage.replace("two\n")
    os.utime(tmp_path / "kept", (0, 0))
    text, age = storage.read()
    assert text == "two\n" and age > 1e9
    assert os.listdir(tmp_path) == ["kept"]
    assert stat.S_IMODE(os.stat(tmp_path / "kept").st_mode) == 0o444


#: Adds lines from several threads: arguments are the path, and what each line begins with.
ADDER = """
import sys, threading
from coachwhip.api.storage import Storage
path, name = sys.argv[1:]
def add_line(line):
    Storage(path).update(lambda text, age: text + line)
def add_lines(thread):
    for number in range(25):
        add_line(f"{name}{thread}-{number}\\n")
threads = [threading.Thread(target=add_lines, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_of_updates_at_once_none_is_lost(tmp_path: Path) -> None:
    path = f"{tmp_path}/kept"
    processes = [subprocess.Popen([sys.executable, "-c", ADDER, path, name]) for name in "abcd"]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    lines = Storage(path).read()[0].split()
    assert sorted(lines) == sorted(f"{name}{thread}-{number}" for name in "abcd" for thread in range(4) for number in range(25))
    assert stat.S_IMODE(os.stat(f"{path}.lock").st_mode) == 0o600


def test_nothing_is_left_behind_where_it_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/inside").touch()
    with pytest.raises(OSError):
        Storage(f"{tmp_path}/kept").replace("one\n")
    assert os.listdir(tmp_path) == ["kept"]
    with pytest.raises(FileNotFoundError):
        Storage(f"{tmp_path}/none/kept").replace("one\n")


def test_the_lock_of_a_user_before_this_one_keeps_nobody_out() -> None:
    """A server whose `User` was changed: the folder is the new one's, the lock the old one's."""
    is_root = os.geteuid() == 0
    # Not below pytest's folder, which only its own user may enter.
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "kept.lock")
        lock.touch()
        lock.chmod(0)
        if is_root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            Storage(f"{folder}/kept").update(lambda text, age: text + "line\n")
        finally:
            if is_root:
                os.seteuid(0)
        assert Path(folder, "kept").read_text() == "line\n"
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
