"""The bench's own load generator, for machines without `wrk` or `ab`, and the holder of idle connections.

A program of its own, so that it can be bound to a core: it reads one line of JSON (a `Plan`), makes load, and prints one line of JSON. In
mode `hold` it prints once all connections are open and idle, and ends when its standard input does. One thread on `epoll`; it is slower
than `wrk`, so compare CPU per request, not requests per second, of runs that were made with it. Loopback only.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Answer", "Generator", "Outcome", "Plan", "main"]

_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\nTransfer-Encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_READ = 256 << 10
SERIAL = "\x00"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `mode`: keep, new or hold. `total`: requests after which to stop, 0 for `seconds` alone."""

    port: int
    mode: str
    connections: int
    seconds: float
    heads: list[str]
    serial: int = 0
    total: int = 0
    #: Statuses from 400 on are what is asked for.
    fails: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it; latencies in milliseconds."""

    requests: int = 0
    seconds: float = 0.0
    bytes: int = 0
    errors: int = 0
    wrong_status: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(slots=True)
class Answer:
    """One answer as it arrives."""

    head: bytes = b""
    status: int = 0
    #: Bytes of the body still to come; -1: until the last chunk; -2: until the end of the connection.
    left: int = 0
    tail: bytes = b""

    def feed(self, data: bytes) -> bool:
        """Take what has arrived; True when the answer is whole."""
        if not self.status:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            data, self.head = self.head[end + 4 :], self.head[: end + 4]
            self._judge()
        if self.left >= 0:
            self.left -= len(data)
            return self.left <= 0
        if self.left == -1:
            self.tail = (self.tail + data)[-5:]
            return self.tail == b"0\r\n\r\n"
        return False

    def _judge(self) -> None:
        """RFC 9112 §6.3, as far as answers to GET go. Raises ValueError if this is no answer."""
        if not re.match(rb"HTTP/1\.[01] [1-9][0-9][0-9] ", self.head):
            raise ValueError("not an HTTP/1 answer")
        self.status = int(self.head[9:12])
        if self.status in (204, 304):
            self.left = 0
        elif _CHUNKED.search(self.head):
            self.left = -1
        else:
            length = _LENGTH.search(self.head)
            self.left = int(length[1]) if length else -2


@dataclass(slots=True)
class Client:
    """One connection."""

    sock: socket.socket
    began: float
    answer: Answer = field(default_factory=Answer)
    waiting: bool = False


class Generator:
    """Carries a plan out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.outcome = Outcome()
        self._heads = [head.encode("latin-1") if SERIAL not in head else head for head in plan.heads]
        self._next = 0
        self._serial = plan.serial
        self._started = 0
        self._clients: dict[int, Client] = {}
        self._poll = select.epoll()
        self._times: list[float] = []
        self._deadline = 0.0

    def run(self) -> Outcome:
        """Make load until the plan's end."""
        began = time.perf_counter()
        self._deadline = began + self.plan.seconds
        for _ in range(self.plan.connections):
            self._open()
        while self._clients and time.perf_counter() < self._deadline:
            self._turn(0.1)
        self.outcome.seconds = time.perf_counter() - began
        for client in list(self._clients.values()):
            self._close(client)
        return self._measured()

    def hold(self) -> list[socket.socket]:
        """Open all connections, with one finished request on each; they stay open."""
        held = []
        for _ in range(self.plan.connections):
            sock = socket.create_connection(("127.0.0.1", self.plan.port), timeout=20)
            sock.sendall(self._request())
            answer = Answer()
            while not answer.feed(data := sock.recv(_READ)):
                if not data:
                    self.outcome.errors += 1
                    break
            self.outcome.requests += 1
            held.append(sock)
        return held

    def _measured(self) -> Outcome:
        self._times.sort()
        if self._times:
            self.outcome.p50_ms = self._times[len(self._times) // 2] * 1000
            self.outcome.p99_ms = self._times[min(len(self._times) * 99 // 100, len(self._times) - 1)] * 1000
        return self.outcome

    def _request(self) -> bytes:
        head = self._heads[self._next]
        self._next = (self._next + 1) % len(self._heads)
        if isinstance(head, bytes):
            return head
        self._serial += 1
        return head.replace(SERIAL, str(self._serial)).encode("latin-1")

    def _may_start(self) -> bool:
        if self.plan.total and self._started >= self.plan.total:
            return False
        self._started += 1
        return True

    def _open(self) -> None:
        if not self._may_start():
            return
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.plan.port))
        self._clients[sock.fileno()] = Client(sock, time.perf_counter(), waiting=True)
        self._poll.register(sock.fileno(), select.EPOLLOUT)

    def _turn(self, patience: float) -> None:
        for number, event in self._poll.poll(patience):
            client = self._clients.get(number)
            if client is None:
                continue
            try:
                if client.waiting:
                    self._send(client, number, event)
                else:
                    self._receive(client)
            except (OSError, ValueError):
                self.outcome.errors += 1
                self._close(client)
                self._open()

    def _send(self, client: Client, number: int, event: int) -> None:
        if event & select.EPOLLERR:
            raise ConnectionError
        client.waiting = False
        client.sock.send(self._request())
        self._poll.modify(number, select.EPOLLIN)

    def _receive(self, client: Client) -> None:
        data = client.sock.recv(_READ)
        self.outcome.bytes += len(data)
        answer = client.answer
        whole = answer.feed(data) if data else answer.status != 0 and answer.left == -2
        if not data and not whole:
            raise ConnectionError
        if not whole:
            return
        now = time.perf_counter()
        self._times.append(now - client.began)
        self.outcome.requests += 1
        self.outcome.wrong_status += (answer.status >= 400) != self.plan.fails
        if self.plan.mode == "new" or not data:
            self._close(client)
            self._open()
        elif self._may_start():
            client.answer, client.began = Answer(), now
            client.sock.send(self._request())
        else:
            self._close(client)

    def _close(self, client: Client) -> None:
        number = client.sock.fileno()
        self._clients.pop(number, None)
        self._poll.unregister(number)
        client.sock.close()


def _say(outcome: Outcome) -> None:
    print(json.dumps(asdict(outcome)), flush=True)


def main() -> int:
    """Read a plan from standard input, carry it out; returns the exit status."""
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    generator = Generator(Plan(**given))
    if generator.plan.mode == "hold":
        held = generator.hold()
        _say(generator.outcome)
        sys.stdin.read()
        for sock in held:
            sock.close()
        return 0
    _say(generator.run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
