"""The wall clock is set an hour forward, an hour back, and right again."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

from faults.herd import Herd, ended
from faults.rig import GET, Rig, get
from faults.rows import Bar, Figures, NotHere, Stage, fault

#: The library that gives a program another clock; asked for on servers that cannot load a module of ours.
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
HOUR = 3600
#: The time-out of both kinds, in seconds. Whoever owns connections looks at time-outs about once a second: later by that much is right.
TIMEOUT = 4


@fault(
    "F14",
    "the clock is set",
    Bar("times"),
    Bar("ended too early", most=0),
    Bar("ended too late", most=0, timed=True),
    Bar("Date wrong by", "s", most=2),
    Bar("failed", most=0),
)
def clock_set(stage: Stage) -> Figures:
    """The workers' wall clock goes an hour forward, back by two, and right again, while idle connections and slow heads are in the middle
    of their 4 s; a round in the short form, three in the long one. Ours by a module that replaces `time.time`, others by libfaketime.
    """
    config = f"KeepAliveTimeout {TIMEOUT}\nRequestReadTimeout header={TIMEOUT} body=20\n"
    early, late, wrong_date, steps = 0, 0, 0.0, [HOUR, -HOUR, 0] * stage.pick(1, 3)
    with Rig(stage.server, config=config, shell=_clock(stage), files={"clock": "+0"}) as rig, rig.load(rate=20) as load:
        for step in steps:
            with Herd(rig.site.port) as herd:
                idle = herd.join(10, get(last=False))
                heads = herd.join(10, b"GET /a.txt HTTP/1.1\r\nX: ")
                herd.graze(TIMEOUT / 2)
                rig.path("clock").write_text(f"{step:+d}")
                # The text of a second may be kept for that second.
                herd.graze(1.2)
                wrong_date = max(wrong_date, abs(_date(rig) - time.time() - step))
                herd.graze(TIMEOUT, until=ended(idle + heads))
                early += sum(one.lasted < TIMEOUT - 0.1 for one in idle + heads)
                late += sum(one.lasted > TIMEOUT + 1.5 for one in idle + heads)
    return {
        "times": len(steps),
        "ended too early": early,
        "ended too late": late,
        "Date wrong by": wrong_date,
        "failed": load.report.failed,
    }


def _clock(stage: Stage) -> str:
    if stage.server.is_ours:
        return "export FAULTS_CLOCK={root}/clock"
    if not FAKETIME.exists():
        raise NotHere("needs libfaketime")
    return f"export LD_PRELOAD={FAKETIME} FAKETIME_TIMESTAMP_FILE={{root}}/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1"


def _date(rig: Rig) -> float:
    return parsedate_to_datetime(rig.site.ask(GET).get(b"date").decode()).timestamp()
