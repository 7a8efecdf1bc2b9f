"""A herd: thousands of raw connections, held and watched by one epoll. What they send is theirs alone; they know no HTTP.

    herd = Herd(port)
    slow = herd.join(2000, b"GET / HTTP/1.1\\r\\nX: ")
    herd.graze(30, drip=slow)          one byte a second on each of them, for 30 s
    late = [one for one in slow if one.ended is None]
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

__all__ = ["Herd", "Member", "ended", "vanish"]

#: What is kept of the first bytes that a member received.
KEPT = 1 << 12
#: How often drips are sent, in seconds: each time to a part of the herd.
BEAT = 0.05


@dataclass(eq=False, slots=True)
class Member:
    """One connection. Monotonic seconds; `ended`: when the server closed or reset it."""

    sock: socket.socket
    joined: float
    received: bytearray = field(default_factory=bytearray)
    count: int = 0
    ended: float | None = None
    was_reset: bool = False

    @property
    def lasted(self) -> float:
        """Seconds until the server ended it, infinity if it has not."""
        return self.ended - self.joined if self.ended is not None else float("inf")


def ended(members: Sequence[Member]) -> Callable[[], bool]:
    """For `graze`: until the server has ended all of these."""
    return lambda: all(one.ended is not None for one in members)


def vanish(sock: socket.socket) -> None:
    """Close so that the other side gets a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Herd:
    """Connections to one port of the loopback; a context manager that closes them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self.members: dict[int, Member] = {}

    def __enter__(self) -> Herd:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for member in self.members.values():
            member.sock.close()
        self._poll.close()

    def join(self, count: int, request: bytes, *, reads: bool = True, buffer: int = 0, rate: float = 0.0) -> list[Member]:
        """Connect so many, and send `request` on each. Not `reads`: whatever comes is left where it is. `buffer`: of receiving, bytes.
        `rate`: so many a second, 0 for as fast as it goes.

        Raises:
            OSError: a connection was refused, or did not come about in 30 seconds.
        """
        joined: list[Member] = []
        began = time.monotonic()
        for number in range(count):
            while rate and (left := began + number / rate - time.monotonic()) > 0:
                self.turn(left)
            sock = socket.socket()
            if buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.settimeout(30)
            sock.connect(("127.0.0.1", self._port))
            joined.append(self._take(sock, reads))
            _send(sock, request)
            if number % 100 == 99:
                self.turn(0)
        return joined

    def burst(self, count: int, request: bytes) -> list[Member]:
        """Begin so many connections at once, without waiting for any; the request goes with each as soon as it is there."""
        members = []
        for _ in range(count):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self._port))
            members.append(self._take(sock, reads=True))
        waiting = {member.sock.fileno(): member for member in members}
        ready = select.epoll()
        for number in waiting:
            ready.register(number, select.EPOLLOUT)
        until = time.monotonic() + 30
        while waiting and time.monotonic() < until:
            for number, _ in ready.poll(0.01):
                ready.unregister(number)
                _send(waiting.pop(number).sock, request)
            self.turn(0)
        ready.close()
        return members

    def _take(self, sock: socket.socket, reads: bool) -> Member:
        member = Member(sock, time.monotonic())
        self.members[sock.fileno()] = member
        self._poll.register(sock.fileno(), select.EPOLLIN if reads else 0)
        return member

    def leave(self, member: Member, close: Callable[[socket.socket], None] = socket.socket.close) -> None:
        """Let a member go."""
        if self.members.pop(member.sock.fileno(), None) is not None and member.ended is None:
            self._poll.unregister(member.sock.fileno())
        close(member.sock)

    def turn(self, seconds: float) -> None:
        """Take in what has arrived, or arrives within so many seconds."""
        for number, event in self._poll.poll(seconds, 4096):
            member = self.members[number]
            data = b""
            try:
                data = member.sock.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError:
                member.was_reset = True
            member.count += len(data)
            if len(member.received) < KEPT:
                member.received += data[:KEPT]
            if not data or event & select.EPOLLERR:
                member.ended = time.monotonic()
                self._poll.unregister(number)

    def graze(self, seconds: float, drip: Sequence[Member] = (), until: Callable[[], bool] = lambda: False) -> None:
        """Watch for so long, or until something is true; `drip`: members that send one byte a second meanwhile."""
        began, turns, per_beat = time.monotonic(), 0, -(-len(drip) * BEAT // 1)
        part = int(per_beat) or 1
        while time.monotonic() < began + seconds and not until():
            if drip:
                at = turns * part % len(drip)
                for member in drip[at : at + part]:
                    if member.ended is None:
                        _send(member.sock, b"x")
            turns += 1
            beat = began + turns * BEAT
            while (left := beat - time.monotonic()) > 0:
                self.turn(left)


def _send(sock: socket.socket, data: bytes) -> None:
    """What the server's side does not take is lost: its end shows in what is received."""
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        sock.send(data)
