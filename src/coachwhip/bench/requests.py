"""Which requests a workload sends: lists of ready-made heads, in turn, some with a serial number that never comes twice.

Knows no tools and no servers; `wrk.py`, `ab.py` and `loadgen.py` put these on the wire.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["HOST", "SERIAL", "Requests", "page_load", "plain", "varying", "virtual_hosts"]

#: The `Host` of every request that does not ask for a virtual host.
HOST = "bench.test"
#: Stands for the serial number inside a head; no request can contain it otherwise.
SERIAL = "\x00"

#: What Chrome sends when a person opens a page, cookie and agent aside.
_BROWSER = (
    ("Connection", "keep-alive"),
    ("sec-ch-ua", '"Chromium";v="138", "Not=A?Brand";v="8", "Google Chrome";v="138"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("Upgrade-Insecure-Requests", "1"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
)
#: `Upgrade-Insecure-Requests` is a preference, not an upgrade; the name is the browser's.


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent, again and again from the top. Every request is a GET."""

    #: (path, header fields without Host, host); values may hold `SERIAL`.
    items: tuple[tuple[str, tuple[tuple[str, str], ...], str], ...]

    @property
    def is_single(self) -> bool:
        """Whether every request has the very same bytes."""
        return len(self.items) == 1 and SERIAL not in self.heads()[0]

    def heads(self) -> list[str]:
        """The heads as sent, `SERIAL` still standing in them."""
        return [_head(path, fields, host) for path, fields, host in self.items]


def _head(path: str, fields: tuple[tuple[str, str], ...], host: str) -> str:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines)


def plain(path: str, *fields: tuple[str, str]) -> Requests:
    """One request, the same each time."""
    return Requests(((path, fields, HOST),))


def varying(paths: list[str]) -> Requests:
    """A browser's request for each path in turn, each with a cookie and a user agent of its own."""
    own = (
        ("User-Agent", f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.{SERIAL}.0 Safari/537.36"),
        ("Cookie", f"theme=dark; session=s{SERIAL}e7f1c09a5b; _ga=GA1.1.{SERIAL}.1751371200"),
    )
    return Requests(tuple([(path, _BROWSER + own, HOST) for path in paths]))


def virtual_hosts(names: list[str]) -> Requests:
    """The front page of each host in turn."""
    return Requests(tuple([("/", (), name) for name in names]))


def page_load(prefix: str = "") -> Requests:
    """The page visits that a browser was recorded at (`record.py`)."""
    recorded = json.loads(files("coachwhip.bench").joinpath("pageload.json").read_text(encoding="ascii"))
    items = [
        (prefix + item["path"], tuple([(name, value) for name, value in item["fields"] if name.lower() != "host"]), HOST)
        for item in recorded["requests"]
    ]
    return Requests(tuple(items))
