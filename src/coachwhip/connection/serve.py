"""One client connection's life: bytes in, requests out, responses back, keep-alive, time-outs, the end.

A connection is a few callbacks on a non-blocking socket; only a request that has to wait (a body, an `async def` handler, a worker
thread) becomes a task. It knows HTTP/1 framing and the loop; what an answer is made of is the pipeline's business.

    reading a head → answering → sending → (next head | lingering close)
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, Protocol

from coachwhip.api.core import CoreDir
from coachwhip.api.log import ModuleLog
from coachwhip.api.request import BodyError, Request
from coachwhip.api.server import Connection
from coachwhip.connection.body import RequestBody
from coachwhip.connection.hot import HotPath
from coachwhip.connection.outbox import FileShrank, Outbox
from coachwhip.connection.timing import Clock, Stage
from coachwhip.hooks import NeedsThread
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.framing import BodyKind, Framing
from coachwhip.protocol.http1 import REGISTERED_METHODS, HeadReader, Limits, RequestHead, Rules
from coachwhip.request import intake
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.replay import Entry, Table
from coachwhip.request.reply import Reply

__all__ = ["ClientConnection", "Host", "State"]

LOG = ModuleLog("core")
READ_SIZE = 64 << 10
#: Requests answered in one turn of the loop before other connections get theirs.
TURN = 64
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class State(Enum):
    """Where a connection is; the scoreboard's letters follow from it."""

    READING = "reading"
    ANSWERING = "answering"
    SENDING = "sending"
    IDLE = "idle"
    LINGERING = "lingering"
    CLOSED = "closed"


class Host(Protocol):
    """The worker that a connection lives in (in `mpm/`)."""

    loop: asyncio.AbstractEventLoop
    pipeline: Pipeline
    hot: HotPath
    #: Set when the worker drains: finish what is begun, then close.
    draining: bool

    def run_in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run `work` on a worker thread."""

    def forget(self, connection: ClientConnection) -> None:
        """The connection is closed."""

    def answered(self, connection: ClientConnection, r: Request, sent: int) -> None:
        """A response went out; for the counters."""


class ClientConnection:
    """One accepted socket."""

    __slots__ = (
        "_body",
        "_clock",
        "_head",
        "_host",
        "_hot",
        "_info",
        "_limit",
        "_outbox",
        "_raw_head",
        "_reader",
        "_reading",
        "_received_before",
        "_replayed_close",
        "_reply",
        "_rest",
        "_sent_before",
        "_socket",
        "_started",
        "_table",
        "_task",
        "_writing",
        "state",
    )

    def __init__(self, host: Host, sock: socket.socket, info: Connection) -> None:
        self._host = host
        self._socket = sock
        self._info = info
        self._outbox = Outbox(sock)
        self._reader = self._new_reader()
        self._rest = b""
        self._body: RequestBody | None = None
        self._head: RequestHead | None = None
        self._reply: Reply | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = 0.0
        self._sent_before = 0
        self._received_before = 0
        self._reading = False
        self._writing = False
        self.state = State.READING
        self._clock = Clock(info, time.monotonic())
        self._hot = host.hot
        self._table = host.hot.table_of(info)
        self._limit = info.base_server.core.max_keep_alive_requests
        #: The bytes of the request at hand, if an answer to it may be kept.
        self._raw_head = b""
        #: Whether a replayed answer that is on its way closes the connection; None if none is.
        self._replayed_close: bool | None = None

    @property
    def info(self) -> Connection:
        """The record that hooks see."""
        return self._info

    @property
    def request_line(self) -> str:
        """The request at hand, for the scoreboard; "" while there is none."""
        head = self._head
        if head is None:
            return ""
        return f"{head.method.decode('latin-1')} {head.target.decode('latin-1')} HTTP/{head.version // 1000}.{head.version % 1000}"

    @property
    def started(self) -> float:
        """When the request at hand began, wall clock; 0 while there is none."""
        return self._started

    def start(self, data: bytes = b"") -> None:
        """Begin; `data` has arrived already."""
        if data:
            self._info.bytes_in += len(data)
            self._clock.received(len(data), time.monotonic())
            self._rest = data
            self._advance()
        if self.state in (State.READING, State.IDLE):
            self._watch_reads(True)

    def send_rest(self, rest: bytes) -> None:
        """Send the end of an answer that was begun at accept, then close."""
        self._outbox.put(rest, None)
        self.state = State.SENDING
        self._replayed_close = True
        self._flush()

    # -- replaying

    def _replay(self, table: Table, data: bytes) -> bool:
        """Answer from what is kept, if these bytes are one whole request that has an answer there."""
        info = self._info
        hot = self._hot
        limit = self._limit
        wire = hot.find(table, data, info, self._host.draining or (limit != 0 and info.keepalives >= limit))
        entry = hot.entry
        if wire is None or entry is None:
            return False
        size = len(wire)
        try:
            sent = self._socket.send(wire) if entry.file is None else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._abort()
            return True
        info.bytes_in += len(data)
        if sent == size and not entry.close:
            info.bytes_out += size
            hot.log(info, len(data), size)
            info.keepalives += 1
            self._clock.rest(hot.now)
            return True
        self._send_kept(entry, wire, sent, len(data))
        return True

    def _send_kept(self, entry: Entry, wire: bytes, sent: int, arrived: int) -> None:
        """A kept answer that did not fit at once, comes from a file, or ends the connection."""
        size = len(wire) + (entry.file.length if entry.file is not None else 0)
        self._info.bytes_out += size
        self._hot.log(self._info, arrived, size)
        if sent == size:
            self._linger()
            return
        self._outbox.put(wire[sent:], iter((entry.file,)) if entry.file is not None else None)
        self.state = State.SENDING
        self._replayed_close = entry.close
        self._clock.enter(Stage.SEND, time.monotonic())
        self._watch_reads(False)
        self._flush()

    # -- reading

    def _new_reader(self) -> HeadReader:
        core = self._info.base_server.core
        limits = Limits(core.limit_request_line, core.limit_request_field_size, core.limit_request_fields)
        methods = REGISTERED_METHODS | {m.encode("latin-1") for m in core.registered_methods}
        return HeadReader(limits, Rules(core.strict, core.lenient_methods, core.allow_09, methods))

    def _on_readable(self) -> None:
        """Bytes have come, or the end. A fault of ours ends this connection alone."""
        try:
            self._read()
        except Exception as error:
            LOG.error(self._info, "", "fault in a connection: %s: %s", type(error).__name__, error)
            self._abort()

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._abort()
            return
        if self.state is State.IDLE and data and self._table is not None and not self._rest and self._replay(self._table, data):
            return
        self._info.bytes_in += len(data)
        if self.state is State.LINGERING:
            if not data:
                self.close()
            return
        if not data:
            self._on_end_of_input()
            return
        self._clock.received(len(data), time.monotonic())
        if self.state in (State.READING, State.IDLE):
            self._rest += data
            self._advance()
        elif self._body is not None and not self._body.done:
            self._rest += self._body.feed(data)
            self._watch_reads(self._body.wants_more)
        else:
            self._rest += data
            # Bytes of a later request; leave the socket alone until this one is answered.
            self._watch_reads(False)

    def _on_end_of_input(self) -> None:
        """The client will send no more. What it has asked for is still answered."""
        self._watch_reads(False)
        if self.state in (State.READING, State.IDLE):
            if self._reader.started:
                LOG.info(self._info, "", "the client closed the connection in the middle of a request head")
            self.close()
        elif self._body is not None and not self._body.done:
            self._body.fail(BodyError(400, "the client closed the connection in the middle of a request body"))

    def _advance(self) -> None:
        """Answer the complete heads in what has arrived."""
        for _ in range(TURN):
            if self.state is not State.READING and self.state is not State.IDLE:
                return
            if self._rest:
                self._raw_head = b"" if self._reader.started else self._rest
                self._reader.feed(self._rest)
                self._rest = b""
            try:
                head = self._reader.read()
            except BadRequest as error:
                self._refuse(error)
                return
            if head is None:
                if self._reader.started:
                    self._begin_head()
                return
            self._begin_head()
            self._rest = self._reader.rest
            self._reader = self._new_reader()
            self._answer(head)
            if not self._rest:
                return
        self._host.loop.call_soon(self._advance)

    def _begin_head(self) -> None:
        """The first byte of a request has arrived."""
        if self._started:
            return
        self._started = time.time()
        if self.state is State.IDLE:
            # The first head's time began with the connection, a later one's begins with its first byte.
            self._clock.enter(Stage.HEADER, time.monotonic())
        self.state = State.READING

    def _refuse(self, error: BadRequest) -> None:
        """Answer bytes that are no request."""
        self._begin_head()
        line = self._reader.first_line if hasattr(self._reader, "first_line") else b""
        r = intake.begin_broken(self._host.pipeline, self._info, error, line, self._started or time.time())
        self._watch_reads(False)
        self._finish_with(r, error.status)

    # -- answering

    def _answer(self, head: RequestHead) -> None:
        """Run a request: at once if nothing has to be waited for, else as a task."""
        self.state = State.ANSWERING
        self._head = head
        r, framing, status = intake.begin(self._host.pipeline, self._info, head, self._started)
        if framing is not None:
            self._attach_body(r, framing)
        if status != 200 or framing is None:
            self._finish_with(r, status if status != 200 else 400)
            return
        waiting = self._host.pipeline.answer(r)
        try:
            first = next(waiting)
        except StopIteration as done:
            self._offer(done.value)
            self._send(done.value)
        except NeedsThread:
            self._become_task(self._answer_in_thread(head))
        else:
            self._become_task(self._answer_later(waiting, first))

    def _finish_with(self, r: Request, status: int) -> None:
        waiting = self._host.pipeline.refuse(r, status)
        try:
            next(waiting)
        except StopIteration as done:
            self._send(done.value)
        except NeedsThread:
            self.close()
        else:
            self.close()

    def _attach_body(self, r: Request, framing: Framing) -> None:
        if framing.kind is BodyKind.NONE:
            self._body = None
            return
        limit = r.dir_settings.get(CoreDir).limit_request_body
        body = self._body = RequestBody(framing, self._host.loop, lambda: self._want_body(r), limit)
        r.body = body
        if self._rest:
            self._rest = body.feed(self._rest)
        self._clock.enter(Stage.BODY, time.monotonic())

    def _want_body(self, r: Request) -> None:
        """The reader of the body waits: ask the client for it."""
        if r.expecting_100:
            r.expecting_100 = False
            self._send_continue()
        self._watch_reads(True)

    def _send_continue(self) -> None:
        if self.state is State.ANSWERING and self._outbox.is_empty:
            self._outbox.put(CONTINUE, None)
            self._flush()

    def _become_task(self, work: Coroutine[Any, Any, None]) -> None:
        self._watch_reads(self._body is None or self._body.wants_more)
        self._task = self._host.loop.create_task(work)

    async def _answer_later(self, waiting: Any, first: Any) -> None:
        """Drive a request that waits for an `async def` handler."""
        awaited = first
        go_on: Callable[[Any], Any]
        value: Any
        while True:
            try:
                result = await awaited
            except Exception as error:
                go_on, value = waiting.throw, error
            else:
                go_on, value = waiting.send, result
            try:
                awaited = go_on(value)
            except StopIteration as done:
                self._task = None
                self._send(done.value)
                return

    async def _answer_in_thread(self, head: RequestHead) -> None:
        """Run a request whose hooks may block on a worker thread, from its beginning."""
        r, framing, status = intake.begin(self._host.pipeline, self._info, head, self._started)
        r.may_block = True
        if framing is not None and self._body is not None:
            r.body = self._body
        reply = await self._host.run_in_thread(lambda: self._run_blocking(r))
        self._task = None
        self._offer(reply)
        self._send(reply)

    def _run_blocking(self, r: Request) -> Reply:
        waiting = self._host.pipeline.answer(r)
        try:
            awaited = next(waiting)
            while True:
                future = asyncio.run_coroutine_threadsafe(_as_coroutine(awaited), self._host.loop)
                try:
                    result = future.result()
                except Exception as error:
                    awaited = waiting.throw(error)
                else:
                    awaited = waiting.send(result)
        except StopIteration as done:
            reply: Reply = done.value
            return reply

    def _offer(self, reply: Reply) -> None:
        """Let the answer be kept, if nothing about the request was out of the ordinary."""
        raw, self._raw_head = self._raw_head, b""
        if raw and self._table is not None and self._body is None and not self._rest:
            self._hot.offer(self._table, raw, self._info, reply)

    # -- sending

    def _send(self, reply: Reply) -> None:
        if self.state is State.CLOSED:
            self._host.pipeline.log_transaction(reply.request.first)
            return
        self._reply = reply
        self.state = State.SENDING
        self._clock.enter(Stage.SEND, time.monotonic())
        self._sent_before = self._outbox.sent
        self._outbox.put(reply.head, reply.body)
        scratch = reply.request.first.scratch
        if "first_byte" in scratch:
            scratch["first_byte"] = time.time()
        self._flush()

    def _flush(self) -> None:
        try:
            done = self._outbox.flush()
        except FileShrank as error:
            LOG.error(self._info, "", "response cut: %s", error)
            self._abort()
            return
        except OSError:
            self._abort()
            return
        except Exception as error:
            if self._reply is not None:
                self._host.pipeline.report(self._reply.request, error)
            self._abort()
            return
        self._clock.progressed(self._outbox.sent, time.monotonic())
        self._watch_writes(not done)
        if done and self.state is State.SENDING:
            if self._replayed_close is None:
                self._sent()
            else:
                self._replay_sent()

    def _replay_sent(self) -> None:
        """A replayed answer that did not fit at once is out."""
        close, self._replayed_close = self._replayed_close, None
        if close:
            self._linger()
        else:
            self._next()

    def _sent(self) -> None:
        """The response is out: log it, and go on or end."""
        reply, self._reply = self._reply, None
        if reply is None:
            return
        body = self._body
        self._account(reply)
        close = reply.close or self._host.draining
        if not close and body is not None and not body.done:
            if reply.request.expecting_100:
                close = True
            else:
                self.state = State.ANSWERING
                self._become_task(self._discard(body))
                return
        if close:
            self._linger()
        else:
            self._next()

    def _account(self, reply: Reply) -> None:
        sent = self._outbox.sent - self._sent_before
        self._info.bytes_out += sent
        r = reply.request
        first = r.first
        if not reply.chunked:
            r.bytes_sent = max(sent - len(reply.head), 0)
        first.bytes_sent = r.bytes_sent
        if self._body is not None:
            first.trailers_in = tuple([(n.decode("latin-1"), v.decode("latin-1")) for n, v in self._body.trailers])
        received = self._info.bytes_in - len(self._rest)
        first.scratch["bytes_in"] = received - self._received_before
        self._received_before = received
        first.scratch["kept_alive"] = not (reply.close or self._host.draining or self._info.aborted)
        first.scratch["bytes_out"] = sent
        first.scratch["finished"] = time.time()
        self._host.pipeline.log_transaction(first)
        self._host.answered(self, first, sent)

    async def _discard(self, body: RequestBody) -> None:
        """Read away what is left of a body that nobody wanted, so that the next request can be found."""
        try:
            while await body.next():
                pass
        except BodyError:
            self._task = None
            self._linger()
            return
        self._task = None
        self._next()

    def _next(self) -> None:
        """Wait for the next request on this connection."""
        self._info.keepalives += 1
        self._info.server = self._info.base_server
        self._body = None
        self._head = None
        self._started = 0.0
        self.state = State.IDLE
        self._clock.enter(Stage.IDLE, time.monotonic())
        self._watch_reads(True)
        if self._rest:
            self._host.loop.call_soon(self._advance)

    # -- the end

    def _linger(self) -> None:
        """Close our side, and read on for a while so that the client sees the whole answer (RFC 9112 §9.6)."""
        self.state = State.LINGERING
        self._clock.enter(Stage.LINGER, time.monotonic())
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self._watch_reads(True)

    def _abort(self) -> None:
        """The client is gone, or the answer cannot be completed."""
        self._info.aborted = True
        reply, self._reply = self._reply, None
        if reply is not None:
            self._account(reply)
        if self._body is not None:
            self._body.fail(BodyError(400, "connection lost"))
        self.close()

    def close(self) -> None:
        """Give the socket back; may be called at any time, twice too."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._watch_reads(False)
        self._watch_writes(False)
        self._outbox.drop()
        self._socket.close()
        self._host.forget(self)

    def drain(self) -> None:
        """The worker is going: an idle connection closes now, a busy one after its answer."""
        if self.state is State.IDLE or (self.state is State.READING and not self._reader.started):
            self._linger()

    def check_time(self, now: float) -> None:
        """Called about once a second: end what takes too long."""
        if not self._clock.expired(now):
            return
        if self.state is State.READING and self._reader.started:
            error = BadRequest(408, "Request header read timeout", "AH01382")
            LOG.info(self._info, "AH01382", "Request header read timeout")
            self._refuse(error)
        elif self.state is State.ANSWERING and self._body is not None and not self._body.done:
            LOG.info(self._info, "AH01382", "Request body read timeout")
            self._body.fail(BodyError(408, "Request body read timeout"))
        elif self.state is State.ANSWERING:
            return
        elif self.state is State.SENDING:
            self._abort()
        elif self.state is State.IDLE:
            self._linger()
        else:
            self.close()

    # -- the loop

    def _watch_reads(self, on: bool) -> None:
        if on is self._reading:
            return
        self._reading = on
        if on:
            self._host.loop.add_reader(self._socket, self._on_readable)
        else:
            self._host.loop.remove_reader(self._socket)

    def _watch_writes(self, on: bool) -> None:
        if on is self._writing:
            return
        self._writing = on
        if on:
            self._host.loop.add_writer(self._socket, self._flush)
        else:
            self._host.loop.remove_writer(self._socket)


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable
