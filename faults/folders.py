"""Folders: very large ones, and ones that are swapped for links while they are read."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import threading
import time
from collections import Counter

from faults.rig import REPOSITORY, Rig, get, settles
from faults.rows import Bar, Figures, Stage, fault

FOREIGN = "these bytes are outside\n"
OWN = "these are inside\n"


@fault(
    "F16",
    "listings of very large folders",
    Bar("names"),
    Bar("for 10,000 names", "s", most=0.5, timed=True),
    Bar("names missing", most=0),
    Bar("longest stall of others, more", "ms", most=100, timed=True),
    Bar("memory kept of a second listing", "MB", most=10),
    Bar("failed beside them", most=0),
)
def large_listings(stage: Stage) -> Figures:
    """Folders of 20,000 and of 100,000 files (short: one of 5,000) are listed under load, each twice, the second time by date."""
    counts = (20_000, 100_000) if stage.is_long else (5_000,)
    missing = failed = 0
    slowest = stall = kept = 0.0
    with Rig(stage.server, config="Options +Indexes\n", workers=1) as rig:
        base = rig.calm(2)
        for count in counts:
            folder = rig.path(f"htdocs/{count}")
            folder.mkdir()
            for number in range(count):
                (folder / f"name-{number}.txt").touch()
            with rig.load() as load:
                time.sleep(0.5)
                taken, body = _list(rig, f"/{count}/")
                time.sleep(0.5)
                memory = rig.memory
                _list(rig, f"/{count}/?C=M")
            slowest = max(slowest, taken / count * 10_000)
            missing += count - body.count(b'href="name-')
            failed += load.report.failed
            stall = max(stall, load.report.slowest_ms - base.slowest_ms)
            _settle_memory(rig, memory)
            kept = max(kept, (rig.memory - memory) / 1e6)
    return {
        "names": sum(counts),
        "for 10,000 names": slowest,
        "names missing": missing,
        "longest stall of others, more": stall,
        "memory kept of a second listing": kept,
        "failed beside them": failed,
    }


def _settle_memory(rig: Rig, memory: float) -> None:
    settles(lambda: rig.memory <= memory + 10e6, 3)


def _list(rig: Rig, path: str) -> tuple[float, bytes]:
    """The seconds that a listing takes to its last byte, and its body."""
    began = time.monotonic()
    with rig.connect() as client:
        client.send(get(path))
        answer = client.read_response()
    return time.monotonic() - began, answer.body if answer is not None else b""


@fault(
    "F25",
    "a folder is swapped for a link while it is read",
    Bar("swaps"),
    Bar("answers of the folder"),
    Bar("refused or not found"),
    Bar("foreign bytes", most=0),
    Bar("faults", most=0),
)
def symlink_race(stage: Stage) -> Figures:
    """A folder and a link to a folder outside change places 10,000 times (short: 2,000) while 4 clients read a file in it; once with
    `Options None`, once with `SymLinksIfOwnerMatch` and somebody else's folder outside.
    """
    count, statuses = stage.pick(1_000, 5_000), Counter[str]()
    for options in ("None", "SymLinksIfOwnerMatch"):
        files = {"htdocs/swap/inside/file.txt": OWN, "outside/inside/file.txt": FOREIGN}
        config = f'<Directory "{{root}}/htdocs">\n    Options {options}\n    AllowOverride None\n</Directory>\n'
        with Rig(stage.server, files=files, config=config) as rig:
            if os.geteuid() == 0:
                for path in (rig.path("outside"), *rig.path("outside").rglob("*")):
                    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
            rig.path("htdocs/link").symlink_to(rig.path("outside"))
            command = [sys.executable, "-m", "faults.swap", str(rig.path("htdocs")), "swap", "link", str(count)]
            with subprocess.Popen(command, cwd=REPOSITORY) as swapping:
                threads = [threading.Thread(target=_read, args=(rig, swapping, statuses)) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            if swapping.returncode:
                raise OSError("the swaps broke off")
    return {
        "swaps": 2 * count,
        "answers of the folder": statuses["own"],
        "refused or not found": statuses["refused"],
        "foreign bytes": statuses["foreign"] * len(FOREIGN),
        "faults": statuses["fault"],
    }


def _read(rig: Rig, swapping: subprocess.Popen[bytes], statuses: Counter[str]) -> None:
    """Ask for the file until the swaps have ended; on one connection for as long as the server keeps it."""
    request = get("/swap/inside/file.txt", last=False)
    while swapping.poll() is None:
        with rig.connect() as client:
            while swapping.poll() is None:
                client.send(request)
                answer = client.read_response()
                if answer is None:
                    break
                statuses[_kind(answer.status, answer.body)] += 1
                if answer.says_close:
                    break


def _kind(status: int, body: bytes) -> str:
    if body == FOREIGN.encode():
        return "foreign"
    if status in (403, 404):
        return "refused"
    return "own" if status == 200 and body == OWN.encode() else "fault"
