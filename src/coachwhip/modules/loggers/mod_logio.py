"""mod_logio -- bytes in and out for the access log (`%I %O %S`), and how long the first byte took (`%^FB`).

The counting is the connection's; this module gives the numbers their codes. Source: Apache manual, mod_logio; compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api import Args, Directive, Module, Request, Where, phases
from coachwhip.api.log import LogCode, LogKind


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
    return r.traffic.bytes_in


def _bytes_out(r: Request) -> int:
    return r.traffic.bytes_out


@MODULE.hook(phases.insert_filter, acts=lambda server, settings: settings.get(LogioDir).track_ttfb)
def track_first_byte(r: Request) -> None:
    """Ask the connection to note when the first byte goes out."""
    if r.main is None:
        r.traffic.tracks_first_byte = True


@MODULE.hook(phases.insert_error_filter)
def forget_first_byte(r: Request) -> None:
    """Built-in error pages are not tracked, as in Apache."""
    r.traffic.tracks_first_byte = False
    r.traffic.first_byte = None


def _first_byte(r: Request) -> str:
    """Microseconds from the request's beginning to the first byte of its answer."""
    sent = r.traffic.first_byte
    return "-" if sent is None else str(max(int((sent - r.traffic.started) * 1_000_000), 0))


def _code(read: Callable[[Request], str], kind: LogKind) -> LogCode:
    return LogCode(lambda argument: read, kind=lambda argument: kind)


MODULE.providers += [
    ("log_item", "I", _code(lambda r: str(_bytes_in(r)), LogKind.READ)),
    ("log_item", "O", _code(lambda r: str(_bytes_out(r)), LogKind.SENT)),
    ("log_item", "S", _code(lambda r: str(_bytes_in(r) + _bytes_out(r)), LogKind.READ)),
    ("log_item", "^FB", _code(_first_byte, LogKind.READ)),
]
