"""Files that change while they are sent, and what is no file at all."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from faults import processes
from faults.rig import BIG, GET, Rig, get
from faults.rows import Bar, Figures, Stage, fault

#: The bytes that another file has everywhere, and that the file being sent has nowhere.
FOREIGN = b"Z"
HALF = len(BIG) // 2


def _rename_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(FOREIGN * len(BIG))
    other.rename(path)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(FOREIGN * 1000)


def _write_over(path: Path) -> None:
    path.unlink()
    path.write_bytes(FOREIGN * len(BIG))


#: What is done to the file → whether all of it must arrive.
CHANGES: dict[Callable[[Path], object], bool] = {
    lambda path: os.truncate(path, 0): False,
    lambda path: os.truncate(path, HALF): False,
    lambda path: os.truncate(path, len(BIG) - 1): False,
    _grow: True,
    Path.unlink: True,
    _rename_over: True,
    _write_over: True,
}


@fault(
    "F15",
    "files that change while they are sent; pipes, devices, sockets",
    Bar("transfers"),
    Bar("bytes of another file", most=0),
    Bar("not whole though it could be", most=0),
    Bar("longer than what was left", most=0),
    Bar("cut after", "s", most=1, timed=True),
    Bar("processor time after the cut", "% of a core", most=5, timed=True),
    Bar("opened what is no file", most=0),
    Bar("such an answer", "s", most=1, timed=True),
    Bar("failed", most=0),
)
def changing_files(stage: Stage) -> Figures:
    """A file of 16 MiB is truncated (to nothing, to half, by one byte), grown, deleted, renamed over and replaced while a slow client has
    read its beginning; three times each (short: once). Then a pipe, a device and a socket are asked for.
    """
    figures = {"bytes of another file": 0.0, "not whole though it could be": 0.0, "longer than what was left": 0.0, "cut after": 0.0}
    rounds = stage.pick(1, 3)
    with Rig(stage.server, big=True) as rig, rig.load(rate=10, lanes=2) as load:
        busy = 0.0
        for _ in range(rounds):
            for change, is_whole in CHANGES.items():
                rig.path("htdocs/big").write_bytes(BIG)
                _transfer(rig, change, is_whole, figures)
                if not is_whole:
                    busy = max(busy, _extra_load(rig))
        figures["processor time after the cut"] = busy
        figures |= _no_files(rig)
    return figures | {"transfers": rounds * len(CHANGES), "failed": load.report.failed}


def _transfer(rig: Rig, change: Callable[[Path], object], is_whole: bool, figures: dict[str, float]) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        client.settimeout(10)
        client.connect(rig.site.address)
        client.sendall(get("/big"))
        received = client.recv(1 << 14)
        change(rig.path("htdocs/big"))
        rest, waited = _read_on(client)
    body = (received + rest).partition(b"\r\n\r\n")[2]
    figures["bytes of another file"] += body.count(FOREIGN)
    figures["longer than what was left"] += len(body) > len(BIG)
    if is_whole:
        figures["not whole though it could be"] += body != BIG
    else:
        figures["cut after"] = max(figures["cut after"], waited)


def _read_on(client: socket.socket) -> tuple[bytes, float]:
    """What comes until the end, and the longest wait for the next bytes or the end, in seconds."""
    pieces: list[bytes] = []
    longest = 0.0
    while True:
        began = time.monotonic()
        try:
            piece = client.recv(1 << 18)
        except ConnectionResetError:
            piece = b""
        longest = max(longest, time.monotonic() - began)
        if not piece:
            return b"".join(pieces), longest
        pieces.append(piece)


def _extra_load(rig: Rig) -> float:
    """Percent of a core that the workers use for half a second, the load's requests included."""
    workers, before, began = rig.workers, processes.cpu_seconds(rig.workers), time.monotonic()
    time.sleep(0.5)
    return 100 * (processes.cpu_seconds(workers) - before) / (time.monotonic() - began)


def _no_files(rig: Rig) -> Figures:
    os.mkfifo(rig.path("htdocs/pipe"))
    rig.path("htdocs/device").symlink_to("/dev/zero")
    opened, slowest = 0, 0.0
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(rig.path("htdocs/socket")))
        for name in ("pipe", "device", "socket"):
            began = time.monotonic()
            opened += rig.ask(get(f"/{name}")) not in (403, 404)
            slowest = max(slowest, time.monotonic() - began)
    opened += rig.ask(GET) != 200
    return {"opened what is no file": opened, "such an answer": slowest}
