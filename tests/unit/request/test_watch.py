"""The watcher: what touches a look at a path, and what cannot be watched."""

import mmap
import os
import select
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from coachwhip.request import watch as room
from coachwhip.request.watch import Watcher


@pytest.fixture
def watched(tmp_path):
    touched = []
    watcher = Watcher(touched.append, lambda: touched.append("overflow"))
    yield watcher, touched
    watcher.close()


def touches(watched, path, change, listed=False):
    watcher, touched = watched
    assert watcher.watch("key", [(str(path), listed)])
    change()
    watcher.look()
    return touched[:1] == ["key"]


@pytest.mark.parametrize("change", [
    lambda file: file.write_text("b"), lambda file: file.rename(file.with_name("c")), lambda file: file.unlink(),
    lambda file: os.replace(file.with_name("b"), file), lambda file: file.chmod(0), lambda file: os.utime(file),
])  # fmt: skip
def test_every_change_of_a_file_touches(watched, tmp_path, change):
    for name in "ab":
        (tmp_path / name).write_text(name)
    assert touches(watched, tmp_path / "a", lambda: change(tmp_path / "a"))


def test_what_appears_touches(watched, tmp_path):
    assert touches(watched, tmp_path / "a" / "b", lambda: (tmp_path / "a").mkdir())


def test_other_names_in_the_folder_touch_a_listing_alone(watched, tmp_path):
    assert not touches(watched, tmp_path, lambda: (tmp_path / "a").touch())
    assert touches(watched, tmp_path, lambda: (tmp_path / "b").touch(), listed=True)


def test_a_write_by_another_name_touches(watched, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "other").write_text("a")
    os.link(tmp_path / "x" / "other", tmp_path / "a")
    assert touches(watched, tmp_path / "a", lambda: (tmp_path / "x" / "other").write_text("b"))


def test_a_write_through_a_mapping_touches_when_it_is_unmapped(watched, tmp_path):
    def write(file):
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 1) as mapping:
            mapping[0] = ord("b")

    (tmp_path / "a").write_text("a")
    assert touches(watched, tmp_path / "a", lambda: write(tmp_path / "a"))


#: Run where it may mount, with a folder as its argument.
MOUNTS = """
import os, subprocess, sys
from coachwhip.request.watch import Watcher

touched = []
watcher = Watcher(touched.append, lambda: touched.append("everything"))
folder, looks = sys.argv[1] + "/d", [(sys.argv[1] + "/d/a", False)]
os.mkdir(folder)
for change in (
    lambda: subprocess.check_call(["mount", "-t", "tmpfs", "tmpfs", folder]),
    lambda: os.mknod(folder + "/a"),
    lambda: os.chmod(folder, 0),
    lambda: os.chmod(folder, 0o755),
    lambda: subprocess.check_call(["umount", folder]),
):
    # Without `forget`: what was watched before must not be mistaken for what is there now.
    assert watcher.watch(change, looks)
    change()
    watcher.look()
    print("everything" if "everything" in touched else change in touched)
    touched.clear()
    watcher.look()
    assert not touched, touched
"""


def test_what_is_mounted_on_the_way_touches_everything_and_is_watched_from_then_on(tmp_path):
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("no mounts of one's own here")
    done = subprocess.run([*alone, sys.executable, "-c", MOUNTS, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.split() == ["everything", "True", "True", "True", "everything"], done.stderr


def test_every_link_on_the_way_counts(watched, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("a")
    (tmp_path / "two").symlink_to("real")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    assert touches(watched, tmp_path / "one" / "a", lambda: os.replace(_link(tmp_path / "new", "x"), tmp_path / "two"))


def _link(path, target):
    path.symlink_to(target)
    return path


def test_a_circle_of_links_cannot_be_watched(watched, tmp_path):
    (tmp_path / "a").symlink_to("a")
    assert watched[0].watch("key", [(str(tmp_path / "a"), False)]) is False


def test_foreign_file_systems_cannot_be_watched(watched, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_LOCAL", frozenset())
    assert watched[0].watch("key", [(str(tmp_path), False)]) is False


def test_what_is_forgotten_is_not_touched_and_leaves_nothing(watched, tmp_path):
    watcher, touched = watched
    watcher.watch("key", [(str(tmp_path / "a"), True)])
    watcher.forget("key")
    (tmp_path / "a").touch()
    watcher.look()
    assert touched == []
    assert not watcher._by_watch and not watcher._by_key


def test_a_queue_that_ran_over_touches_everything(watched):
    watched[0]._happened(-1, room._OVERFLOW, b"")
    assert watched[1] == ["overflow"]


def test_writes_to_files_beside_the_way_are_not_told_of(watched, tmp_path):
    watcher, touched = watched
    (tmp_path / "x").mkdir()
    for name in ("log", "x/a", "x/b"):
        (tmp_path / name).write_text("a")
    assert watcher.watch("key", [(str(tmp_path / "x" / "a"), False), (str(tmp_path / "x"), True)])
    for name in ("log", "x/b"):
        with (tmp_path / name).open("a") as file:
            file.write("b")
    assert select.select([watcher.fileno()], [], [], 0)[0] == []
    with (tmp_path / "x" / "a").open("a") as file:
        file.write("b")
    watcher.look()
    assert set(touched) == {"key"}


def test_whoever_changes_files_faster_than_it_is_read_does_not_hold_the_look_up(watched, tmp_path, monkeypatch):
    watcher, touched = watched
    assert watcher.watch("key", [(str(tmp_path), True)])
    (tmp_path / "first").touch()

    def read_and_change(fd, size):
        (tmp_path / "another").touch()
        (tmp_path / "another").unlink()
        return os.read(fd, size)

    monkeypatch.setattr(room, "os", SimpleNamespace(read=read_and_change))
    watcher.look()
    assert touched[-1] == "overflow"


def test_without_inotify_nothing_can_be_watched(monkeypatch, tmp_path):
    monkeypatch.setattr(Watcher, "_open", lambda self: None)
    watcher = Watcher(print, print)
    assert watcher.fileno() == -1
    assert watcher.watch("key", [(str(tmp_path), False)]) is False
