"""Replay: finished answers kept as bytes, found by one look-up, given again while nothing they were made from has changed.

An answer is kept only if its record says that every input was recorded. It is found by its *key* (local address, request line, host)
and then by the values of exactly those header fields that were read for that key. It is valid while the recorded files are unchanged
when the request arrives: `Watcher` says so, or one `stat` per path where it cannot. Bounded in bytes, entries and variants; an
answer is kept when it is asked for the second time, so that requests that never come back cost nothing.

Knows no sockets. Taking a head apart is the business of `connection/hot.py`.
"""

from __future__ import annotations

import os
import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from coachwhip.api.buckets import Brigade, Data, File
from coachwhip.api.log import LogPlan
from coachwhip.api.record import LogLine, Look, Record
from coachwhip.api.replay import ReplayDir
from coachwhip.api.request import Request
from coachwhip.request.files import is_settled_time, signature
from coachwhip.request.reply import Reply
from coachwhip.request.watch import Watcher

__all__ = ["Counters", "Entry", "Replay", "Spec", "Table"]

#: Statuses that may be replayed.
STATUSES = frozenset({200, 206, 300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 406, 410, 416})
#: Seconds after which even a watched file is asked again: a write through a memory mapping raises no event.
RECHECK = 1.0
#: The most specs (request line and host) of one address.
MAX_SPECS = 20_000

Looks = dict[tuple[str, Look], Any]


@dataclass(slots=True, eq=False)
class Entry:
    """One kept answer."""

    head: bytes
    body: bytes
    #: Sent behind the head in place of a body in memory.
    file: File | None
    request: Request
    files: Looks
    spec: Spec
    variant: tuple[str | None, ...]
    size: int
    log: tuple[LogLine, ...]
    close: bool
    #: True: the watcher vouches for the files between rechecks.
    watched: bool = False
    #: Monotonic second at which the files are asked again; 0 for every time.
    recheck: float = 0.0
    alive: bool = True
    #: The whole answer with the date of the second `stamp`.
    wire: bytes = b""
    stamp: bytes = b""

    #: How its replays are logged; None until the first of them.
    plans: tuple[LogPlan, ...] | None = None
    #: Where the number of requests left stands in `Keep-Alive`, if the head has that field: start and end.
    left: tuple[int, int] | None = None

    def wire_for(self, stamp: bytes, left: int) -> bytes:
        """Head (and body, if it is in memory) with this date, and this many requests left on the connection."""
        if self.stamp is not stamp:
            at = self.head.index(b"Date: ") + 6
            self.wire = b"".join((self.head[:at], stamp, self.head[at + 29 :], self.body))
            self.stamp = stamp
        if self.left is None:
            return self.wire
        start, end = self.left
        return b"%b%d%b" % (self.wire[:start], left, self.wire[end:])


_LEFT = re.compile(rb"\r\nKeep-Alive: timeout=[0-9]+, max=([0-9]+)\r\n")


@dataclass(slots=True, eq=False)
class Spec:
    """What is known of one request line and host: which fields its answers depend on, and the answers."""

    #: Lower-case names, sorted; `connection` is always one.
    headers: tuple[str, ...] = ("connection",)
    by_client: bool = False
    entries: dict[tuple[str | None, ...], Entry] = field(default_factory=dict)
    #: Variants seen once, waiting for their second time.
    seen: OrderedDict[tuple[str | None, ...], None] = field(default_factory=OrderedDict)

    def variant(self, fields: dict[str, str], client: str) -> tuple[str | None, ...]:
        """What tells the answers apart, for these fields and this client."""
        values = tuple(map(fields.get, self.headers))
        return (*values, client) if self.by_client else values


@dataclass(slots=True, eq=False)
class Table:
    """The specs of one local address."""

    max_fields: int
    #: Raw heads → hits; owned by the hot path.
    raw: dict[bytes, Any] = field(default_factory=dict)
    specs: OrderedDict[tuple[bytes, str | None], Spec] = field(default_factory=OrderedDict)

    def find(self, line: bytes, host: str | None) -> Spec | None:
        """The spec of a request line and host, if there is one."""
        return self.specs.get((line, host))

    def at(self, line: bytes, host: str | None) -> Spec:
        """The same, made if need be."""
        spec = self.specs.get((line, host))
        if spec is None:
            while len(self.specs) >= MAX_SPECS:
                self._lose_one()
            spec = self.specs[line, host] = Spec()
        return spec

    def _lose_one(self) -> None:
        """Forget the oldest spec; one with answers goes to the end of the queue once its answers are gone."""
        key, spec = self.specs.popitem(last=False)
        if spec.entries:
            self.specs[key] = spec
            oldest = next((k for k, s in self.specs.items() if not s.entries), None)
            if oldest is not None:
                del self.specs[oldest]
            else:
                del self.specs[key]


@dataclass(slots=True)
class Counters:
    """For `server-status`."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    stale: int = 0
    volatile: dict[str, int] = field(default_factory=dict)


class Replay:
    """The answers kept by one worker."""

    def __init__(self, memory_limit: int) -> None:
        #: `ReplayMemory`, bytes.
        self.memory_limit = memory_limit
        self.counters = Counters()
        self.memory = 0
        self._tables: dict[tuple[str, int, bool], Table] = {}
        self._lru: OrderedDict[Entry, None] = OrderedDict()
        self.watcher = Watcher(self._touched, self.clear)

    def table(self, ip: str, port: int, is_tls: bool, max_fields: int) -> Table:
        """The specs of a local address."""
        key = (ip, port, is_tls)
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = Table(max_fields)
        return found

    # -- finding

    def is_fresh(self, entry: Entry, now: float) -> bool:
        """Ask the files of an entry, whose time to be asked has come. `now`: monotonic seconds."""
        if not entry.alive:
            return False
        if _unchanged(entry.files):
            if entry.watched:
                entry.recheck = now + RECHECK
            return True
        self.counters.stale += 1
        self.drop(entry)
        return False

    # -- keeping

    def keep(self, table: Table, line: bytes, fields: dict[str, str], client: str, reply: Reply) -> tuple[str, ...]:
        """Keep an answer if it may be kept and was asked for before. Returns the names that its key depends on."""
        r = reply.request
        record = r.record
        conf = r.config(ReplayDir)
        if not conf.on or not self.memory_limit:
            self._note("Replay Off")
            return ()
        if record.volatile is not None:
            self._note(record.volatile)
            return ()
        if r.status not in STATUSES or "*" in record.headers or (reply.whole is None and reply.body is not None):
            self._note("body made while it is sent" if reply.whole is None else "status or headers")
            return ()
        spec = table.at(line, fields.get("host"))
        self._learn(spec, record)
        if not all(name in fields or _is_absent(r, name) for name in spec.headers):
            # The fields at hand lack one that only now turns out to matter; the next request will have it.
            return spec.headers
        variant = spec.variant(fields, client)
        if variant in spec.entries:
            return spec.headers
        if variant not in spec.seen:
            spec.seen[variant] = None
            while len(spec.seen) > conf.variants:
                spec.seen.popitem(last=False)
            return spec.headers
        del spec.seen[variant]
        self._admit(spec, variant, reply, conf)
        return spec.headers

    def _note(self, reason: str) -> None:
        self.counters.volatile[reason] = self.counters.volatile.get(reason, 0) + 1

    def _learn(self, spec: Spec, record: Record) -> None:
        """A field read for the first time under this key makes all that was kept without it ambiguous: drop it."""
        headers = tuple(sorted({*spec.headers, *record.headers}))
        by_client = spec.by_client or "client_ip" in record.facts
        if headers == spec.headers and by_client == spec.by_client:
            return
        for entry in list(spec.entries.values()):
            self.drop(entry)
        spec.headers, spec.by_client = headers, by_client
        spec.seen.clear()

    def _admit(self, spec: Spec, variant: tuple[str | None, ...], reply: Reply, conf: ReplayDir) -> None:
        found = _content(reply.whole or [], conf.max_body) if reply.body is not None else (b"", None)
        if found is None:
            self._note("body too large")
            return
        body, file = found
        r = reply.request
        files = dict(r.record.files)
        size = len(reply.head) + 2 * len(body) + 2000
        entry = Entry(reply.head, body, file, r, files, spec, variant, size, tuple(r.record.log), reply.close)
        count = _LEFT.search(reply.head)
        entry.left = count.span(1) if count is not None else None
        entry.watched = self.watcher.watch(entry, [(path, look is Look.LIST) for path, look in files])
        # What changed between the look and the watch was seen by neither: ask once more.
        if not _unchanged(files) or not all(is_settled_time(seen) for seen in files.values()):
            self.watcher.forget(entry)
            return
        if entry.watched:
            entry.recheck = time.monotonic() + RECHECK
        while len(spec.entries) >= conf.variants:
            self.counters.evictions += 1
            self.drop(next(iter(spec.entries.values())))
        spec.entries[variant] = entry
        self._lru[entry] = None
        self.memory += size
        while self.memory > self.memory_limit and len(self._lru) > 1:
            self.counters.evictions += 1
            self.drop(next(iter(self._lru)))

    # -- losing

    def _touched(self, key: object) -> None:
        if isinstance(key, Entry):
            self.counters.stale += 1
            self.drop(key)

    def drop(self, entry: Entry) -> None:
        """Forget an entry."""
        if not entry.alive:
            return
        entry.alive = False
        entry.recheck = 0.0
        self.memory -= entry.size
        self._lru.pop(entry, None)
        self.watcher.forget(entry)
        if entry.spec.entries.get(entry.variant) is entry:
            del entry.spec.entries[entry.variant]

    def clear(self) -> None:
        """Forget everything (the queue of changes ran over)."""
        for entry in list(self._lru):
            self.drop(entry)


def _is_absent(r: Request, name: str) -> bool:
    """Whether the request came without this field."""
    return not any(n.lower() == name for n, _ in r.raw_headers)


def _content(whole: Brigade, limit: int) -> tuple[bytes, File | None] | None:
    """A body in memory, or the one file that it is; None if it is too large and more than one file."""
    size = sum(len(bucket) for bucket in whole if isinstance(bucket, (Data, File)))
    if size <= limit:
        try:
            return b"".join([bucket.read() if isinstance(bucket, File) else bucket.data for bucket in whole if isinstance(bucket, (Data, File))]), None
        except OSError:
            return None
    if len(whole) == 1 and isinstance(whole[0], File):
        return b"", whole[0]
    return None


def _unchanged(files: dict[tuple[str, Look], Any]) -> bool:
    """Whether every look would see the same again."""
    for (path, look), seen in files.items():
        try:
            found: Any = signature(os.stat(path, follow_symlinks=look is not Look.LSTAT))
        except OSError as error:
            found = error.errno
            if seen is None and found in (2, 20):
                continue
        if found != seen:
            return False
    return True
