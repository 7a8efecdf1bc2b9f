"""Driving a request's output filters: brigade in, brigade out, one after the other.

A filter is made when the first brigade reaches it, so it sees the headers as the handler and the earlier filters left them.
Streams are unrolled here and large files cut up, so that a filter holds little in memory. No I/O but reading an open file.
"""

from __future__ import annotations

from collections.abc import Iterator

from coachwhip.api.buckets import Brigade, Data, End, File, Stream
from coachwhip.api.filters import OutputFilter
from coachwhip.api.request import Request

__all__ = ["PIECE", "Chain", "brigades", "run_whole"]

#: A file is handed to content filters in pieces of this size: what they may hold in memory, and work through at one go. Not less than
#: the 64 KiB from which mod_deflate compresses whole.
PIECE = 256 << 10


class Chain:
    """The filters of one response."""

    __slots__ = ("_filters", "_r", "_waiting")

    def __init__(self, r: Request) -> None:
        self._r = r
        self._waiting = [registered for registered, _ in r.output_filters] if r.output_filters else []
        self._filters: list[OutputFilter] | None = None

    @property
    def is_empty(self) -> bool:
        """True if brigades pass unchanged."""
        return not self._waiting and not self._filters

    def feed(self, brigade: Brigade) -> Brigade:
        """Pass a brigade through all filters."""
        if self._filters is None:
            return self._start(brigade)
        for run in self._filters:
            brigade = run(brigade)
        return brigade

    def _start(self, brigade: Brigade) -> Brigade:
        made: list[OutputFilter] = []
        for registered in self._waiting:
            run = registered.make_output(self._r) if registered.make_output else None
            if run is not None:
                made.append(run)
                self._r.record.step("filter", registered.name)
                brigade = run(brigade)
        self._filters, self._waiting = made, []
        return brigade


def brigades(output: Brigade, *, cut: bool) -> Iterator[Brigade]:
    """A handler's output as the brigades that the chain is fed: one, unless it holds streams, or (`cut`) large files."""
    ready: Brigade = []
    for bucket in output:
        if isinstance(bucket, Stream):
            if ready:
                yield ready
                ready = []
            for piece in bucket.pieces:
                yield [Data(piece)]
        elif cut and isinstance(bucket, File) and bucket.length > PIECE:
            for start in range(bucket.start, bucket.start + bucket.length, PIECE):
                ready.append(File(bucket.file, start, min(PIECE, bucket.start + bucket.length - start)))
                yield ready
                ready = []
        else:
            ready.append(bucket)
    if ready:
        yield ready


def run_whole(r: Request, output: Brigade) -> Brigade:
    """All of `output` through the request's filters at once (sub-requests)."""
    chain = Chain(r)
    if chain.is_empty:
        return output
    done: Brigade = []
    for brigade in brigades(output, cut=False):
        done += chain.feed(brigade)
    if not output or not isinstance(output[-1], End):
        done += chain.feed([End()])
    return done
