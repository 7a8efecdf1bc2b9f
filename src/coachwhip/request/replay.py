"""Replay: finished answers kept as bytes, found by one look-up, given again while nothing they were made from has changed.

An answer is kept only if its record says that every input was recorded. It is found by its *key* (local address, request line, host)
and then by the values of exactly those header fields that were read for that key. It is valid while the recorded files are unchanged
when the request arrives: `Watcher` says so, or one `stat` per path where it cannot. Bounded in bytes, open files and variants; an
answer is kept when it is asked for the second time, so that requests that never come back cost a mark of eight bytes in a table of
fixed size, and whoever has to go is one that was not asked for lately.

Knows no sockets. Taking a head apart is the business of `connection/hot.py`.
"""

from __future__ import annotations

import os
import re
import resource
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from errno import ENOENT, ENOTDIR
from typing import Any, Protocol

from coachwhip.api.buckets import Brigade, Data, File
from coachwhip.api.files import FileStat
from coachwhip.api.record import LogLine, Look, Record
from coachwhip.api.replay import ReplayDir
from coachwhip.api.request import Request
from coachwhip.request.files import is_settled_time, signature, signature_of
from coachwhip.request.reply import Reply
from coachwhip.request.watch import Watcher
from coachwhip.util.second_sight import SecondSight

__all__ = ["Counters", "Entry", "Replay", "Spec", "Table", "reason_against", "tell"]

#: Statuses that may be replayed.
STATUSES = frozenset({200, 206, 300, 301, 302, 303, 304, 305, 307, 308, 401, 403, 404, 405, 406, 410, 416})
#: More answers than any connection is given; CPython compares whole numbers up to here by a short way of their own.
ENDLESS = (1 << 30) - 1
#: Places for marks of what was asked for once. More in between two requests than this, and the first may be forgotten.
MARKS = 1 << 16
#: Short cuts of each kind per local address.
MAX_SHORT_CUTS = 4096
#: Most kept answers that hold a file open, and the most in relation to the files that the process may have open at all.
MAX_FILES = 256
FILES_SHARE = 8
#: From this many bytes on, a file goes out from itself (`sendfile`) at less cost than a copy of it from memory; measured.
SENDFILE_SIZE = 32 << 10
#: What an entry costs beside its bytes: the request record and what hangs on it; measured.
ENTRY_COST = 12_000

Looks = dict[tuple[str, Look], Any]
Variant = tuple[Any, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Entry:
    """One kept answer."""

    # What the hot path looks at comes first: where many answers are asked for in turn, what each brings into the cache decides.
    #: The whole answer, with the date of the second `stamp`; the head alone if there is a `file`.
    wire: bytes
    #: Sent behind the head in place of a body in memory.
    file: File | None
    #: Monotonic second until which `wire` may go out as it is; 0 for an answer that has to be looked at each time.
    until: float = 0.0
    #: The log lines of its replays, once they are planned; and whether they take no more than client, time, size and fields.
    forms: Any = None
    is_plain: bool = False
    #: Its connection ends with it; else, with this many answers before it there, another answer is due, one that closes.
    close: bool
    last_at: int = ENDLESS
    #: For how long its connection may rest then, in seconds.
    keep_alive: float = 0.0
    #: How often it was given again, fading as others are let go.
    used: int = 0
    #: Bytes of the answer as it goes out, its file among them.
    length: int = 0
    head: bytes
    request: Request
    files: Looks
    spec: Spec
    variant: Variant
    size: int
    log: tuple[LogLine, ...]
    #: True: the watcher vouches for the files until `recheck`.
    watched: bool = False
    #: Monotonic time from which the files are to be asked again; 0 for every time.
    recheck: float = 0.0
    #: Bytes behind the head, the framing of chunks not counted.
    body_size: int = 0
    alive: bool = True
    stamp: bytes = b""
    #: Key → where it leads here; they go when this goes.
    short_cuts: dict[bytes, ShortCuts] = field(default_factory=dict)
    #: Where the number of requests left stands in `Keep-Alive`, if the head has that field: start and end.
    left: tuple[int, int] | None = None

    @property
    def entry(self) -> Entry:
        """A short cut may lead here itself."""
        return self

    def renew(self, stamp: bytes, left: int) -> None:
        """Let `wire` say this date, and that this many requests are left on the connection."""
        if self.stamp is not stamp:
            at = self.wire.index(b"\r\nDate: ") + 8
            self.wire = _spliced(self.wire, at, at + len(stamp), stamp)
            self.stamp = stamp
        if self.left is not None:
            start, end = self.left
            self.wire = _spliced(self.wire, start, end, b"%d" % left)
            self.left = start, start + len(str(left))
        self.length = len(self.wire) + (self.file.length if self.file is not None else 0)


def _spliced(data: bytes, start: int, end: int, piece: bytes) -> bytes:
    """`data` with `piece` in the place of the bytes from `start` to `end`; the rest is copied once."""
    view = memoryview(data)
    return b"".join((view[:start], piece, view[end:]))


_LEFT = re.compile(rb"\r\nKeep-Alive: timeout=[0-9]+, max=([0-9]+)\r\n")


@dataclass(slots=True, eq=False)
class Spec:
    """What is known of one request line and host: which fields its answers depend on, and the answers; gone with the last of them."""

    table: Table
    key: tuple[bytes, Any]
    #: Lower-case names, sorted; `connection` is always one.
    headers: tuple[str, ...] = ("connection",)
    by_client: bool = False
    entries: dict[Variant, Entry] = field(default_factory=dict)

    def variant(self, fields: dict[str, Any], client: str) -> Variant:
        """What tells the answers apart, for these fields and this client."""
        values = tuple(map(fields.get, self.headers))
        return (*values, client) if self.by_client else values


@dataclass(slots=True, eq=False)
class Table:
    """The specs of one local address."""

    max_fields: int
    #: By the raw bytes of a head; and the entry itself by a request line and the mark of the shape of the rest.
    raw: ShortCuts = field(default_factory=lambda: ShortCuts())
    heads: ShortCuts = field(default_factory=lambda: ShortCuts())
    specs: dict[tuple[bytes, Any], Spec] = field(default_factory=dict)
    #: Their own look-ups, bound: CPython 3.11 looks a method of a class derived from a built-in one up anew in every call.
    by_raw: Callable[[bytes], Any] = field(init=False)
    by_head: Callable[[bytes], Entry | None] = field(init=False)

    def __post_init__(self) -> None:
        self.by_raw, self.by_head = self.raw.get, self.heads.get

    def find(self, line: bytes, host: Any) -> Spec | None:
        """The spec of a request line and host, if there is one."""
        return self.specs.get((line, host))


@dataclass(slots=True)
class Counters:
    """For `server-status`."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    stale: int = 0
    #: Why answers were not kept: how often each reason.
    volatile: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


class ToEntry(Protocol):
    """What a short cut leads to."""

    @property
    def entry(self) -> Entry:
        """The kept answer."""


class ShortCuts(OrderedDict[bytes, Any]):
    """Keys that lead to an entry without its spec; the oldest goes when there are too many."""

    __slots__ = ()

    def remember(self, key: bytes, found: ToEntry) -> None:
        """Let `key` lead to `found` from now on, wherever it has led: another client's answer, perhaps."""
        before = self.pop(key, None)
        if before is not None:
            del before.entry.short_cuts[key]
        elif len(self) >= MAX_SHORT_CUTS:
            old, gone = self.popitem(last=False)
            del gone.entry.short_cuts[old]
        self[key] = found
        found.entry.short_cuts[key] = self


class Replay:
    """The answers kept by one worker."""

    def __init__(self, memory_limit: int) -> None:
        #: `ReplayMemory`, bytes.
        self.memory_limit = memory_limit
        self.counters = Counters()
        self.memory = 0
        self._tables: dict[tuple[str, int, bool], Table] = {}
        #: Oldest first.
        self._entries: OrderedDict[Entry, None] = OrderedDict()
        self._open_files: OrderedDict[Entry, None] = OrderedDict()
        self._most_files = _most_files()
        self._was_asked = SecondSight(MARKS)
        #: When the second at hand ends (monotonic), and what looks of watched answers have seen in it.
        self._second_ends = 0.0
        self._seen: dict[tuple[str, Look], Any] = {}
        self.watcher = Watcher(self._touched, self.clear)

    @property
    def count(self) -> int:
        """Answers kept now."""
        return len(self._entries)

    def table(self, ip: str, port: int, is_tls: bool, max_fields: int) -> Table:
        """The specs of a local address."""
        key = (ip, port, is_tls)
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = Table(max_fields)
        return found

    # -- finding

    def new_second(self, ends: float) -> None:
        """A second begins that `ends` then (monotonic). Even watched files are asked once in it, when an answer first needs them.

        A write through a memory mapping raises no event; so it is seen within a second.
        """
        self._second_ends = ends
        self._seen.clear()

    def is_fresh(self, entry: Entry) -> bool:
        """Ask the files of an entry whose time to be asked has come, those that are watched only if nobody asked in this second."""
        if not entry.alive:
            return False
        if _unchanged(entry.files, self._seen if entry.watched else {}):
            if entry.watched:
                entry.recheck = self._second_ends
            return True
        self.counters.stale += 1
        self.drop(entry)
        return False

    # -- keeping

    def turns_down(self, reply: Reply) -> bool:
        """Count an answer that may not be kept, and note why; False if it may be. Whose answer it is does not matter here."""
        reason = reason_against(reply, self.memory_limit)
        if reason is None:
            return False
        self.pass_by(reply, reason)
        return True

    def pass_by(self, reply: Reply, reason: str) -> None:
        """Count an answer that is not kept, and note why."""
        counters = self.counters
        counters.misses += 1
        counters.volatile[reason] += 1
        tell(reply.request, reason)

    def keep(self, table: Table, line: bytes, fields: dict[str, Any], client: str, reply: Reply) -> tuple[str, ...]:
        """Keep an answer if it may be kept and was asked for before. Returns the names that its key depends on."""
        r = reply.request
        record = r.record
        reason = reason_against(reply, self.memory_limit)
        tell(r, reason or "miss")
        if reason:
            self.counters.volatile[reason] += 1
            return ()
        spec = table.find(line, fields.get("host")) or Spec(table, (line, fields.get("host")))
        self._learn(spec, record)
        if not all(name in fields or _is_absent(r, name) for name in spec.headers):
            # The fields at hand lack one that only now turns out to matter; the next request will have it.
            return spec.headers
        variant = spec.variant(fields, client)
        if variant not in spec.entries and self._is_second_sight(spec, variant):
            self._admit(spec, variant, reply, r.config(ReplayDir))
        return spec.headers

    def _is_second_sight(self, spec: Spec, variant: Variant) -> bool:
        """Whether the same was asked for before, as far as that is still known."""
        return self._was_asked((id(spec.table), spec.key, spec.headers, spec.by_client, variant))

    def _learn(self, spec: Spec, record: Record) -> None:
        """A field read for the first time under this key makes all that was kept without it ambiguous: drop it."""
        headers = tuple(sorted({*spec.headers, *record.headers}))
        by_client = spec.by_client or "client_ip" in record.facts
        if headers == spec.headers and by_client == spec.by_client:
            return
        for entry in list(spec.entries.values()):
            self.drop(entry)
        spec.headers, spec.by_client = headers, by_client

    def _admit(self, spec: Spec, variant: Variant, reply: Reply, conf: ReplayDir) -> None:
        r = reply.request
        reply.gather(conf.max_body)
        in_memory = conf.max_body if len(self._open_files) >= self._most_files else min(conf.max_body, SENDFILE_SIZE - 1)
        found = (b"", None) if reply.body is None else _content(reply.whole, in_memory, conf.max_body)
        if found is None:
            self.counters.volatile["body too large"] += 1
            return
        body, file = found
        size = len(reply.head) + len(body) + ENTRY_COST
        if size > self.memory_limit:
            self.counters.volatile["body too large"] += 1
            return
        files = {
            (path, look): signature_of(seen, look) if isinstance(seen, FileStat) else seen
            for (path, look), seen in r.record.files.items()
        }
        entry = Entry(
            wire=reply.head + body, file=file, close=reply.close, head=reply.head, request=r, files=files,
            spec=spec, variant=variant, size=size, log=tuple(r.record.log),
        )  # fmt: skip
        count = _LEFT.search(reply.head)
        entry.left = count.span(1) if count is not None else None
        entry.body_size = r.bytes_sent if reply.chunked else len(body) if file is None else file.length
        if not reply.close:
            entry.last_at = r.server.core.max_keep_alive_requests or ENDLESS
            entry.keep_alive = r.server.core.keep_alive_timeout
        entry.watched = self.watcher.watch(entry, [(path, look is Look.LIST) for path, look in files])
        # What changed between the look and the watch was seen by neither: ask once more.
        began = r.traffic.started
        if not all(is_settled_time(seen, began) for seen in files.values()) or not _unchanged(files, {}):
            self.watcher.forget(entry)
            return
        if entry.watched:
            entry.recheck = self._second_ends
        for one in _chain(r):
            # The content is in `wire` or `file`; a record must not hold another file open.
            one.output = []
            one.files.close_early()  # type: ignore[attr-defined]
        self._make_room(spec, conf, size, is_file=file is not None)
        spec.table.specs[spec.key] = spec
        spec.entries[variant] = entry
        self._entries[entry] = None
        if file is not None:
            self._open_files[entry] = None
        self.memory += size

    def _make_room(self, spec: Spec, conf: ReplayDir, size: int, *, is_file: bool) -> None:
        """Let go of what was not asked for lately, until one entry more is within all bounds."""
        while len(spec.entries) >= conf.variants:
            self._evict(_least_used(spec.entries.values()))
        while is_file and len(self._open_files) >= self._most_files:
            self._evict(_second_chance(self._open_files))
        while self._entries and self.memory + size > self.memory_limit:
            self._evict(_second_chance(self._entries))

    def _evict(self, entry: Entry) -> None:
        self.counters.evictions += 1
        self.drop(entry)

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
        entry.recheck = entry.until = 0.0
        for key, short_cuts in entry.short_cuts.items():
            del short_cuts[key]
        entry.short_cuts.clear()
        self.memory -= entry.size
        self._entries.pop(entry, None)
        self._open_files.pop(entry, None)
        self.watcher.forget(entry)
        spec = entry.spec
        if spec.entries.get(entry.variant) is entry:
            del spec.entries[entry.variant]
        if not spec.entries and spec.table.specs.get(spec.key) is spec:
            del spec.table.specs[spec.key]

    def close_files(self) -> None:
        """Descriptors are short: let go of every answer that holds a file open."""
        for entry in list(self._open_files):
            self._evict(entry)

    def clear(self) -> None:
        """Forget everything (the queue of changes ran over)."""
        for entry in list(self._entries):
            self.drop(entry)


def reason_against(reply: Reply, memory_limit: int) -> str | None:
    """Why an answer must not be kept, whatever asked for it; None if it may be. `memory_limit`: `ReplayMemory`, bytes."""
    r = reply.request
    if not memory_limit or not r.dir_settings.get(ReplayDir).on:
        return "Replay Off"
    if r.prev is not None and not all(one.config(ReplayDir).on for one in _chain(r)):
        return "Replay Off"
    if r.record.volatile is not None:
        return r.record.volatile
    if r.status not in STATUSES or "*" in r.record.headers:
        return "status or headers"
    return "no date" if b"\r\nDate: " not in reply.head else None


def _most_files() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_FILES if limit == resource.RLIM_INFINITY else max(1, min(MAX_FILES, limit // FILES_SHARE))


def _second_chance(queue: OrderedDict[Entry, None]) -> Entry:
    """The oldest entry that was not given again lately; those that were go to the end of the queue."""
    while True:
        entry = next(iter(queue))
        if not entry.used:
            return entry
        entry.used = 0
        queue.move_to_end(entry)


def _least_used(entries: Iterable[Entry]) -> Entry:
    """The variant that was given again the least; when all were, what they have ahead of it is halved, so that none stays for ever."""
    among = list(entries)
    least = min(among, key=lambda entry: entry.used)
    ahead = least.used
    if ahead:
        for entry in among:
            entry.used = (entry.used - ahead) // 2
    return least


def tell(r: Request, what: str) -> None:
    """Let log lines say what replay did, whether they look at the request that was answered (`%{replay}n`) or at the first of its chain."""
    r.notes["replay"] = what
    if r.prev is not None:
        r.first.notes["replay"] = what


def _chain(r: Request) -> list[Request]:
    """A request and those that were redirected to it internally."""
    chain = [r]
    while (before := chain[-1].prev) is not None:
        chain.append(before)
    return chain


def _is_absent(r: Request, name: str) -> bool:
    """Whether the request came without this field."""
    key = name.encode("latin-1")
    return not any(n.lower() == key for n, _ in r.raw_headers)


def _content(whole: Brigade | None, wanted: int, limit: int) -> tuple[bytes, File | None] | None:
    """A body in memory, or the one file that it is if it has more bytes than are `wanted` there.

    None if it is not all there, or more than one file and above the `limit`.
    """
    if whole is None:
        return None
    buckets = [bucket for bucket in whole if isinstance(bucket, (Data, File))]
    size = sum(map(len, buckets))
    if size > wanted and len(buckets) == 1 and isinstance(buckets[0], File):
        return b"", buckets[0]
    if size > limit:
        return None
    try:
        return b"".join([bucket.read() if isinstance(bucket, File) else bucket.data for bucket in buckets]), None
    except OSError:
        return None


def _unchanged(files: Looks, asked: Looks) -> bool:
    """Whether every look would see the same again. `asked`: looks that need not be asked; those that were are added."""
    for one, before in files.items():
        seen = asked.get(one, _UNASKED)
        if seen is _UNASKED:
            seen = asked[one] = _look_again(*one)
        if seen != before and not (before is None and seen in (ENOENT, ENOTDIR)):
            return False
    return True


def _look_again(path: str, look: Look) -> tuple[int, ...] | int | None:
    """What a look sees now: a signature, or the system's number of an error."""
    try:
        return signature(os.stat(path, follow_symlinks=look is not Look.LSTAT), look)
    except OSError as error:
        return error.errno


#: Not among what looks see.
_UNASKED = object()
