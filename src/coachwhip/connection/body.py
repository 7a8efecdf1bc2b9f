"""A request's body on its way from the socket to whoever reads it: framing undone, limits kept, input filters run.

Handlers see `api.request.Body`. Bytes arrive by `feed`; a reader waits on a future of the loop (`next`) or, on a worker thread, on
that same coroutine run for it (`read`). Nothing is collected: what is not read yet is bounded, and the socket is not read meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from coachwhip.api.core import CoreServer
from coachwhip.api.filters import InputFilter, InputFilterError
from coachwhip.api.request import BodyError
from coachwhip.connection.places import Place
from coachwhip.protocol.chunked import ChunkedDecoder
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.fields import Limits
from coachwhip.protocol.framing import BodyKind, Framing

__all__ = ["RequestBody", "limits_of"]

#: Decoded bytes that may wait for the reader before the socket is left alone.
HIGH_WATER = 64 << 10


def limits_of(core: CoreServer) -> Limits:
    """What the lines of heads, and of chunked bodies, may come to."""
    return Limits(core.limit_request_line, core.limit_request_field_size, core.limit_request_fields)


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
        "place",
        "started",
    )

    def __init__(
        self, framing: Framing, loop: asyncio.AbstractEventLoop, on_read: Callable[[], None], limit: int, lines: Limits
    ) -> None:
        """`limit`: `LimitRequestBody`, 0 for none. `lines`: for the lines of a chunked body."""
        self.framing = framing
        self._loop = loop
        #: Called when the reader wants bytes: send 100 Continue, read the socket again.
        self._on_read = on_read
        #: `LimitRequestBody`, 0 for none; the pipeline sets it when the sections that apply are known.
        self.limit = limit
        self._decoder = ChunkedDecoder(lines) if framing.kind is BodyKind.CHUNKED else None
        self._left = framing.length
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: BodyError | None = None
        self._filters: tuple[InputFilter, ...] = ()
        self._given = 0
        #: Given back while the reader waits for the client.
        self.place: Place | None = None
        #: Somebody has asked for it.
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
    def is_awaited(self) -> bool:
        """Whether a reader waits for the client at this moment."""
        return self._waiter is not None

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """Trailer fields, once the body is done."""
        return list(self._decoder.trailers) if self._decoder is not None else []

    def filter_by(self, filters: Iterable[InputFilter]) -> None:
        """Let these decode what is read, the nearest to the wire first."""
        self._filters = tuple(filters)

    # -- from the wire

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
            if piece:
                self._pieces.append(piece)
                self._size += len(piece)
        self._wake()
        return rest

    def fail(self, error: BodyError) -> None:
        """The rest will not come."""
        if self._error is None and not self.done:
            self._error = error
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def detach(self) -> None:
        """The connection goes on without it."""
        self._on_read = _nothing

    # -- to the reader

    async def next(self) -> bytes:
        """See `Body`."""
        while True:
            piece = await self._next_raw()
            if not self._filters:
                return piece
            decoded = self._filtered(piece)
            if decoded or not piece:
                return decoded

    async def _next_raw(self) -> bytes:
        """The next piece as the framing has it."""
        if not self.started:
            self._begin()
        while True:
            if self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece)
                self._given += len(piece)
                if not self.limit or self._given <= self.limit:
                    return piece
                self._refuse("Request body is larger than the configured limit")
            if self._error is not None:
                raise self._error
            if self.done:
                return b""
            self._waiter = waiter = self._loop.create_future()
            self._on_read()
            await (waiter if self.place is None else self.place.outside(waiter))

    def _begin(self) -> None:
        """The first read. A body that is announced as too large, or empty, is not asked for."""
        self.started = True
        if self.limit and self.framing.kind is BodyKind.LENGTH and self.framing.length > self.limit:
            self._refuse("Requested content-length is larger than the configured limit")
        elif self.framing.kind is not BodyKind.LENGTH or self.framing.length:
            self._on_read()

    def _refuse(self, reason: str) -> None:
        """`LimitRequestBody`: nothing more is given."""
        self._pieces.clear()
        self._size = 0
        self._error = BodyError(413, reason)

    def _filtered(self, piece: bytes) -> bytes:
        """Through all filters; b"" ends them."""
        filters = self._filters
        try:
            if piece:
                for run in filters:
                    piece = run.feed(piece)
                return piece
            self._filters = ()
            for run in filters:
                piece = (run.feed(piece) if piece else b"") + run.finish()
        except InputFilterError as error:
            self._error = BodyError(error.status, str(error))
            raise self._error from error
        return piece

    def read(self, count: int) -> bytes:
        """See `Body`; only on a worker thread."""
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self.next(), self._loop).result()
        piece, self._rest = self._rest[:count], self._rest[count:]
        return piece


def _nothing() -> None:
    """What is asked for when there is nobody to ask."""
