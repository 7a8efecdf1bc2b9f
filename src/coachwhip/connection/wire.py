"""The socket of a connection: what is sent on it, when the loop tells of it, how it ends.

The lower half of `ClientConnection`. It moves bytes and keeps time; it knows nothing of heads, requests or kept answers, and tells the
upper half by the five methods at the end of `Wire`.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from coachwhip.api.buckets import File
from coachwhip.api.log import ModuleLog
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.connection.hot import HotPath
from coachwhip.connection.keeping import Keeper
from coachwhip.connection.outbox import ClientGone, FileShrank, Outbox
from coachwhip.connection.places import Places
from coachwhip.connection.poller import Poller
from coachwhip.connection.states import ANSWERING, CLOSED, LINGERING, NEW, SENDING
from coachwhip.connection.timing import Clock, Stage
from coachwhip.request.pipeline import Pipeline

if TYPE_CHECKING:
    from coachwhip.connection.serve import ClientConnection

__all__ = ["Host", "Wire"]

LOG = ModuleLog("core")


class Host(Protocol):
    """The worker that a connection lives in (in `mpm/`)."""

    loop: asyncio.AbstractEventLoop
    pipeline: Pipeline
    hot: HotPath
    keeper: Keeper
    poller: Poller
    places: Places
    #: Set when the worker drains: finish what is begun, then close.
    draining: bool

    def run_in_thread(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run `work` on a worker thread."""

    def forget(self, connection: ClientConnection) -> None:
        """The connection is closed."""

    def answered(self, connection: ClientConnection, r: Request, sent: int) -> None:
        """A response went out; for the counters."""


class Wire:
    """A non-blocking socket with a clock. `send`, `linger`, `abort` and `close` are its verbs."""

    __slots__ = ("_outbox", "clock", "fd", "host", "info", "is_reading", "is_writing", "socket", "state")

    def __init__(self, host: Host, sock: socket.socket, info: Connection) -> None:
        self.host = host
        #: The record that hooks see.
        self.info = info
        self.state = NEW
        self.socket = sock
        self.fd = sock.fileno()
        self.clock = Clock(info, time.monotonic())
        self._outbox: Outbox | None = None
        #: Whether the loop tells of bytes that come, and of room for more to be sent; only `Wire` changes them.
        self.is_reading = False
        self.is_writing = False

    @property
    def is_closed(self) -> bool:
        """The socket was given back."""
        return self.state is CLOSED

    @property
    def moved(self) -> int:
        """Bytes in both directions so far, those of an answer on its way included: what shows that a connection makes progress."""
        return self.info.bytes_in + self.info.bytes_out + (self._outbox.sent if self._outbox is not None else 0)

    def guard(self, step: Callable[..., None], *args: Any) -> None:
        """Every way in from the loop: a fault of ours ends this connection alone."""
        try:
            step(*args)
        except Exception as error:
            self.fault(error)

    def fault(self, error: Exception) -> None:
        """A fault of ours, met while something was done for this connection."""
        LOG.error(self.info, "", "fault in a connection: %s: %s", type(error).__name__, error)
        self.abort()

    # -- sending

    def send_at_once(self, data: bytes) -> None:
        """Send an answer that is all there; as `send`, without an outbox if the socket takes it."""
        count = 0
        if self._outbox is None:
            self.state = SENDING
            try:
                count = self.socket.send(data)
            except (BlockingIOError, InterruptedError):
                count = 0
            except OSError:
                self.abort()
                return
            if count == len(data):
                self._on_sent(count)
                return
        self.send(data[count:], None, count)

    def send_later(self, rest: bytes, file: File | None) -> None:
        """Send these, the rest of an answer, when the socket takes more."""
        self._begin_to_send(rest, iter((file,)) if file is not None else None, 0)
        self._watch_writes(True)

    def send(self, head: bytes, body: Iterator[bytes | File] | None, sent: int = 0) -> None:
        """Send an answer of which `sent` bytes are out already; `_on_sent` tells when all of it is."""
        self._begin_to_send(head, body, sent)
        self._flush()

    def _begin_to_send(self, head: bytes, body: Iterator[bytes | File] | None, sent: int) -> None:
        self.state = SENDING
        self.clock.enter(Stage.SEND, self.info, time.monotonic())
        if self._outbox is None:
            self._outbox = Outbox(self.socket)
        self._outbox.put(head, body, sent)

    def send_interim(self, data: bytes) -> None:
        """Send a 1xx response while the request is at work."""
        if self.state is ANSWERING and self._outbox is None:
            self._outbox = Outbox(self.socket)
            self._outbox.put(data, None)
            self._flush()

    def on_writable(self) -> None:
        """The socket takes more, or fails."""
        self.guard(self._flush)

    def _flush(self) -> None:
        outbox = self._outbox
        if outbox is None:
            self._watch_writes(False)
            return
        before = outbox.sent
        try:
            done = outbox.flush()
        except ClientGone:
            self.abort()
        except FileShrank as error:
            LOG.error(self.info, "", "response cut: %s", error)
            self.abort()
        except Exception as error:
            self._on_broken_body(error)
            self.abort()
        else:
            if outbox.sent != before:
                self.clock.progressed(self.info, time.monotonic())
            self._watch_writes(not done)
            if done:
                self._outbox = None
                if self.state is SENDING:
                    self._on_sent(outbox.sent)

    # -- the end

    def linger(self) -> None:
        """Close our side, and read on for a while so that the client sees the whole answer (RFC 9112 §9.6)."""
        self.state = LINGERING
        self.clock.enter(Stage.LINGER, self.info, time.monotonic())
        self._let_go()
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.watch_reads(True)

    def abort(self) -> None:
        """The client is gone, or the answer cannot be completed."""
        self.info.aborted = True
        self._close()

    def close(self) -> None:
        """Give the socket back; may be called at any time, twice too."""
        self._close()

    def _close(self) -> None:
        if self.state is CLOSED:
            return
        self.state = CLOSED
        self.watch_reads(False)
        self._watch_writes(False)
        outbox, self._outbox = self._outbox, None
        self._let_go()
        self.socket.close()
        if outbox is not None:
            outbox.drop()

    # -- the loop

    def watch_reads(self, on: bool) -> None:
        """Whether to be told when bytes come."""
        if on is self.is_reading or (on and self.state is CLOSED):
            return
        self.is_reading = on
        self._ask_for_reads(on)

    def _watch_writes(self, on: bool) -> None:
        """Whether to be told as long as the socket takes more."""
        if on is self.is_writing:
            return
        self.is_writing = on
        self._ask_for_writes(on)

    # -- what the upper half is told

    def _ask_for_reads(self, on: bool) -> None:
        """Tell the poller whether to read for this connection."""
        raise NotImplementedError

    def _ask_for_writes(self, on: bool) -> None:
        """Tell the poller whether to call `on_writable`."""
        raise NotImplementedError

    def _on_sent(self, count: int) -> None:
        """All of an answer is out, `count` bytes."""
        raise NotImplementedError

    def _on_broken_body(self, error: Exception) -> None:
        """The rest of an answer's body cannot be made; the connection is cut next."""
        raise NotImplementedError

    def _let_go(self) -> None:
        """No more requests: give up what is kept for them."""
        raise NotImplementedError
