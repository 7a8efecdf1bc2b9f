"""mod_watchdog -- runs what modules offer as periodic work (`api.watchdog`), in every worker or in one of them.

Source: Apache manual, mod_watchdog.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coachwhip.api import Args, Directive, DirectiveContext, Module, Order, Outcome, Startup, Where, phases
from coachwhip.api.values import refuse
from coachwhip.api.watchdog import OneOfAll, Place, Rounds, Watchdog
from coachwhip.util.sizes import parse_duration

__all__ = ["MODULE", "WatchdogServer"]

LEAST = 0.1
#: Seconds that a worker which ends waits for the round at hand.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class WatchdogServer:
    """What the main server says counts."""

    #: Seconds from one round to the next.
    interval: float = 1.0


def _read_interval(context: DirectiveContext, word: str) -> float:
    try:
        seconds = parse_duration(word)
    except ValueError:
        raise refuse("Unparse-able WatchdogInterval setting") from None
    if seconds < LEAST:
        raise refuse("Invalid WatchdogInterval: minimal value 100ms")
    return seconds


MODULE = Module(
    "watchdog_module",
    "mod_watchdog.c",
    (
        Directive("WatchdogInterval", Args.ONE, Where.SERVER, "interval", _read_interval, global_only=True,
                  help="seconds from one round of periodic work to the next"),
    ),
    server_config=WatchdogServer,
    replayable=True,
)  # fmt: skip
LOG = MODULE.log


@dataclass(slots=True)
class Kennel:
    """What is kept for one start."""

    #: By name of the watchdog; made in the parent, held by whoever makes the rounds.
    locks: dict[str, OneOfAll] = field(default_factory=dict)
    #: Those of this worker.
    rounds: list[Rounds] = field(default_factory=list)


def _needed(startup: Startup) -> dict[str, type[Watchdog]]:
    """The watchdogs that have something to do, by name."""
    offered = {name: startup.providers.get("watchdog", name) for name in startup.providers.names("watchdog")}
    return {name: kind for name, kind in offered.items() if kind.is_needed(startup)}


@MODULE.hook(phases.post_config, Order.LAST)
def make_locks(startup: Startup) -> Outcome:
    """Workers that are forked from here agree by these on who makes which rounds."""
    needed = _needed(startup).items()
    startup.main.state[MODULE.source] = Kennel({name: OneOfAll() for name, kind in needed if kind.place is Place.ONE_WORKER})
    return Outcome.OK


@MODULE.hook(phases.child_init)
def begin_rounds(startup: Startup) -> None:
    """Start a thread for each watchdog."""
    kennel: Kennel = startup.main.state[MODULE.source]
    interval = startup.main.config(WatchdogServer).interval
    kennel.rounds = [_rounds(startup, name, kind, interval, kennel.locks.get(name)) for name, kind in _needed(startup).items()]
    for one in kennel.rounds:
        one.begin()


def _rounds(startup: Startup, name: str, kind: type[Watchdog], interval: float, lock: OneOfAll | None) -> Rounds:
    def ends() -> bool:
        return startup.scoreboard is not None and startup.scoreboard.is_stopping

    def report(error: Exception) -> None:
        LOG.error(startup.main, "", "a round of %s failed: %s: %s", name, type(error).__name__, error)

    return Rounds(lambda: kind(startup), interval, lock=lock, ends=ends, on_error=report)


@MODULE.hook(phases.child_exit)
def end_rounds(startup: Startup) -> None:
    """Stop them."""
    kennel: Kennel = startup.main.state[MODULE.source]
    for one in kennel.rounds:
        one.end(PATIENCE)
