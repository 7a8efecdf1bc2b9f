"""The workloads, as a table: what is asked, how, and what a right answer looks like.

Bars are in `bars.py`, tools in `drive.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from coachwhip.bench.requests import HOST, Requests, page_load, plain, varying, virtual_hosts
from coachwhip.bench.site import FILES, PAGE, last_modified, virtual_host_names

__all__ = ["HOST", "WORKLOADS", "Features", "Serves", "Tool", "Workload", "named"]


class Tool(Enum):
    """How load is made."""

    KEEP = "keep"
    """Connections that are kept, each with one request on its way at a time (`wrk`)."""
    NEW = "new"
    """A new connection for each request (`ab`)."""
    IDLE = "idle"
    """Connections that are opened, used once and held (`loadgen.py`)."""


class Serves(Enum):
    """What a server can answer."""

    FILES = "files"
    APP = "app"
    """One page of 612 bytes, whatever is asked for."""
    ONE = "one"
    """Whatever it is asked for first."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a server's configuration needs beyond serving files."""

    gzip: bool = False
    htaccess: bool = False
    hosts: tuple[str, ...] = ()
    #: False: this server's kept answers are switched off, so that every request is made anew. Others have no such switch.
    replay: bool = True


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the bench."""

    name: str
    title: str
    requests: Callable[[], Requests]
    tool: Tool = Tool.KEEP
    connections: int = 64
    site: str = "page"
    features: Features = Features()
    status: int = 200
    #: Bytes of the body, uncompressed; None: not looked at.
    size: int | None = PAGE
    encoding: str = ""
    #: Requests are counted by bytes received, because few large answers are finished in a run.
    by_bytes: bool = False
    #: Requests in one run of `ab`.
    total: int = 0
    #: Seconds that a run takes at least, for loads that take long to come up.
    seconds: int = 1
    #: Who takes part beside servers of files.
    beside: tuple[Serves, ...] = ()


def _page() -> Requests:
    return plain("/")


def _many() -> Requests:
    return varying([f"/f/{number:03}.html" for number in range(FILES)])


def _missing() -> Requests:
    return Requests(tuple([(f"/missing/{number:03}.html", (), HOST) for number in range(100)]))


def _open(connections: int) -> Workload:
    title = f"612 B, {connections:,} open connection{'s' if connections > 1 else ''}"
    return Workload(f"open-{connections}", title, _page, connections=connections, seconds=4 if connections >= 10_000 else 1)


WORKLOADS = (
    Workload("page", "612 B, keep-alive, identical requests", _page, beside=(Serves.APP, Serves.ONE)),
    Workload("vary", "612 B, 1,000 files, cookie and agent vary", _many, site="many", beside=(Serves.APP, Serves.ONE)),
    Workload("new", "612 B, new connection each (-n 20000 -c 500)", _page, Tool.NEW, 500, total=20_000, beside=(Serves.APP, Serves.ONE)),
    Workload("burst", "612 B, new connection each (-n 500 -c 500)", _page, Tool.NEW, 500, total=500, beside=(Serves.APP, Serves.ONE)),
    Workload(
        "medium", "52,000 B, keep-alive", lambda: plain("/medium.html"), site="medium", size=52_000,
        beside=(Serves.ONE,),
    ),
    Workload("1m", "1 MiB file", lambda: plain("/1m.bin"), connections=8, site="large", size=1 << 20, by_bytes=True),
    Workload("1g", "1 GiB file", lambda: plain("/1g.bin"), connections=2, site="large", size=1 << 30, by_bytes=True),
    Workload(
        "304", "conditional request, 304", lambda: plain("/", ("If-Modified-Since", last_modified())), status=304, size=None,
        beside=(Serves.ONE,),
    ),
    Workload(
        "gzip", "gzip of a 100 KiB text", lambda: plain("/text.txt", ("Accept-Encoding", "gzip")), connections=16, site="text",
        features=Features(gzip=True), size=100 << 10, encoding="gzip",
    ),
    Workload(
        "htaccess", "five folders deep, 8 lines of .htaccess in each", lambda: plain("/a/b/c/d/e/page.html"), site="deep",
        features=Features(htaccess=True),
    ),
    Workload("404", "404, 100 missing files", _missing, status=404, size=None),
    Workload("mix", "page visits recorded from a browser, uncompressed", page_load, site="visit", size=None),
    Workload(
        "hosts", "612 B, 1,000 virtual hosts", lambda: virtual_hosts(virtual_host_names()), site="hosts",
        features=Features(hosts=tuple(virtual_host_names())),
    ),
    Workload("miss", "612 B, nothing kept (Replay Off)", _page, features=Features(replay=False)),
    *(_open(count) for count in (1, 10, 100, 1_000, 10_000)),
    Workload("idle", "10,000 idle connections", _page, Tool.IDLE, 10_000),
)  # fmt: skip


def named(name: str) -> Workload:
    """The workload of that name; raises KeyError."""
    return {workload.name: workload for workload in WORKLOADS}[name]
