"""The end of a server, and what it gives up at its beginning: stops with work in flight, privileges."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path
from signal import Signals

from coachwhip.testing import StartFailed
from faults import processes
from faults.deaths import accepts, is_whole
from faults.herd import Herd
from faults.rig import Rig, get, settles
from faults.rows import Bar, Figures, NotHere, Stage, fault

DOWNLOADS = 30


@fault(
    "F23",
    "stops with work in flight",
    Bar("TERM with hung requests", "s", most=11),
    Bar("processes left by TERM", most=0),
    Bar("downloads cut by WINCH", most=0),
    Bar("WINCH stops accepting", "s", most=1, timed=True),
    Bar("WINCH after the last download", "s", most=5),
    Bar("processes left by WINCH", most=0),
)
def stops(stage: Stage) -> Figures:
    """TERM while four requests hang and a worker never yields; then, on another server, WINCH while 30 slow clients download."""
    figures: dict[str, float] = {}
    with Rig(stage.server) as rig, Herd(rig.site.port) as herd:
        herd.join(4, get("/hang"))
        herd.join(1, get("/stick"))
        herd.graze(0.5)
        figures["TERM with hung requests"], figures["processes left by TERM"] = _stop(rig, Signals.SIGTERM)
    with Rig(stage.server, big=True) as rig, Herd(rig.site.port) as herd:
        clients = herd.join(DOWNLOADS, get("/big"), reads=False, buffer=1 << 16)
        time.sleep(0.5)
        parent, workers = rig.pid, rig.workers
        rig.signal(Signals.SIGWINCH)
        figures["WINCH stops accepting"] = settles(lambda: not accepts(rig), 5, step=0.05)
        figures["downloads cut by WINCH"] = sum(not is_whole(one.sock) for one in clients)
        figures["WINCH after the last download"] = settles(lambda: not processes.alive(parent), 15)
        figures["processes left by WINCH"] = sum(processes.alive(pid) for pid in workers)
    return figures


def _stop(rig: Rig, number: Signals) -> tuple[float, int]:
    """Seconds until the parent has ended, and how many of its workers have not."""
    parent, workers = rig.pid, rig.workers
    rig.signal(number)
    taken = settles(lambda: not processes.alive(parent), 30)
    return taken, sum(processes.alive(pid) for pid in workers)


@fault(
    "F24",
    "privileges are given up",
    Bar("workers looked at", least=1),
    Bar("user and group ids that are not www-data's", most=0),
    Bar("other groups", most=0),
    Bar("capabilities left", most=0),
    Bar("without NoNewPrivs", most=0),
    Bar("another umask than 022", most=0),
    Bar("secrets of root's that workers can read", most=0),
    Bar("started as root for an unknown user", most=0),
)
def privileges(stage: Stage) -> Figures:
    """Started as root with `User www-data`: what /proc says of every worker, once at the start and once after a reload; then with a `User`
    that there is not, and with root.
    """
    if os.geteuid() != 0:
        raise NotHere("needs root")
    with Rig(stage.server) as rig:
        found = _look_at(rig)
        secret = rig.path("secret")
        secret.write_text("secret\n")
        secret.chmod(0o600)
        rig.site.write("htdocs/secret", secret.read_text())
        rig.path("htdocs/secret").chmod(0o600)
        read = rig.ask(get("/secret")) == 200
        old = set(rig.workers)
        rig.reload()
        settles(lambda: old.isdisjoint(rig.workers) and len(rig.workers) == rig.worker_count)
        found += _look_at(rig)
    totals = {name: float(sum(one[name] for one in found)) for name in found[0]}
    return totals | {
        "workers looked at": len(found),
        "secrets of root's that workers can read": read,
        "started as root for an unknown user": sum(_starts(stage, user) for user in ("nobody-of-that-name", "root")),
    }


def _look_at(rig: Rig) -> list[dict[str, int]]:
    """Every worker; between its fork and its first request it gives up what it has, and that is waited for."""
    found: list[dict[str, int]] = []

    def look() -> bool:
        found[:] = [_look(pid) for pid in rig.workers]
        return not any(sum(one.values()) for one in found)

    settles(look, 3)
    return found


def _look(pid: int) -> dict[str, int]:
    """What a worker has that it should not, by name."""
    lines = [line.partition(":\t") for line in Path(f"/proc/{pid}/status").read_text().split("\n")]
    status = {name: value.split() for name, _, value in lines}
    user = pwd.getpwnam("www-data")
    return {
        "user and group ids that are not www-data's": sum(
            int(number) != wanted for name, wanted in (("Uid", user.pw_uid), ("Gid", user.pw_gid)) for number in status[name]
        ),
        "other groups": sum(int(number) != user.pw_gid for number in status["Groups"]),
        "capabilities left": sum(int(status[name][0], 16) != 0 for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")),
        "without NoNewPrivs": status["NoNewPrivs"] != ["1"],
        "another umask than 022": int(status["Umask"][0], 8) != 0o022,
    }


def _starts(stage: Stage, user: str) -> bool:
    try:
        with Rig(stage.server, config=f"User {user}\n"):
            return True
    except StartFailed:
        return False
