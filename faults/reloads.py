"""Reloads: a hundred under load, of configurations that are broken, and while requests hang."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from signal import Signals

from faults.herd import Herd
from faults.load import Kind
from faults.rig import Rig, get, settles
from faults.rows import Bar, Figures, Stage, fault

#: For how long workers of an old generation may be there after the last reload under load, in seconds.
AWAY = 30.0


@fault(
    "F3",
    "graceful reloads under load",
    Bar("reloads"),
    Bar("refused", most=0),
    Bar("reset", most=0),
    Bar("failed", most=0),
    Bar("downloads and uploads cut", most=0),
    Bar("downloads and uploads finished", least=1),
    Bar("stale"),
    Bar("longest stall", "ms", most=50, timed=True),
    Bar("p99", "ms", most=10, timed=True),
    Bar("descriptors more", most=2),
    Bar("memory, times", most=1.1, timed=True),
    Bar("zombies", most=0),
    Bar("workers left over", most=0),
)
def reloads_under_load(stage: Stage) -> Figures:
    """USR1 every second, 100 times (short: 5), under keep-alive and one-shot load, with slow downloads and uploads in flight."""
    with Rig(stage.server, big=True) as rig:
        rig.calm(1)
        rig.reload()
        _settle(rig)
        descriptors, memory = rig.descriptors, rig.memory
        count = stage.pick(5, 100)
        with rig.load(downloads=2, uploads=2) as load:
            for _ in range(count):
                rig.signal(Signals.SIGUSR1)
                time.sleep(1)
        settles(lambda: len(rig.workers) <= rig.worker_count, AWAY)
        report = load.report
        return {
            "reloads": count,
            "refused": report.count(Kind.REFUSED),
            "reset": report.count(Kind.RESET),
            "failed": report.failed,
            "downloads and uploads cut": report.transfers_failed,
            "downloads and uploads finished": report.transfers,
            "stale": report.stale,
            "longest stall": report.slowest_ms,
            "p99": report.p99_ms,
            "descriptors more": rig.descriptors - descriptors,
            "memory, times": rig.memory / memory,
            "zombies": rig.zombies,
            "workers left over": len(rig.workers) - rig.worker_count,
        }


def _settle(rig: Rig) -> None:
    settles(lambda: len(rig.workers) == rig.worker_count, AWAY)


# -- broken configurations


@dataclass(frozen=True, slots=True)
class Broken:
    """One way to break a configuration.

    `told` is what the error says, as a pattern: where a line is at fault, which one. `whole`: the lines take the place of the whole
    `httpd.conf`; None for a folder that stands there.
    """

    name: str
    lines: str | None
    told: str = r"line \d+ of \S*case\.conf|case\.conf:\d+"
    whole: bool = False


#: `{taken}` is a port that somebody else listens on.
BROKEN = (
    Broken("an unknown directive", "Bogus on\n"),
    Broken("a section without end", "<Directory /tmp>\n"),
    Broken("a file that is not there", 'Include "{root}/conf/nowhere.conf"\n'),
    Broken("a key that is not there", 'SSLCertificateKeyFile "{root}/conf/nowhere.key"\n'),
    Broken("a bad pattern", 'AliasMatch "^/x(" "{root}/htdocs"\n'),
    Broken("a module that is not there", "LoadModule nothing_module modules/mod_nothing.so\n"),
    Broken("a port that is taken", "Listen 127.0.0.1:{taken}\n"),
    Broken("no folder for a log", 'ErrorLog "{root}/nowhere/error.log"\n'),
    Broken("an empty file", "", "No MPM loaded|no listening sockets", whole=True),
    Broken("a folder in the file's place", None, r"open configuration file \S*httpd\.conf", whole=True),
    Broken("files that include each other", 'Include "{root}/conf/case.conf"\n'),
    Broken("the same address twice", "Listen 127.0.0.1:{port}\n"),
)
HOWS = ("-k graceful", "USR1", "HUP")


@fault(
    "F4",
    "reloads of broken configurations",
    Bar("tried"),
    Bar("not served on by the same workers", most=0),
    Bar("not told where", most=0),
    Bar("-k graceful without exit status 1", most=0),
    Bar("failed", most=0),
)
def broken_reloads(stage: Stage) -> Figures:
    """Twelve configurations that are broken in different ways, each tried with `-k graceful`, with a bare USR1, and with HUP, under load
    (short: each with one of them).
    """
    names = ("tried", "not served on by the same workers", "not told where", "-k graceful without exit status 1")
    figures = dict.fromkeys(names, 0.0)
    with Rig(stage.server) as rig, socket.create_server(("127.0.0.1", 0)) as other, rig.load(rate=50) as load:
        for number, broken in enumerate(BROKEN):
            for how in HOWS if stage.is_long else (HOWS[number % 3],):
                _try(rig, broken, how, str(other.getsockname()[1]), figures)
    figures["failed"] = load.report.failed
    return figures


def _try(rig: Rig, broken: Broken, how: str, taken: str, figures: dict[str, float]) -> None:
    """One configuration, one way of asking for it; a server that went down is started anew."""
    told = re.compile(broken.told)
    with _broken(rig, broken, taken):
        workers, seen = rig.workers, len(rig.site.log())
        said = ""
        if how == "-k graceful":
            done = rig.control("graceful")
            said = done.stdout + done.stderr
            figures["-k graceful without exit status 1"] += done.returncode != 1
        else:
            rig.signal(Signals.SIGUSR1 if how == "USR1" else Signals.SIGHUP)
        settles(lambda: bool(told.search(said + rig.site.log()[seen:])), 5)
        # One that goes down because of it needs a moment for that.
        time.sleep(0.3)
        figures["tried"] += 1
        figures["not told where"] += not told.search(said + rig.site.log()[seen:])
        figures["not served on by the same workers"] += rig.workers != workers or rig.ask() != 200
    if rig.ask() != 200:
        rig.site.stop()
        rig.start()


@contextmanager
def _broken(rig: Rig, broken: Broken, taken: str) -> Iterator[None]:
    """The rig's configuration, broken for as long as this lasts."""
    lines = None if broken.lines is None else broken.lines.replace("{taken}", taken)
    main = rig.path("conf/httpd.conf")
    kept = main.read_bytes()
    if lines is None:
        main.unlink()
        main.mkdir()
    elif broken.whole:
        main.write_text(lines)
    else:
        rig.add_lines(lines)
    try:
        yield
    finally:
        if main.is_dir():
            main.rmdir()
        main.write_bytes(kept)
        rig.add_lines("")


# -- requests that hang


@fault(
    "F5",
    "reloads while requests hang",
    Bar("reloads"),
    Bar("failed", most=0),
    Bar("processes, times the workers", most=3),
    Bar("old generations gone", "s", most=35),
    Bar("longest stall", "ms", timed=True),
)
def reloads_while_requests_hang(stage: Stage) -> Figures:
    """Two requests in every worker hang for good, and two more after every reload; 20 reloads, one a second (short: 4), with
    `GracefulShutdownTimeout 3` in the short form and nothing said in the long one.
    """
    config = "" if stage.is_long else "GracefulShutdownTimeout 3\n"
    with Rig(stage.server, config=config) as rig, Herd(rig.site.port) as herd:
        count, most = stage.pick(4, 20), 0
        herd.join(2 * rig.worker_count, get("/hang"))
        with rig.load(patience=5.0) as load:
            for _ in range(count):
                rig.signal(Signals.SIGUSR1)
                herd.graze(0.5)
                herd.join(2, get("/hang"))
                herd.graze(0.5)
                most = max(most, len(rig.workers))
            gone = settles(lambda: len(rig.workers) <= rig.worker_count, 40)
        return {
            "reloads": count,
            "failed": load.report.failed,
            "processes, times the workers": most / rig.worker_count,
            "old generations gone": gone,
            "longest stall": load.report.slowest_ms,
        }
