"""Paced load that says of every failed request how it failed: a program of its own, so that nothing the injector does slows it.

    python -m faults.load < plan.json

The first line of standard input is a `Plan` in JSON. When every lane has had its first answer it prints `ready`; it makes load until its
input ends, lets what is in flight come to its end, and prints one line of JSON, a `Report`.

Open loop: a request is due at its time whatever became of the one before, and its latency counts from then. In `keepalive` lanes a
connection that was closed while it was idle makes a *stale* request, sent once more on a new connection (RFC 9112 §9.3.1); that is
told, and fails only if the second try does. Everything else that is not the expected answer is a failure.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["Failure", "Kind", "Plan", "Report", "main"]

#: Of failures listed one by one, in a report.
LISTED = 500
_LENGTH = re.compile(rb"\r\nContent-Length: *([0-9]{1,15})\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nConnection: *close\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\nTransfer-Encoding: *chunked\r\n", re.IGNORECASE)
#: An upload goes in this many pieces.
PIECES = 20


class Kind(StrEnum):
    """How a request ended."""

    OK = "ok"
    REFUSED = "refused"
    #: A fresh connection was closed or reset before any byte of the answer.
    RESET = "reset"
    #: No whole answer within the plan's patience.
    TIMEOUT = "time-out"
    #: The answer broke off.
    CUT = "cut"
    #: Another status than 200, or other bytes.
    WRONG = "wrong"
    #: A connection that had been used was closed before any byte of the next answer.
    STALE = "stale"


class Failed(Exception):
    """Ends one request."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.value)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `rate`: requests a second of each mode; `big`: the file behind `/big`, for downloads. Seconds."""

    port: int
    expect: str
    path: str = "/a.txt"
    modes: tuple[str, ...] = ("keepalive", "close")
    lanes: int = 8
    rate: float = 100.0
    patience: float = 10.0
    downloads: int = 0
    uploads: int = 0
    big: str = ""
    pace: float = 3.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that failed; times are the system's monotonic seconds, which all processes share."""

    kind: Kind
    what: str
    began: float
    ended: float


@dataclass(slots=True)
class Report:
    """What came of a plan. Latencies in milliseconds, stale requests included; transfers are the slow downloads and uploads."""

    requests: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    slowest_ms: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    transfers: int = 0
    transfers_failed: int = 0

    @property
    def failed(self) -> int:
        """Requests that failed, of any kind."""
        return sum(count for kind, count in self.kinds.items() if kind not in (Kind.OK, Kind.STALE))

    @property
    def stale(self) -> int:
        """Requests that had to be sent twice."""
        return self.count(Kind.STALE)

    def count(self, kind: Kind) -> int:
        """Requests that ended so."""
        return self.kinds.get(kind, 0)

    @staticmethod
    def parse(text: str) -> Report:
        """Read what `main` printed."""
        given = json.loads(text)
        given["failures"] = [Failure(**{**one, "kind": Kind(one["kind"])}) for one in given["failures"]]
        return Report(**given)


class Line:
    """One connection at a time; opened when there is none."""

    def __init__(self, plan: Plan, stops_at: int = 1 << 16) -> None:
        self._plan = plan
        self._stops_at = stops_at
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.fresh = True

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, unless connected. Raises Failed."""
        if self.reader is None or self.writer is None:
            try:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._plan.port, limit=self._stops_at)
            except OSError:
                raise Failed(Kind.REFUSED) from None
            self.fresh = True
        return self.reader, self.writer

    def close(self) -> None:
        """Close, if it is open."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def head(self, reader: asyncio.StreamReader) -> bytes:
        """The head of an answer. Raises Failed."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise Failed(Kind.CUT if error.partial else self._unanswered()) from None
        except OSError:
            raise Failed(self._unanswered()) from None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Failed(Kind.WRONG)
        return head

    def _unanswered(self) -> Kind:
        return Kind.RESET if self.fresh else Kind.STALE


async def body_of(reader: asyncio.StreamReader, head: bytes, step: int = 1 << 16, gap: float = 0.0) -> bytes:
    """The body that goes with a head, read `step` bytes at a time, `gap` seconds apart. Raises Failed."""
    pieces = []
    try:
        if _CHUNKED.search(head):
            while size := int((await reader.readline()).split(b";")[0], 16):
                pieces.append((await reader.readexactly(size + 2))[:-2])
            await reader.readline()
            return b"".join(pieces)
        length = _LENGTH.search(head)
        left = int(length[1]) if length else -1
        while left and (piece := await reader.read(min(step, left) if left > 0 else step)):
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
            if gap:
                await asyncio.sleep(gap * len(piece) / step)
    except (OSError, ValueError, asyncio.IncompleteReadError):
        raise Failed(Kind.CUT) from None
    if left > 0:
        raise Failed(Kind.CUT)
    return b"".join(pieces)


class Load:
    """Carries a plan out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report = Report()
        self._latencies: list[float] = []
        self._expect = plan.expect.encode()
        self._big = Path(plan.big).read_bytes() if plan.big else b""
        self._ended = asyncio.Event()

    async def run(self) -> Report:
        """Make load until standard input ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        lines = [(mode, number, Line(self.plan)) for mode in self.plan.modes for number in range(self.plan.lanes)]
        await asyncio.gather(*[self._warm_up(mode, line) for mode, _, line in lines])
        began = time.monotonic() + 0.05
        tasks = [asyncio.create_task(work) for work in self._lanes(lines, began)]
        print("ready", flush=True)
        await reader.read()
        self._ended.set()
        await asyncio.gather(*tasks)
        return self._measured()

    def _lanes(self, lines: list[tuple[str, int, Line]], began: float) -> Iterator[Coroutine[Any, Any, None]]:
        gap = self.plan.lanes / self.plan.rate
        for mode, number, line in lines:
            yield self._lane(mode, line, began + gap * number / self.plan.lanes, gap)
        for _ in range(self.plan.downloads):
            yield self._transfers("download", self._download)
        for _ in range(self.plan.uploads):
            yield self._transfers("upload", self._upload)

    def _measured(self) -> Report:
        report, times = self.report, sorted(self._latencies)
        report.requests = len(times)
        if times:
            report.p50_ms, report.p99_ms = (times[min(len(times) - 1, len(times) * part // 100)] * 1000 for part in (50, 99))
            report.slowest_ms = times[-1] * 1000
        return report

    # -- short requests

    async def _warm_up(self, mode: str, line: Line) -> None:
        for _ in range(3):
            await self._once(mode, line)

    async def _lane(self, mode: str, line: Line, due: float, gap: float) -> None:
        while not self._ended.is_set():
            await self._wait_until(due)
            if self._ended.is_set():
                break
            await self._request(mode, line)
            self._latencies.append(time.monotonic() - due)
            due += gap
        line.close()

    async def _wait_until(self, due: float) -> None:
        """Sleep, but wake when the load ends."""
        delay = due - time.monotonic()
        if delay > 0.25:
            try:
                await asyncio.wait_for(self._ended.wait(), delay)
            except TimeoutError:
                return
        elif delay > 0:
            await asyncio.sleep(delay)

    async def _request(self, mode: str, line: Line) -> None:
        kind = await self._once(mode, line)
        if kind is Kind.STALE:
            kind = await self._once(mode, line)
        if kind is Kind.OK:
            self._count(Kind.OK)

    async def _once(self, mode: str, line: Line) -> Kind:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.plan.patience):
                await self._ask(mode, line)
        except Failed as failed:
            kind = failed.kind
        except TimeoutError:
            kind = Kind.TIMEOUT
        else:
            return Kind.OK
        line.close()
        self._note(kind, mode, began)
        return kind

    async def _ask(self, mode: str, line: Line) -> None:
        reader, writer = await line.open()
        last = "close" if mode == "close" else "keep-alive"
        writer.write(f"GET {self.plan.path} HTTP/1.1\r\nHost: localhost\r\nConnection: {last}\r\n\r\n".encode())
        head = await line.head(reader)
        if await body_of(reader, head) != self._expect:
            raise Failed(Kind.WRONG)
        line.fresh = False
        if mode == "close" or _CLOSES.search(head):
            line.close()

    def _note(self, kind: Kind, what: str, began: float) -> None:
        self._count(kind)
        if len(self.report.failures) < LISTED and kind is not Kind.STALE:
            self.report.failures.append(Failure(kind, what, began, time.monotonic()))

    def _count(self, kind: Kind) -> None:
        self.report.kinds[kind] = self.report.count(kind) + 1

    # -- slow transfers

    async def _transfers(self, what: str, transfer: Any) -> None:
        while not self._ended.is_set():
            began, line = time.monotonic(), Line(self.plan, 1 << 15)
            try:
                async with asyncio.timeout(self.plan.pace + 4 * self.plan.patience):
                    await transfer(line)
                self.report.transfers += 1
            except (Failed, TimeoutError) as error:
                kind = error.kind if isinstance(error, Failed) else Kind.TIMEOUT
                self.report.transfers_failed += 1
                self.report.failures.append(Failure(kind, what, began, time.monotonic()))
                await asyncio.sleep(0.1)
            finally:
                line.close()

    async def _download(self, line: Line) -> None:
        reader, writer = await line.open()
        writer.write(b"GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head = await line.head(reader)
        step = max(len(self._big) // 100, 1 << 14)
        if await body_of(reader, head, step, self.plan.pace / 100) != self._big:
            raise Failed(Kind.WRONG)

    async def _upload(self, line: Line) -> None:
        reader, writer = await line.open()
        piece = bytes(range(256)) * 4
        writer.write(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (len(piece) * PIECES))
        for _ in range(PIECES):
            try:
                writer.write(piece)
                await writer.drain()
            except OSError:
                raise Failed(Kind.CUT) from None
            await asyncio.sleep(self.plan.pace / PIECES)
        if await body_of(reader, await line.head(reader)) != piece * PIECES:
            raise Failed(Kind.WRONG)


def main() -> int:
    """Read a plan, carry it out, print a report."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    report = asyncio.run(Load(plan).run())
    print(json.dumps(asdict(report)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
