"""One client connection's life: bytes in, requests out, keep-alive, time-outs.

The upper half of a connection; the lower, `Wire`, has the socket. It reads heads and says which byte is whose; what happens to one
request is an `Exchange`, and a request whose answer is kept is answered right here. README.md has the states.
"""

from __future__ import annotations

import socket
import time

from coachwhip.api.server import Connection, Server
from coachwhip.connection.body import limits_of
from coachwhip.connection.exchange import TIMEOUT_LOG, Exchange
from coachwhip.connection.guest import Guest
from coachwhip.connection.peer import Sending
from coachwhip.connection.states import ANSWERING, IDLE, LINGERING, NEW, READING, SENDING
from coachwhip.connection.timing import Stage
from coachwhip.connection.wire import Host, Wire
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.http1 import REGISTERED_METHODS, HeadReader, Limits, RequestHead, Rules, parse_usual
from coachwhip.request.replay import Entry
from coachwhip.request.reply import Reply

__all__ = ["ClientConnection", "Host"]

#: Requests answered in one turn of the loop before other connections get theirs.
TURN = 64
#: Where the next bytes are those of a head.
_WAITING = (NEW, IDLE, READING)
#: Plain names, see `api/outcome.py`.
_HEADER_STAGE, _BODY_STAGE, _IDLE_STAGE = Stage.HEADER, Stage.BODY, Stage.IDLE


class ClientConnection(Wire):
    """One accepted socket. While it is idle it holds no reader, no outbox and no exchange."""

    __slots__ = (
        "_advancing",
        "_exchange",
        "_hot",
        "_reader",
        "_received_before",
        "_rest",
        "_sending",
        "_started",
        "table",
    )

    def __init__(self, host: Host, sock: socket.socket, info: Connection) -> None:
        super().__init__(host, sock, info)
        self._hot = host.hot
        #: Where its kept answers are; None if there are none for it.
        self.table = host.hot.table_of(info)
        self._reader: HeadReader | None = None
        self._exchange: Exchange | None = None
        #: Bytes that came behind the request at hand.
        self._rest = b""
        #: When the head at hand began, wall clock; 0 while there is none.
        self._started = 0.0
        self._received_before = 0
        self._advancing = False
        #: The kept answer that is on its way.
        self._sending: Sending | None = None

    @property
    def request_line(self) -> str:
        """The request at hand, for the scoreboard; "" while there is none."""
        head = self._exchange.head if self._exchange is not None else None
        if head is None:
            return ""
        return f"{head.method.decode('latin-1')} {head.target.decode('latin-1')} HTTP/{head.version // 1000}.{head.version % 1000}"

    @property
    def started(self) -> float:
        """When the request at hand began, wall clock; 0 while there is none."""
        return self._started

    def start(self, data: bytes = b"", guest: Guest | None = None) -> None:
        """Begin; `data` has arrived already, or `guest` was given an answer."""
        if guest is not None:
            self.guard(self._go_on, guest)
        elif data:
            self.guard(self.arrived, data)
        if self.state in _WAITING:
            self.watch_reads(True)

    def _go_on(self, guest: Guest) -> None:
        if guest.entry is not None:
            self._begin_with(guest.entry, guest.sending)
        else:
            self._end_first_wait()
            self.clock.deadline = guest.clock.deadline

    def _begin_with(self, entry: Entry, sending: Sending | None) -> None:
        """The first request has a kept answer."""
        self._end_first_wait()
        self.replayed(entry, sending)

    def _end_first_wait(self) -> None:
        """The time for the first head is over."""
        self.state = IDLE
        self.clock.enter(_IDLE_STAGE, self.info, self._hot.now)

    # -- replaying

    def replayed(self, entry: Entry, sending: Sending | None) -> None:
        """A kept answer was given: what is left of it follows, or the connection closes, or waits for the next request."""
        self._sending = sending
        if sending is not None:
            # As after an answer that was made now: its virtual host says how long the client may take.
            self.info.server = entry.request.server
            if sending.sent == entry.length:
                self._on_sent(0)
            else:
                self.send_later(sending.rest, sending.file)
        elif entry.close:
            self.linger()
        else:
            self.info.keepalives += 1
            self.clock.deadline = self._hot.now + entry.keep_alive

    def offer(self, raw: bytes, reply: Reply) -> bool:
        """Let an answer be kept, if nothing about its request was out of the ordinary. One that cannot be is an answer still.

        True if it was turned down for a reason that is noted.
        """
        if self.table is None or self._rest:
            return False
        try:
            if self._hot.replay.turns_down(reply):
                return True
            self.host.keeper.offer(self.table, raw, self.info, reply)
        except Exception as error:
            self.host.pipeline.report(reply.request, error)
        return False

    # -- reading

    def arrived(self, data: bytes | None) -> None:
        """Bytes have come that no kept answer is for, or the end (b""), or the connection is lost (None)."""
        if data:
            if self.state is NEW:
                self._first(data)
            else:
                self._receive(data)
        elif data is None:
            self.abort()
        elif self.state is LINGERING:
            self.close()
        else:
            self._on_end_of_input()

    def _first(self, data: bytes) -> None:
        """The first bytes have come, later than the connection."""
        table = self.table
        given = self._hot.answer(table, data, self.info, self.fd, self.socket) if table is not None else None
        if given is not None:
            self._begin_with(*given)
        else:
            self.state = READING
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        """Bytes have come: of a head, of a body, of a later request, or of nothing that counts any more."""
        info, count = self.info, len(data)
        info.bytes_in += count
        if self.state is not IDLE:
            # No bytes prolong a rest.
            self.clock.received(count, info, time.monotonic())
            if self.state is LINGERING:
                return
        exchange = self._exchange
        if exchange is None and self._reader is None and not self._rest:
            # Replayed answers have counted theirs.
            self._received_before = info.bytes_in - count
        if exchange is None and self._sending is None:
            self._rest += data
            self._advance()
            return
        rest = exchange.feed(data) if exchange is not None else None
        if rest is not None:
            self._rest += rest
        else:
            # A later request; the socket is left alone until the one at hand is answered.
            self._rest += data
            self.watch_reads(False)

    def _on_end_of_input(self) -> None:
        """The client will send no more. What it has asked for is still answered."""
        self.watch_reads(False)
        if self._exchange is not None:
            self._exchange.end_of_input()
        elif self._reader is not None and self._reader.has_line:
            self._refuse(BadRequest(400, "request failed: error reading the headers", "AH00567"))
        elif self._sending is None:
            self.close()

    def _advance(self) -> None:
        """Answer the complete heads in what has arrived, some of them now and the others after others' turn."""
        if self._advancing:
            return
        self._advancing = True
        try:
            for _ in range(TURN):
                if not self._advance_once() or not self._rest:
                    break
            else:
                self._advance_soon()
                return
        finally:
            self._advancing = False
        if self.state is READING or self.state is IDLE:
            self.watch_reads(True)

    def _advance_soon(self) -> None:
        """Go on with what has arrived; until then the socket is left alone, so that its end is not seen before its bytes are used."""
        self.watch_reads(False)
        self.host.loop.call_soon(self.guard, self._advance)

    def _advance_once(self) -> bool:
        """Answer one head if it is there; returns whether another may be."""
        if self.state is not READING and self.state is not IDLE:
            return False
        reader = self._reader
        if reader is None:
            data = self._rest
            if not data:
                return False
            limits, rules = _rules_of(self.info.base_server)
            usual = parse_usual(data, limits, rules)
            if usual is not None:
                end = usual[1]
                # It was there at once, so no time for it begins to run.
                self._started = time.time()
                if end == len(data):
                    self._answer(usual[0], data, b"")
                else:
                    self._answer(usual[0], b"", data[end:])
                return True
            reader = self._reader = HeadReader(limits, rules)
        raw, self._rest = self._rest, b""
        is_first = not reader.started
        reader.feed(raw)
        try:
            head = reader.read()
        except BadRequest as error:
            self._refuse(error)
            return False
        if head is not None:
            self._reader = None
            self._begin_head()
            self._answer(head, raw if is_first and not reader.rest else b"", reader.rest)
            return True
        if reader.started:
            self._begin_head()
        return False

    def _begin_head(self) -> None:
        """The first byte of a request has arrived."""
        if self._started:
            return
        self._started = time.time()
        if self.state is IDLE:
            # The first head's time began with the connection, a later one's begins with its first byte.
            self.clock.enter(_HEADER_STAGE, self.info, time.monotonic())
        self.state = READING

    def _answer(self, head: RequestHead, raw: bytes, rest: bytes) -> None:
        self.state = ANSWERING
        exchange = self._exchange = Exchange(self, self._started, raw)
        self._rest = exchange.begin(head, rest)
        exchange.run()

    def _refuse(self, error: BadRequest) -> None:
        """Answer bytes that are no request."""
        self._begin_head()
        line = self._reader.first_line if self._reader is not None else b""
        self._reader = None
        self.state = ANSWERING
        self.watch_reads(False)
        exchange = self._exchange = Exchange(self, self._started)
        exchange.begin_broken(error, line)
        exchange.run()

    # -- what an exchange asks of its connection

    def await_body(self) -> None:
        """The time for the body begins to run, or goes on."""
        if self.clock.stage is _BODY_STAGE:
            self.clock.received(0, self.info, time.monotonic())
        else:
            self.clock.enter(_BODY_STAGE, self.info, time.monotonic())

    def answering_goes_on(self) -> None:
        """The answer is out, but its request is not done."""
        self.state = ANSWERING

    def take_received(self) -> int:
        """Bytes of the request at hand, and of what came before it and was none."""
        received = self.info.bytes_in - len(self._rest)
        count, self._received_before = received - self._received_before, received
        return count

    def rest(self) -> None:
        """Wait for the next request."""
        info = self.info
        info.keepalives += 1
        self._exchange = None
        self._started = 0.0
        self.state = IDLE
        # The virtual host that answered says how long (as Apache does it); the address's own server judges the next head.
        self.clock.enter(_IDLE_STAGE, info, time.monotonic())
        info.server = info.base_server
        if not self._rest:
            self.watch_reads(True)
        elif not self._advancing:
            self._advance_soon()

    # -- what the wire tells

    def _ask_for_reads(self, on: bool) -> None:
        self.host.poller.watch_reads(self, on)

    def _ask_for_writes(self, on: bool) -> None:
        self.host.poller.watch_writes(self, on)

    def _on_sent(self, count: int) -> None:
        if self._exchange is not None:
            self._exchange.sent(count)
            return
        stays = self._sending is not None and not self._sending.entry.close
        self._end_sending(count)
        if stays:
            self.rest()
        else:
            self.linger()

    def _end_sending(self, count: int) -> None:
        """A kept answer is out, or cut, after `count` more bytes: count it and log it."""
        sending, self._sending = self._sending, None
        if sending is None:
            return
        info = self.info
        size = sending.sent + count
        info.bytes_out += size
        if info.aborted:
            self.host.pipeline.log_transaction(self._hot.tally.cut(sending, info, size))
        else:
            self._hot.tally.finish(sending, info, size)

    def _on_broken_body(self, error: Exception) -> None:
        if self._exchange is not None:
            self._exchange.report(error)

    def _let_go(self) -> None:
        self._exchange = None
        self._reader = None
        self._rest = b""

    # -- the end

    def abort(self) -> None:
        """The client is gone, or the answer cannot be completed: what was begun is logged as cut."""
        exchange = self._exchange
        sent = max(self._outbox.sent, 0) if self._outbox is not None else 0
        super().abort()
        if exchange is not None:
            exchange.cut(sent)
        else:
            self._end_sending(sent)

    def close(self) -> None:
        """Give the socket back and end what runs for it; may be called at any time, twice too."""
        exchange = self._exchange
        super().close()
        if exchange is not None:
            exchange.cancel()

    def _close(self) -> None:
        if not self.is_closed:
            super()._close()
            self.host.forget(self)

    def drain(self) -> None:
        """The worker is going: an idle connection closes now, a busy one after its answer."""
        if self._exchange is None and self._sending is None and not self._started and self.state is not LINGERING:
            self.linger()

    def check_time(self, now: float) -> None:
        """Called when the deadline seems to have passed: end what takes too long."""
        if self.clock.expired(now):
            self.guard(self._time_out)

    def _time_out(self) -> None:
        if self.state is READING and self._started:
            TIMEOUT_LOG.info(self.info, "AH01382", "Request header read timeout")
            if self._reader is not None and self._reader.has_line:
                self._refuse(BadRequest(408, "Request header read timeout", "AH01382"))
            else:
                self.linger()
        elif self.state is ANSWERING:
            if self._exchange is not None:
                self._exchange.time_out()
        elif self.state is SENDING:
            self.abort()
        elif self.state is IDLE:
            self.linger()
        else:
            self.close()


#: Where `Server.state` keeps what heads are judged by.
_RULES = "connection/serve.py"


def _rules_of(server: Server) -> tuple[Limits, Rules]:
    """The limits and rules that a server's settings make, once per server."""
    found: tuple[Limits, Rules] | None = server.state.get(_RULES)
    if found is None:
        core = server.core
        limits = limits_of(core)
        methods = REGISTERED_METHODS | {m.encode("latin-1") for m in core.registered_methods}
        found = limits, Rules(core.strict, core.lenient_methods, core.allow_09, methods)
        server.state[_RULES] = found
    return found
