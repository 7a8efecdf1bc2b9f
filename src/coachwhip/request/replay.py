"""Replay: finished answers kept as bytes, found by one look-up, given again while nothing they were made from has changed.

An answer is kept only if its record says that every input was recorded. It is found by its *key* (local address, request line, host)
and then by the values of exactly those header fields that were read for that key. It is valid while the recorded files are unchanged
when the request arrives: `Watcher` says so, or one `stat` per path where it cannot. Bounded in bytes, entries and variants; an
answer is kept when it is asked for the second time, so that requests that never come back cost nothing.

Knows no sockets. The look-up by raw bytes is in `connection/hot.py`.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from coachwhip.api.buckets import File
from coachwhip.api.record import Look, Record
from coachwhip.api.request import Request
from coachwhip.request.files import signature
from coachwhip.request.reply import Reply
from coachwhip.request.watch import Watcher

__all__ = ["Entry", "Key", "Limits", "Replay", "Variant"]

#: Statuses that may be replayed.
STATUSES = frozenset({200, 206, 300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 406, 410, 416})
#: Seconds after which even a watched file is asked again: a write through a memory mapping raises no event.
RECHECK = 1.0

#: (local address, TLS, request line, host)
Key = tuple[Any, ...]
#: Values of the header fields that count for a key, and of the facts that do.
Variant = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """`ReplayMemory`, `ReplayMaxBody` (bytes) and `ReplayVariants`."""

    memory: int = 64 << 20
    max_body: int = 256 << 10
    variants: int = 64


@dataclass(slots=True, eq=False)
class Entry:
    """One kept answer."""

    #: The head around its date, up to the fields that differ by connection.
    head: bytes
    #: The whole body, or None where `file` is sent behind the head.
    body: bytes
    file: File | None
    status: int
    #: What the log hooks need to see: the request that made it.
    request: Request
    files: dict[tuple[str, Look], Any]
    key: Key
    variant: Variant
    size: int
    #: True: the watcher vouches for the files between rechecks.
    watched: bool = False
    checked: float = 0.0
    alive: bool = True
    hits: int = 0


@dataclass(slots=True)
class _Spec:
    """What is known of one key."""

    #: Header fields that were read for answers of this key, sorted.
    headers: tuple[str, ...] = ()
    #: Whether the client's address was read.
    by_client: bool = False
    entries: dict[Variant, Entry] = field(default_factory=dict)
    #: Variants seen once, waiting for their second time.
    seen: OrderedDict[Variant, None] = field(default_factory=OrderedDict)


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

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.counters = Counters()
        self.memory = 0
        self._specs: OrderedDict[Key, _Spec] = OrderedDict()
        self._lru: OrderedDict[Entry, None] = OrderedDict()
        self.watcher = Watcher(self._touched, self.clear)

    # -- finding

    def is_settled(self) -> bool:
        """Let changes that have happened take effect. True if there were none."""
        if not self.watcher.is_available or self.watcher.is_quiet():
            return True
        self.watcher.look()
        return False

    def is_fresh(self, entry: Entry, now: float) -> bool:
        """Whether an entry may be given again. `now`: monotonic seconds. Call `is_settled` first."""
        if not entry.alive:
            return False
        if entry.watched and now - entry.checked < RECHECK:
            return True
        if _unchanged(entry.files):
            entry.checked = now
            return True
        self.counters.stale += 1
        self.drop(entry)
        return False

    # -- keeping

    def keep(self, key: Key, headers: dict[str, str], client: str, reply: Reply, body: bytes, file: File | None) -> Entry | None:
        """Keep an answer if it may be and if it has been asked for before. `headers`: lower-case names to values."""
        r = reply.request
        record = r.record
        if record.volatile is not None:
            self.counters.volatile[record.volatile] = self.counters.volatile.get(record.volatile, 0) + 1
            return None
        if r.status not in STATUSES or "*" in record.headers or len(body) > self.limits.max_body:
            return None
        spec = self._spec(key)
        self._learn(spec, record)
        variant = variant_of(spec.headers, spec.by_client, headers, client)
        if variant in spec.entries:
            return spec.entries[variant]
        if variant not in spec.seen:
            spec.seen[variant] = None
            while len(spec.seen) > self.limits.variants:
                spec.seen.popitem(last=False)
            return None
        del spec.seen[variant]
        return self._admit(key, spec, variant, reply, body, file)

    def _spec(self, key: Key) -> _Spec:
        spec = self._specs.get(key)
        if spec is None:
            spec = self._specs[key] = _Spec()
        return spec

    def _learn(self, spec: _Spec, record: Record) -> None:
        """A field read for the first time under this key makes all that was kept without it ambiguous: drop it."""
        headers = tuple(sorted({*spec.headers, *record.headers}))
        by_client = spec.by_client or "client_ip" in record.facts
        if headers == spec.headers and by_client == spec.by_client:
            return
        for entry in list(spec.entries.values()):
            self.drop(entry)
        spec.headers, spec.by_client = headers, by_client
        spec.seen.clear()
        spec.entries.clear()

    def _admit(self, key: Key, spec: _Spec, variant: Variant, reply: Reply, body: bytes, file: File | None) -> Entry | None:
        size = len(reply.head) + len(body) + 2000
        entry = Entry(reply.head, body, file, reply.request.status, reply.request, dict(reply.request.record.files), key, variant, size)
        looks = _places(entry.files)
        entry.watched = self.watcher.watch(entry, looks)
        # What changed between the look and the watch was seen by neither: ask once more.
        if not _unchanged(entry.files):
            self.watcher.forget(entry)
            return None
        entry.checked = time.monotonic()
        while len(spec.entries) >= self.limits.variants:
            self.counters.evictions += 1
            self.drop(next(iter(spec.entries.values())))
        spec.entries[variant] = entry
        self._lru[entry] = None
        self.memory += size
        while self.memory > self.limits.memory and len(self._lru) > 1:
            self.counters.evictions += 1
            self.drop(next(iter(self._lru)))
        return entry

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
        self.memory -= entry.size
        self._lru.pop(entry, None)
        self.watcher.forget(entry)
        spec = self._specs.get(entry.key)
        if spec is not None and spec.entries.get(entry.variant) is entry:
            del spec.entries[entry.variant]
        if entry.file is not None:
            entry.file.file.close()

    def clear(self) -> None:
        """Forget everything (the queue of changes ran over)."""
        for entry in list(self._lru):
            self.drop(entry)


def variant_of(names: Iterable[str], by_client: bool, headers: dict[str, str], client: str) -> Variant:
    """The values that tell answers of one key apart."""
    values = tuple([headers.get(name) for name in names])
    return (*values, client) if by_client else values


def _places(files: dict[tuple[str, Look], Any]) -> list[tuple[str, bool]]:
    return [(path, look is Look.LIST) for path, look in files]


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
