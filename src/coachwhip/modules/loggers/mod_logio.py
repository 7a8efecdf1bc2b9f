"""mod_logio -- bytes in and out for the access log (`%I %O %S`), and how long the first byte took (`%^FB`).

The counting is the connection's; this module gives the numbers their codes. Source: Apache manual, mod_logio; compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api import Args, Directive, Module, Request, Where
from coachwhip.api.log import LogCode


@dataclass(frozen=True, slots=True)
class LogioDir:
    """What this directory says, after all enclosing sections were folded together."""

    track_ttfb: bool = False


MODULE = Module(
    "logio_module",
    "mod_logio.c",
    dir_config=LogioDir,
    replayable=True,
    directives=(
        Directive("LogIOTrackTTFB", sets="track_ttfb", args=Args.FLAG, where=Where.ALL,
                  help="whether the time from the request to the first byte of its answer is kept for %^FB"),
    ),
)  # fmt: skip


def _bytes_in(r: Request) -> int:
    return int(r.first.scratch.get("bytes_in", 0))


def _bytes_out(r: Request) -> int:
    return int(r.first.scratch.get("bytes_out", 0))


def _first_byte(r: Request) -> str:
    """Microseconds from the request's beginning to the first byte of its answer."""
    first = r.first
    sent = first.scratch.get("first_byte")
    if sent is None or not r.config(LogioDir).track_ttfb:
        return "-"
    return str(int((sent - first.scratch["started"]) * 1_000_000))


def _code(name: str, read: Callable[[Request], str]) -> None:
    MODULE.provider("log_item", name)(LogCode(lambda argument: read, volatile=True))


_code("I", lambda r: str(_bytes_in(r)))
_code("O", lambda r: str(_bytes_out(r)))
_code("S", lambda r: str(_bytes_in(r) + _bytes_out(r)))
_code("^FB", _first_byte)
