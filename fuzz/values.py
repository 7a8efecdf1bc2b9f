"""A client that sends ever new header values, or URLs, costs no other client its kept answers and no unbounded memory.

One client asks for a page again and again, and another, in between, for the same page with a value that was never seen (of a field that
answers depend on, or not), with values that come back just often enough to be kept, or for a URL that was never seen. Printed is how
often the first was answered from what is kept, and what memory was in use before and after. By far the most requests go straight to the
hot path's own objects, some through sockets.

    python -m fuzz.values --count 1000000
"""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coachwhip.api.server import Connection
from coachwhip.protocol.http1 import parse_head
from coachwhip.request import intake
from coachwhip.request.reply import Reply
from coachwhip.testing.inside import Inside
from fuzz.guard import resident

__all__ = ["ATTACKS", "Figures", "attack"]

#: One request of the good client among so many.
EVERY = 20
#: Octets by which the memory in use may grow: what the bounded tables take when they are full.
GROWTH = 24 << 20
_CONFIG = """
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
ServerName localhost
Listen 127.0.0.1:1
DocumentRoot {root}/htdocs
ErrorLog {root}/error.log
MaxKeepAliveRequests 0
ReplayVariants 16
"""


def _get(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode("latin-1")


GOOD = _get("/page.txt", "User-Agent: good")

#: What the bad client asks for, by the number of its request.
ATTACKS: dict[str, Callable[[int], bytes]] = {
    "new values": lambda number: _get("/page.txt", f'If-None-Match: "{number:040d}"'),
    "new values of a field that nothing depends on": lambda number: _get("/page.txt", f"Cookie: {number:0200d}"),
    "values that come back": lambda number: _get("/page.txt", f'If-None-Match: "{number // 3:040d}"'),
    "new URLs": lambda number: _get(f"/page.txt?{number:0200d}"),
}


@dataclass(slots=True)
class Figures:
    """What an attack came to."""

    requests: int = 0
    #: The good client's requests, and those answered from what is kept.
    good: int = 0
    hits: int = 0
    #: Octets in use before and after, and what replay says of itself.
    before: int = 0
    after: int = 0
    kept: int = 0
    kept_memory: int = 0


class Straight:
    """Requests handed to the hot path as a connection would hand them over; what is no hit gets the page's plain answer."""

    def __init__(self, server: Inside, nowhere: int, sock: socket.socket) -> None:
        """`nowhere`: a descriptor that takes all answers; `sock` would send a file, but there is none."""
        self._hot, self._keeper = server.worker.hot, server.worker.keeper
        self._pipeline = server.instance.pipeline
        self._info = Connection(self._pipeline.hosts.by_address("127.0.0.1", 80), ("127.0.0.1", 50000), ("127.0.0.1", 80), id=1)
        table = self._hot.table_of(self._info)
        if table is None:
            raise ValueError("this configuration keeps nothing")
        self._table = table
        self._nowhere, self._socket = nowhere, sock
        self._reply = self._answer()

    def _answer(self) -> Reply:
        r, _, _ = intake.begin(self._pipeline, self._info, parse_head(GOOD), time.time())
        try:
            next(self._pipeline.answer(r))
        except StopIteration as end:
            reply: Reply = end.value
            return reply
        raise RuntimeError("nothing here has to be waited for")

    def ask(self, data: bytes) -> bool:
        """Ask; tells whether what was kept was the answer."""
        self._hot.look()
        if self._hot.answer(self._table, data, self._info, self._nowhere, self._socket) is not None:
            return True
        self._keeper.offer(self._table, data, self._info, self._reply)
        return False


class Sockets:
    """The same through a connection."""

    def __init__(self, server: Inside) -> None:
        self._server = server
        self._line = server.line()

    def ask(self, data: bytes) -> bool:
        """Ask; tells whether what was kept was the answer."""
        before = self._server.hits
        self._line.ask(data)
        return self._server.hits > before


def attack(name: str, count: int, *, through_sockets: bool = False) -> Figures:
    """Run an attack of `count` requests."""
    with tempfile.TemporaryDirectory(prefix="coachwhip-fuzz-") as folder:
        page = Path(folder) / "htdocs" / "page.txt"
        page.parent.mkdir()
        page.write_bytes(b"page\n")
        os.utime(page, (1_600_000_000, 1_600_000_000))
        time.sleep(0.07)
        with Inside(folder, _CONFIG.replace("{root}", folder)) as server, socket.socket() as sock, open(os.devnull, "wb") as nowhere:
            client = Sockets(server) if through_sockets else Straight(server, nowhere.fileno(), sock)
            return _run(server, client, ATTACKS[name], count)


def _run(server: Inside, client: Straight | Sockets, make: Callable[[int], bytes], count: int) -> Figures:
    figures = Figures(requests=count)
    for _ in range(3):
        client.ask(GOOD)
    gc.collect()
    figures.before = resident()
    for number in range(count):
        client.ask(make(number))
        if number % EVERY == 0:
            figures.good += 1
            figures.hits += client.ask(GOOD)
    gc.collect()
    figures.after = resident()
    figures.kept, figures.kept_memory = server.replay.count, server.replay.memory
    return figures


def main() -> int:
    """The command; returns the exit status: 1 if the good client lost hits, or memory grew."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.values", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="requests of each attack (default 1000000)")
    parser.add_argument("--sockets", type=int, default=20_000, help="requests of each attack through sockets (default 20000)")
    asked = parser.parse_args()
    failed = False
    for through_sockets, count in ((False, asked.count), (True, asked.sockets)):
        for name in ATTACKS:
            figures = attack(name, count, through_sockets=through_sockets)
            grown = figures.after - figures.before
            print(
                f"{name}{' through sockets' if through_sockets else ''}: {count} requests; the other client had {figures.hits} of"
                f" {figures.good} from what is kept; memory {figures.before >> 10} KiB before, {figures.after >> 10} KiB after;"
                f" {figures.kept} answers kept, {figures.kept_memory >> 10} KiB",
                flush=True,
            )
            failed = failed or figures.good - figures.hits > 2 or grown > GROWTH
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
