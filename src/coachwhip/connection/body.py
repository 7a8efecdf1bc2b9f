"""A request's body on its way from the socket to whoever reads it: framing undone, limits kept, input filters run.

Handlers see `api.request.Body`. Bytes arrive by `feed`; a reader waits on a future of the loop (`next`) or, on a worker thread, on
that same coroutine run for it (`read`). Nothing is collected: what is not read yet is bounded, and the socket is not read meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from coachwhip.api.filters import InputFilter
from coachwhip.api.request import BodyError
from coachwhip.protocol.chunked import ChunkedDecoder
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.framing import BodyKind, Framing

__all__ = ["RequestBody"]

#: Decoded bytes that may wait for the reader before the socket is left alone.
HIGH_WATER = 64 << 10


class RequestBody:
    """Implements `api.request.Body`."""

    __slots__ = (
        "_decoder",
        "_error",
        "_filters",
        "_given",
        "_left",
        "_loop",
        "_on_read",
        "_pieces",
        "_rest",
        "_size",
        "_waiter",
        "done",
        "framing",
        "limit",
        "received",
        "started",
    )

    def __init__(self, framing: Framing, loop: asyncio.AbstractEventLoop, on_read: Callable[[], None], limit: int) -> None:
        self.framing = framing
        self._loop = loop
        #: Called when the reader wants bytes: send 100 Continue, read the socket again.
        self._on_read = on_read
        #: `LimitRequestBody`, 0 for none; the pipeline sets it when the sections that apply are known.
        self.limit = limit
        self._decoder = ChunkedDecoder() if framing.kind is BodyKind.CHUNKED else None
        self._left = framing.length
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: BodyError | None = None
        self._filters: list[InputFilter] = []
        self._given = 0
        self.received = 0
        self.started = False
        #: The framing's end has arrived.
        self.done = framing.kind is BodyKind.NONE or (framing.kind is BodyKind.LENGTH and framing.length == 0)
        self._rest = b""

    @property
    def length(self) -> int | None:
        """See `Body`."""
        return None if self._decoder is not None else self.framing.length

    @property
    def wants_more(self) -> bool:
        """Whether the socket should be read for this body."""
        return not self.done and self._error is None and self._size < HIGH_WATER

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """Trailer fields, once the body is done."""
        return list(self._decoder.trailers) if self._decoder is not None else []

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the wire; returns those behind the body's end."""
        rest = b""
        try:
            if self._decoder is not None:
                pieces = self._decoder.feed(data)
                if self._decoder.done:
                    self.done, rest = True, self._decoder.rest
            else:
                pieces, rest = [data[: self._left]], data[self._left :]
                self._left -= len(pieces[0])
                self.done = self._left == 0
        except BadRequest as error:
            self.fail(BodyError(error.status, error.reason))
            return b""
        for piece in pieces:
            self._take(piece)
        self._wake()
        return rest

    def _take(self, piece: bytes) -> None:
        self.received += len(piece)
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)

    def fail(self, error: BodyError) -> None:
        """The rest will not come."""
        if self._error is None:
            self._error = error
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def next(self) -> bytes:
        """See `Body`."""
        if not self.started:
            self.started = True
            self._on_read()
            if self.limit and self.framing.kind is BodyKind.LENGTH and self.framing.length > self.limit:
                self.fail(BodyError(413, "Requested content-length is larger than the configured limit"))
        while True:
            if self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece)
                self._given += len(piece)
                if self.limit and self._given > self.limit:
                    self.fail(BodyError(413, "Request body is larger than the configured limit"))
                    self._pieces.clear()
                    continue
                return piece
            if self._error is not None:
                raise self._error
            if self.done:
                return b""
            self._waiter = self._loop.create_future()
            self._on_read()
            await self._waiter

    def read(self, count: int) -> bytes:
        """See `Body`; only on a worker thread."""
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self.next(), self._loop).result()
        piece, self._rest = self._rest[:count], self._rest[count:]
        return piece
