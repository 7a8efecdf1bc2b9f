"""Replay on equals replay off: two servers over the same files are asked the same, and must answer the same bytes. The one without
replay remembers nothing at all from one request to the next, so that it is right about what it finds on disk.

A state machine makes a random configuration with random files, then asks and changes in random order. The date aside, the two answers
must be equal byte for byte, and so must what becomes of the connection, and in the end the access and error logs. Both are asked at the
same moment of one wall clock, which stands still meanwhile and jumps now and then: an answer may depend on the time, and so no
difference is ever put down to it. Now and then a server that was started just now is asked too, for whatever else the two may have kept.

    python -m fuzz.equivalence --steps 100000
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from coachwhip.connection import tally
from coachwhip.request import files as file_layer
from coachwhip.testing.inside import Inside, Line
from fuzz import sites

__all__ = ["Equivalence", "Tally", "search"]

STEPS_PER_SITE = 60
#: What remembers all that it drew is given up after so many.
STEPS_AT_ONCE = 6_000
#: Half of the kernel's own tick and more: sites would else have to rest between changes for most of the time.
TICK = 0.012
#: Modification times: long past, a little past, and just now.
TIMES = (1_600_000_000, 1_600_000_060, None)
#: Seconds to jump: to either side of what makes a tag or a date a strong one, and far.
JUMPS = (0.5, 1.0, 1.5, 61.0, 86_400.0)
_DATE = re.compile(rb"\r\nDate: [^\r\n]*")
_ETAG = re.compile(rb"\r\nETag: ([^\r\n]*)")
_MODIFIED = re.compile(rb"\r\nLast-Modified: ([^\r\n]*)")

#: What may stand in a virtual host.
_OF_HOSTS = [
    *sites.HOST,
    *[line for line in sites.SERVER if not line.startswith(("ReplayMemory", "LimitRequest", "RegisterHttpMethod", "ServerTokens"))],
]
_FILES = st.lists(st.sampled_from(sites.FILES), min_size=8, max_size=30, unique=True)
#: Folders that change places.
_PAIRS = (("htdocs/d0", "htdocs/d1"), ("beside/x", "beside/y"), ("htdocs/d0/sub", "htdocs/d0/deep"), ("htdocs", "beside/x"))

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Tally:
    """How much was asked in all, and how much of it was answered by replay."""

    asked = 0
    hits = 0
    #: Those of the replays that went the shortest way: what they say and log had been made ready by one before.
    ready = 0
    sites = 0
    newcomers = 0
    changes = 0
    volatile: dict[str, int] = {}  # noqa: RUF012 -- one tally for the whole run


class WallClock:
    """Stands in for `time.time`. It stands still but for `go_on`, and may be ahead of the system's."""

    def __init__(self) -> None:
        self._real = time.time
        self._ahead = 0.0
        self._now = self._real()

    def __call__(self) -> float:
        return self._now

    def go_on(self) -> None:
        """Show the time that it is now."""
        self._now = self._real() + self._ahead

    def jump(self, seconds: float) -> None:
        """Be ahead by this much more."""
        self._set_ahead(self._ahead + seconds)

    def return_to_the_system(self) -> None:
        """Be no longer ahead."""
        self._set_ahead(0.0)

    def _set_ahead(self, seconds: float) -> None:
        self._ahead = seconds
        # The file system has its own clock, and must not seem to have ticked.
        file_layer.TICK = TICK + seconds
        self.go_on()


CLOCK = WallClock()
#: How many replays of each server at hand were logged the longer way.
LOGGED: Counter[tally.Tally] = Counter()
_LOG = tally.Tally.log


@st.composite
def configurations(draw: Draw) -> str:
    """What follows the base: lines of the server, sections, virtual hosts."""
    lines = draw(st.lists(st.sampled_from(sites.SERVER), max_size=6))
    override = draw(st.sampled_from(("All", "All", "None", "FileInfo Indexes", "AuthConfig Options")))
    options = draw(st.sampled_from(("FollowSymLinks Indexes MultiViews", "FollowSymLinks", "SymLinksIfOwnerMatch Indexes", "None")))
    lines.append(f"<Directory {{root}}>\nAllowOverride {override}\nOptions {options}\nRequire all granted\n</Directory>")
    lines += draw(st.lists(_sections(), max_size=3))
    for name in draw(st.sets(st.sampled_from(("a.test", "b.test")))):
        own = draw(st.lists(st.sampled_from(_OF_HOSTS), max_size=3))
        own += draw(st.lists(_sections(), max_size=1))
        root = draw(st.sampled_from(("htdocs", "htdocs/d1", "beside")))
        lines.append("\n".join(("<VirtualHost *:*>", f"ServerName {name}", f"DocumentRoot {{root}}/{root}", *own, "</VirtualHost>")))
    return "\n".join(lines) + "\n"


@st.composite
def _sections(draw: Draw) -> str:
    begin, end = draw(st.sampled_from(sites.SECTIONS))
    kind = begin[1:].partition(" ")[0]
    lines = draw(st.lists(st.sampled_from([line for line in sites.HTACCESS if _may_stand(line, kind)]), min_size=1, max_size=2))
    return "\n".join((begin, *lines, end))


def _may_stand(line: str, kind: str) -> bool:
    if line == "NoSuchDirective":
        return False
    if kind in ("Files", "FilesMatch", "If") and line.startswith(("<Files", "Options", "FallbackResource")):
        return False
    return not (kind in ("Location", "LocationMatch", "If") and line.startswith(("<Files", "<If")))


@st.composite
def requests(draw: Draw) -> tuple[str, list[str]]:
    """Request line and field lines; `{etag}` and `{date}` stand for those of an answer that came before."""
    method = draw(st.sampled_from(("GET",) * 12 + ("HEAD",) * 3 + ("OPTIONS", "POST", "TRACE", "get")))
    version = draw(st.sampled_from(("HTTP/1.1",) * 8 + ("HTTP/1.0",) * 2))
    fields: list[str] = []
    host = draw(st.sampled_from(("localhost",) * 8 + sites.HOSTS))
    if host is not None:
        fields.append(f"Host: {host}")
    for name in draw(st.lists(st.sampled_from(tuple(sites.FIELDS)), max_size=3, unique=True)):
        fields.append(f"{name}: {draw(st.sampled_from(sites.FIELDS[name]))}")
    if draw(st.integers(0, 14)) == 0:
        fields.append(draw(st.sampled_from(sites.ODD_FIELDS)))
    return f"{method} {draw(st.sampled_from(sites.PATHS))} {version}", fields


class Side:
    """One of the two servers, with the connection at hand."""

    def __init__(self, root: str, config: str, name: str, *, remembers: bool) -> None:
        self.server = Inside(root, config.replace("{side}", name).replace("{root}", root), file=f"{name}.conf")
        self.line: Line | None = None
        self._remembers = remembers

    def ask(self, data: bytes) -> tuple[bytes, bool]:
        """The answer without its date, and whether the connection ended."""
        if self.line is None:
            self.line = self.server.line()
        if not self._remembers:
            self.server.instance.pipeline.walks.entered.clear()
            self.server.instance.pipeline.htaccess.forget()
        answer = self.line.ask(data)
        over = self.line.ended or b"\r\nConnection: close\r\n" in answer or self.line.is_over()
        if over:
            self.hang_up()
        return _DATE.sub(b"", answer, count=1), over

    def hang_up(self) -> None:
        """Let the next question have a connection of its own."""
        if self.line is not None:
            self.line.close()
            self.line = None

    def close(self) -> None:
        """End the server."""
        self.hang_up()
        self.server.close()


#: Between two changes some answers have to be given again.
changes = precondition(lambda machine: machine.since_change >= 10)


class Equivalence(RuleBasedStateMachine):
    """One site, served with replay and without."""

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.mkdtemp(prefix="coachwhip-fuzz-")
        self.sides: tuple[Side, ...] = ()
        self.etag, self.date = '"none"', "Sun, 06 Nov 1994 08:49:37 GMT"
        self.past: list[bytes] = []
        self.config = ""
        self.since_change = 0

    # -- the site

    @initialize(config=configurations(), picked=_FILES, data=st.data())
    def begin(self, config: str, picked: list[str], data: st.DataObject) -> None:
        """Make files and both servers."""
        CLOCK.return_to_the_system()
        for folder in sites.FOLDERS:
            os.makedirs(f"{self.root}/{folder}")
        self._put("mime.types", b"text/html html\ntext/plain txt\n", 0)
        self._put("magic", b"0 string < text/x-magic\n0 string short text/plain\n", 0)
        self._put("beside/users", sites.USERS[0], 0)
        self._put("beside/groups", sites.GROUPS[0], 0)
        for path in picked:
            self._put(path, data.draw(st.sampled_from(sites.CONTENTS)), 0)
        for folder in data.draw(st.lists(st.sampled_from(sites.FOLDERS[:3]), max_size=2)):
            self._put(f"{folder}/.htaccess", self._htaccess(data), 0)
        self.config = config
        self.sides = (self._side("on"), self._side("off", "Replay Off\n", remembers=False))
        Tally.sites += 1
        time.sleep(0.02)

    def _side(self, name: str, more: str = "", *, remembers: bool = True) -> Side:
        return Side(self.root, sites.BASE + self.config + more, name, remembers=remembers)

    def _put(self, path: str, content: bytes, when: int) -> None:
        full = f"{self.root}/{path}"
        with open(full, "r+b" if os.path.exists(full) else "wb") as file:
            file.write(content)
            file.truncate()
        self._date(full, when)

    def _date(self, full: str, when: int) -> None:
        moment = TIMES[when]
        if moment is not None:
            os.utime(full, (moment, moment))

    def _htaccess(self, data: st.DataObject) -> bytes:
        lines = data.draw(st.lists(st.sampled_from(sites.HTACCESS), min_size=1, max_size=2))
        return ("\n".join(lines) + "\n").replace("{root}", self.root).encode()

    # -- asking

    @rule(some=st.lists(requests(), min_size=1, max_size=4), times=st.sampled_from((1, 3, 4)))
    def ask(self, some: list[tuple[str, list[str]]], times: int) -> None:
        """Ask something new, some times."""
        for line, fields in some:
            text = "\r\n".join((line, *fields, "", "")).replace("{etag}", self.etag).replace("{date}", self.date)
            body = b"0\r\n\r\n" if "chunked" in text else b""
            self.past.append(text.encode("latin-1") + body)
            for _ in range(times):
                self._compare(self.past[-1])

    @precondition(lambda self: self.past)
    @rule(which=st.lists(st.integers(0, 30), min_size=1, max_size=6), times=st.sampled_from((1, 2, 3)))
    def ask_again(self, which: list[int], times: int) -> None:
        """Ask what was asked before."""
        for number in which:
            for _ in range(times):
                self._compare(self.past[-1 - number % len(self.past)])

    @precondition(lambda self: self.past)
    @rule(
        which=st.lists(st.integers(0, 30), min_size=1, max_size=4),
        name=st.sampled_from(("User-Agent", "Cookie", "Referer", "X-Other")),
        data=st.data(),
    )
    def ask_in_disguise(self, which: list[int], name: str, data: st.DataObject) -> None:
        """Ask what was asked before with other values of a field that decides little, or nothing."""
        for number in which:
            known = self.past[-1 - number % len(self.past)]
            head, empty, body = known.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(name.lower().encode() + b":")]
            for value in data.draw(st.lists(st.sampled_from(sites.FIELDS[name]), min_size=2, max_size=3)):
                for _ in range(2):
                    self._compare(b"\r\n".join((*lines, f"{name}: {value}".encode("latin-1"))) + empty + body)

    @precondition(lambda self: self.past)
    @rule(pause=st.sampled_from((0.0, 0.015)), which=st.lists(st.integers(0, 30), min_size=1, max_size=6))
    def settle(self, pause: float, which: list[int]) -> None:
        """Let the time stamps of files grow old, then ask."""
        time.sleep(pause)
        self.ask_again(which, 3)

    @precondition(lambda self: self.past)
    @rule(seconds=st.sampled_from(JUMPS), which=st.lists(st.integers(0, 30), min_size=1, max_size=6))
    def grow_older(self, seconds: float, which: list[int]) -> None:
        """Let time pass for whatever depends on it, then ask."""
        CLOCK.jump(seconds)
        self.ask_again(which, 3)

    @rule()
    def hang_up(self) -> None:
        """Close the connection."""
        for side in self.sides:
            side.hang_up()

    @precondition(lambda self: self.past)
    @rule(which=st.lists(st.integers(0, 30), min_size=1, max_size=8))
    def ask_a_newcomer(self, which: list[int]) -> None:
        """Ask a server that was never asked before, too."""
        self._ask_a_newcomer([self.past[-1 - number % len(self.past)] for number in which])

    def _ask_a_newcomer(self, some: list[bytes]) -> None:
        Tally.newcomers += 1
        newcomer = self._side("new")
        try:
            for data in some:
                self.hang_up()
                expected = self._compare(data)
                found = newcomer.ask(data)
                if found != expected:
                    raise AssertionError(self._difference(f"a server started just now, asked {data!r}", expected, found))
                newcomer.hang_up()
        finally:
            newcomer.close()

    def _compare(self, data: bytes) -> tuple[bytes, bool]:
        CLOCK.go_on()
        found, expected = (side.ask(data) for side in self.sides)
        Tally.asked += 1
        self.since_change += 1
        if found != expected:
            raise AssertionError(self._difference(f"asked {data!r}", found, expected))
        tag, date = _ETAG.search(expected[0]), _MODIFIED.search(expected[0])
        self.etag = tag[1].decode("latin-1") if tag is not None else self.etag
        self.date = date[1].decode("latin-1") if date is not None else self.date
        return expected

    # -- changing

    @changes
    @rule(path=st.sampled_from(sites.FILES), content=st.sampled_from(sites.CONTENTS), when=st.integers(0, 2))
    def write(self, path: str, content: bytes, when: int) -> None:
        """Write a file in place, or make it."""
        self._change(lambda: self._put(path, content, when))

    @changes
    @rule(path=st.sampled_from(sites.FILES), content=st.sampled_from(sites.CONTENTS), when=st.integers(0, 2))
    def replace(self, path: str, content: bytes, when: int) -> None:
        """Write beside, and rename."""

        def do() -> None:
            self._put(path + ".tmp", content, when)
            os.rename(f"{self.root}/{path}.tmp", f"{self.root}/{path}")

        self._change(do)

    @changes
    @rule(path=st.sampled_from(sites.FILES + sites.LINKS))
    def remove(self, path: str) -> None:
        """Remove a file or a link."""
        self._change(lambda: os.unlink(f"{self.root}/{path}"))

    @changes
    @rule(folder=st.sampled_from((*sites.FOLDERS, "htdocs", "htdocs/d0")), data=st.data())
    def configure(self, folder: str, data: st.DataObject) -> None:
        """Write a `.htaccess`, or remove it, and ask for what lies below it."""
        if data.draw(st.booleans()):
            content = self._htaccess(data)
            self._change(lambda: self._put(f"{folder}/.htaccess", content, 0))
        else:
            self._change(lambda: os.unlink(f"{self.root}/{folder}/.htaccess"))
        url = f"{folder.removeprefix('htdocs')}/".encode()
        below = [asked for asked in dict.fromkeys(self.past) if asked.split(b" ")[1].startswith(url)]
        if below:
            self._ask_a_newcomer(below[-5:])

    @changes
    @rule(link=st.sampled_from(sites.LINKS), at=st.sampled_from(sites.TARGETS))
    def point(self, link: str, at: str) -> None:
        """Let a link point elsewhere."""

        def do() -> None:
            os.symlink(at.replace("{root}", self.root), f"{self.root}/{link}.tmp")
            os.rename(f"{self.root}/{link}.tmp", f"{self.root}/{link}")

        self._change(do)

    @changes
    @rule(pair=st.sampled_from(_PAIRS))
    def swap(self, pair: tuple[str, str]) -> None:
        """Two folders change places."""
        one, other = (f"{self.root}/{name}" for name in pair)

        def do() -> None:
            os.rename(one, one + ".tmp")
            os.rename(other, one)
            os.rename(one + ".tmp", other)

        self._change(do)

    @changes
    @rule(users=st.sampled_from(sites.USERS), groups=st.sampled_from(sites.GROUPS))
    def let_in(self, users: bytes, groups: bytes) -> None:
        """Edit the password and group files."""

        def do() -> None:
            self._put("beside/users", users, 0)
            self._put("beside/groups", groups, 0)

        self._change(do)

    def _change(self, do: Callable[[], None]) -> None:
        Tally.changes += 1
        self.since_change = 0
        try:
            do()
        except OSError:
            # Nothing there to change, or no place for it: also a state of the files.
            return

    # -- the end

    def teardown(self) -> None:
        """The logs must be the same too."""
        try:
            if self.sides:
                self._close()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def _close(self) -> None:
        server = self.sides[0].server
        Tally.hits += server.hits
        Tally.ready += server.hits - LOGGED[server.worker.hot.tally]
        LOGGED.clear()
        for reason, count in server.replay.counters.volatile.items():
            Tally.volatile[reason] = Tally.volatile.get(reason, 0) + count
        for side in self.sides:
            side.close()
        for log in ("access", "error", *(["more"] if "-more.log" in self.config else [])):
            on, off = (self._log(f"{side}-{log}.log") for side in ("on", "off"))
            if log == "error":
                # Requests on worker threads may overtake each other.
                on, off = sorted(on), sorted(off)
            if on != off:
                first = next((pair for pair in zip(on, off, strict=False) if pair[0] != pair[1]), (on[len(off) :], off[len(on) :]))
                raise AssertionError(self._difference(f"{log} log differs", *first))

    def _difference(self, where: str, on: object, off: object) -> str:
        return f"{where}\nwith replay    {on!r}\nwithout replay {off!r}\nconfiguration:\n{self.config}"

    def _log(self, name: str) -> list[str]:
        with open(f"{self.root}/{name}", encoding="latin-1") as file:
            return file.read().split("\n")


def _log(kept: tally.Tally, *about: Any, **more: Any) -> None:
    LOGGED[kept] += 1
    _LOG(kept, *about, **more)


def search(steps: int, *, derandomize: bool = False, shrink: bool = False) -> None:
    """Take about this many steps. Raises AssertionError at the first difference; `shrink`: by the shortest way there."""
    with mock.patch.object(time, "time", CLOCK), mock.patch.object(file_layer, "TICK", TICK), mock.patch.object(tally.Tally, "log", _log):
        run_state_machine_as_test(
            Equivalence,
            settings=settings(
                max_examples=max(steps // STEPS_PER_SITE, 1),
                stateful_step_count=STEPS_PER_SITE,
                deadline=None,
                derandomize=derandomize,
                database=None,
                phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.equivalence", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="how many requests and changes (default 100000)")
    parser.add_argument("--shrink", action="store_true", help="look for the shortest way to a difference")
    asked = parser.parse_args()
    for begun in range(0, asked.steps, STEPS_AT_ONCE):
        steps = min(STEPS_AT_ONCE, asked.steps - begun)
        try:
            search(steps, shrink=asked.shrink)
        finally:
            _report(begun + steps)
    print("no difference")
    return 0


def _report(steps: int) -> None:
    volatile = dict(sorted(Tally.volatile.items(), key=lambda item: -item[1])[:12])
    print(
        f"{steps} steps: {Tally.sites} sites and {Tally.newcomers} newcomers, {Tally.asked} requests, {Tally.changes} changes, "
        f"{Tally.hits} replays, {Tally.ready} of them ready; not kept: {volatile}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main())
