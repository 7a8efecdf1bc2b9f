"""One request on a connection, from its head to the log line of its answer.

A connection has one of these while it answers, none while it waits. It runs the pipeline: at once if nothing has to be waited for, as a
task for an `async def` handler or a body, on a worker thread for hooks that may block. It decides when `100 Continue` is sent and what
becomes of a body that nobody read. It does not touch the socket; what an answer is made of is the pipeline's business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from coachwhip.api.core import CoreDir
from coachwhip.api.log import ModuleLog
from coachwhip.api.request import BodyError, Request
from coachwhip.connection.body import RequestBody, limits_of
from coachwhip.connection.places import Place
from coachwhip.connection.states import CLOSED
from coachwhip.hooks import NeedsThread
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.framing import BodyKind, Framing
from coachwhip.protocol.http1 import RequestHead
from coachwhip.request import intake
from coachwhip.request.pipeline import Waiting
from coachwhip.request.reply import Reply

if TYPE_CHECKING:
    from coachwhip.connection.serve import ClientConnection

__all__ = ["Exchange"]

LOG = ModuleLog("core")
TIMEOUT_LOG = ModuleLog("reqtimeout")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NONE = BodyKind.NONE


class Exchange:
    """One request and its answer."""

    __slots__ = ("_answer", "_broken", "_ends", "_r", "_raw", "_status", "_task", "_wire", "body", "head", "started")

    def __init__(self, wire: ClientConnection, started: float, raw: bytes = b"") -> None:
        """`started`: wall clock. `raw`: the very bytes of the head if an answer to them may be kept, else b""."""
        self._wire = wire
        self.started = started
        self.head: RequestHead | None = None
        self._raw = raw
        self.body: RequestBody | None = None
        #: What is wrong with bytes that are no request, and their first line as far as it came.
        self._broken: tuple[BadRequest, bytes] | None = None
        self._r: Request
        #: 200, or that of a refusal before the first phase.
        self._status = 200
        self._answer: Reply | None = None
        self._task: asyncio.Task[None] | None = None
        #: The connection ends after this, whatever the head of the answer says.
        self._ends = False

    # -- running

    def begin(self, head: RequestHead, rest: bytes) -> bytes:
        """Make the record of a valid head. `rest` came behind it; returns what of that is not of this request's body."""
        wire = self._wire
        self.head = head
        self._r, framing, self._status = intake.begin(wire.host.pipeline, wire.info, head, self.started)
        # Whether what follows is a body cannot be told, or the client waits for something else: it is never taken for a request.
        self._ends = framing is None or framing.objection is not None
        if framing is not None and framing.kind is not _NONE:
            limit = self._r.dir_settings.get(CoreDir).limit_request_body
            self.body = RequestBody(framing, wire.host.loop, self._want_body, limit, limits_of(self._r.server.core))
            return self.body.feed(rest)
        return rest

    def begin_broken(self, error: BadRequest, line: bytes) -> None:
        """Make a record for bytes that are no request; `line` is their first line as far as it came."""
        self._broken = error, line
        self._r, _, self._status = self._make()
        self._ends = True

    def _make(self) -> tuple[Request, Framing | None, int]:
        """The record, made anew if it is asked for again: a request that turns out to need a thread starts again there.

        The status is 200, or that of a refusal.
        """
        pipeline, info = self._wire.host.pipeline, self._wire.info
        if self._broken is not None:
            error, line = self._broken
            return intake.begin_broken(pipeline, info, error, line, self.started), None, error.status
        if self.head is None:
            raise RuntimeError("an exchange was run that had not begun")
        return intake.begin(pipeline, info, self.head, self.started)

    def run(self) -> None:
        """Answer: as far as it goes at once."""
        r, pipeline = self._r, self._wire.host.pipeline
        self._prepare(r)
        try:
            begun = pipeline.start(r) if self._status == 200 else pipeline.refuse(r, self._status)
            first = begun if isinstance(begun, Reply) else next(begun)
        except StopIteration as done:
            self._answered(done.value)
        except NeedsThread:
            self._start(self._in_thread())
        except Exception as error:
            self._fail(error)
        else:
            if isinstance(begun, Reply):
                self._answered(begun)
            else:
                self._start(self._later(begun, first))

    def _waiting(self, r: Request, status: int) -> Waiting:
        self._prepare(r)
        pipeline = self._wire.host.pipeline
        return pipeline.answer(r) if status == 200 else pipeline.refuse(r, status)

    def _prepare(self, r: Request) -> None:
        """This record is the one that is answered."""
        self._r = r
        r.body = self.body
        if self._wire.host.draining:
            r.keepalive = False

    def _start(self, work: Coroutine[Any, Any, Reply]) -> None:
        self._wire.watch_reads(self.body is None or self.body.wants_more)
        self._task = self._wire.host.loop.create_task(self._as_task(work))

    async def _as_task(self, work: Coroutine[Any, Any, Reply]) -> None:
        try:
            reply = await work
        except Exception as error:
            self._task = None
            self._wire.guard(self._fail, error)
        else:
            self._task = None
            self._wire.guard(self._answered, reply)

    async def _later(self, waiting: Waiting, first: Any) -> Reply:
        """Drive a request that waits for an `async def` handler or for its body.

        What was awaited cannot be had a second time, so from then on the request could not begin again on a worker thread for a hook
        that may block: all that follows runs there straight away.
        """
        try:
            async with Place(self._wire.host.places) as place:
                return await self._drive(waiting, first, place)
        finally:
            # It may not have begun.
            if asyncio.iscoroutine(first):
                first.close()

    async def _drive(self, waiting: Waiting, awaited: Any, place: Place) -> Reply:
        while True:
            try:
                self._lend(place)
                result = await awaited
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                step: Callable[[Any], Any] = waiting.throw
                value: Any = RuntimeError(f"what the handler waited for was cancelled: {error!r}")
            except Exception as error:
                step, value = waiting.throw, error
            else:
                step, value = waiting.send, result
            _let_block(self._r)
            # Were it given back by a thread, that might wait for somebody who has one, and waits for the thread.
            self._lend(None)
            done: tuple[Reply | None, Any] = await self._wire.host.run_in_thread(partial(_advance, step, value))
            if done[0] is not None:
                return done[0]
            awaited = done[1]

    def _lend(self, place: Place | None) -> None:
        """What reading the body gives back while it waits for the client."""
        if self.body is not None:
            self.body.place = place

    async def _in_thread(self) -> Reply:
        """Run a request whose hooks may block on a worker thread, from its beginning."""
        async with Place(self._wire.host.places):
            given_up = self._r.record
            r, _, status = self._make()
            r.may_block = True
            r.record.said = len(given_up.log)
            waiting = self._waiting(r, status)
            reply: Reply = await self._wire.host.run_in_thread(lambda: self._blocking(waiting))
            return reply

    def _blocking(self, waiting: Waiting) -> Reply:
        """On the thread: wait for the loop where the pipeline waits."""
        loop = self._wire.host.loop
        try:
            awaited = next(waiting)
            while True:
                try:
                    result = asyncio.run_coroutine_threadsafe(_as_coroutine(awaited), loop).result()
                except Exception as error:
                    awaited = waiting.throw(error)
                else:
                    awaited = waiting.send(result)
        except StopIteration as done:
            reply: Reply = done.value
            return reply

    def _fail(self, error: Exception) -> None:
        """A fault of ours while the answer was made: nothing was sent yet, so 500 is."""
        wire = self._wire
        wire.host.pipeline.report(self._r, error)
        if wire.is_closed:
            return
        self._ends = True
        r = self._make()[0]
        r.keepalive = False
        try:
            next(self._waiting(r, 500))
        except StopIteration as done:
            self._answered(done.value)
        except NeedsThread:
            wire.abort()
        else:
            wire.abort()

    # -- the body

    def _want_body(self) -> None:
        """The reader of the body waits: ask the client for it."""
        wire = self._wire
        if self.body is None or wire.is_closed:
            return
        wire.await_body()
        if self._expectation():
            wire.send_interim(CONTINUE)
        wire.watch_reads(self.body.wants_more)

    def _expectation(self) -> bool:
        """Whether the client waits for 100 Continue; true once."""
        found = False
        r: Request | None = self._r
        while r is not None:
            found, r.expecting_100 = found or r.expecting_100, False
            r = r.next
        return found

    def feed(self, data: bytes) -> bytes | None:
        """Bytes from the wire; returns those that are a later request's, None if all are (the body is complete)."""
        body = self.body
        if body is None or body.done:
            return None
        rest = body.feed(data)
        self._wire.watch_reads(body.wants_more)
        return rest

    def end_of_input(self) -> None:
        """The client will send no more."""
        if self.body is not None:
            self.body.fail(BodyError(400, "the client closed the connection in the middle of a request body"))

    def time_out(self) -> None:
        """The time for the body is over, if that is what is waited for."""
        body = self.body
        if body is not None and not body.done and body.is_awaited:
            TIMEOUT_LOG.info(self._wire.info, "AH01382", "Request body read timeout")
            body.fail(BodyError(408, "Request body read timeout"))

    async def _discard(self, body: RequestBody) -> None:
        """Read away what a handler left of a body, so that the next request can be found."""
        try:
            while await body.next():
                pass
        except BodyError:
            after = self._wire.linger
        else:
            after = self._wire.rest
        self._task = None
        self._let_go()
        if not self._wire.is_closed:
            self._wire.guard(after)

    # -- the answer

    def _answered(self, reply: Reply) -> None:
        wire = self._wire
        if wire.state is CLOSED:
            # The client is gone; its request is still logged.
            self._account(reply, 0)
            self._let_go()
            return
        is_told = bool(self._raw) and self.body is None and wire.offer(self._raw, reply)
        if not is_told and "replay" not in reply.request.notes:
            # A body, an unusual head, an end of the connection that nobody asked for.
            wire.host.hot.replay.pass_by(reply, reply.request.record.volatile or "out of the ordinary")
        self._answer = reply
        traffic = reply.request.traffic
        if traffic.tracks_first_byte:
            traffic.first_byte = time.time()
        if reply.at_once and self.body is None:
            wire.send_at_once(reply.at_once)
        else:
            wire.send(reply.head, reply.body)

    def sent(self, count: int) -> None:
        """All of the answer is out, `count` bytes: log it, and go on or end."""
        reply, self._answer = self._answer, None
        if reply is None:
            return
        wire, body = self._wire, self.body
        close = self._account(reply, count)
        if close or (body is not None and not body.done and reply.request.expecting_100):
            self._let_go()
            wire.linger()
        elif body is not None and not body.done:
            wire.answering_goes_on()
            self._task = wire.host.loop.create_task(self._discard(body))
        else:
            self._let_go()
            wire.rest()

    def cut(self, count: int) -> None:
        """The connection is lost; `count` bytes of the answer were sent."""
        reply, self._answer = self._answer, None
        if self.body is not None:
            self.body.fail(BodyError(400, "connection lost"))
        if reply is not None:
            self._account(reply, count)
            self._let_go()

    def _let_go(self) -> None:
        """Nobody reads the body any more; without this, records and their open files would wait for the garbage collector."""
        if self.body is not None:
            self.body.detach()

    def cancel(self) -> None:
        """The worker ends: so does what runs for this request."""
        if self.body is not None:
            self.body.fail(BodyError(400, "the server stops"))
        if self._task is not None:
            self._task.cancel()

    def report(self, error: Exception) -> None:
        """Log what went wrong while the body of the answer was made."""
        self._wire.host.pipeline.report(self._answer.request if self._answer is not None else self._r, error)

    def _account(self, reply: Reply, count: int) -> bool:
        """Say what was sent to the record, the log and the counters; returns whether the connection ends."""
        wire, r = self._wire, reply.request
        first = r if r.prev is None else r.first
        close = self._ends or reply.close or wire.host.draining
        wire.info.bytes_out += count
        if not reply.chunked:
            body_sent = count - len(reply.head)
            r.bytes_sent = body_sent if body_sent > 0 else 0
        first.bytes_sent = r.bytes_sent
        if self.body is not None:
            first.trailers_in = tuple([(n.decode("latin-1"), v.decode("latin-1")) for n, v in self.body.trailers])
        traffic = r.traffic
        traffic.bytes_in = wire.take_received()
        traffic.bytes_out = count
        traffic.kept_alive = not (close or wire.info.aborted)
        traffic.finished = time.time()
        wire.host.pipeline.log_transaction(first)
        wire.host.answered(wire, first, count)
        return close


def _let_block(r: Request | None) -> None:
    """Allow this request, and all that it was redirected to, to block."""
    while r is not None:
        r.may_block = True
        r = r.next


def _advance(step: Callable[[Any], Any], value: Any) -> tuple[Reply | None, Any]:
    """One step of a request: its reply, or what it waits for next."""
    try:
        return None, step(value)
    except StopIteration as done:
        reply: Reply = done.value
        return reply, None


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable
