"""How evenly connections fall on workers, by the way in which the workers accept: `python -m coachwhip.bench.balance`.

Bare workers, each an epoll loop that answers every request with two bytes, so that what is measured is the accepting alone. A client
opens connections, all at once or one every few milliseconds, asks once on each and keeps it. Then one worker is stopped, and it is
counted how many of as many new connections are answered all the same. mpm/README.md has figures, and what was decided by them.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["WAYS", "Figures", "main", "measure"]

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#: Seconds that an answer may take where a worker is stopped, and that a worker with enough looks away.
PATIENCE = 1.0
LOOK_AWAY = 0.002
#: Seconds between connections that do not come all at once.
APART = 0.003

#: Way → (listeners of its own for each worker, accepted in one turn, EPOLLEXCLUSIVE, looks away when it has enough).
WAYS = {
    "shared, 64 in a turn": (False, 64, False, False),
    "shared, 1 in a turn": (False, 1, False, False),
    "shared, EPOLLEXCLUSIVE": (False, 1, True, False),
    "one listener each (SO_REUSEPORT)": (True, 64, False, False),
    "shared, looking away": (False, 64, False, True),
}


@dataclass(slots=True)
class Figures:
    """What one way gave."""

    #: Connections of each worker when all came at once, and when they came apart.
    at_once: list[int]
    apart: list[int]
    #: How many of how many new connections were answered while one worker was stopped.
    answered: int
    asked: int


@dataclass(slots=True)
class _Worker:
    """One process; `counts` is memory that all share."""

    number: int
    listeners: list[socket.socket]
    counts: mmap.mmap
    workers: int
    turn: int
    exclusive: bool
    looks_away: bool
    connections: dict[int, socket.socket] = field(default_factory=dict)
    poll: select.epoll = field(default_factory=select.epoll)
    #: Until when the listeners are left to others; 0: they are not.
    away_until: float = 0.0

    def serve(self) -> None:
        self._listen()
        by_fd = {listener.fileno(): listener for listener in self.listeners}
        while True:
            for fd, _ in self.poll.poll(LOOK_AWAY if self.away_until else -1):
                if fd in by_fd:
                    self._accept(by_fd[fd])
                else:
                    self._answer(fd)
            if self.away_until and time.monotonic() >= self.away_until:
                self._listen()
                self._take(self.listeners[0], 1)
                self.away_until = 0.0

    def _listen(self) -> None:
        for listener in self.listeners:
            self.poll.register(listener, select.EPOLLIN | (select.EPOLLEXCLUSIVE if self.exclusive else 0))

    def _accept(self, listener: socket.socket) -> None:
        room = self.turn
        if self.looks_away and not self.away_until:
            least = min(struct.unpack_from(f"{self.workers}I", self.counts))
            room = min(room, least + 2 + least // 16 - len(self.connections))
            if room <= 0:
                self.poll.unregister(listener)
                self.away_until = time.monotonic() + LOOK_AWAY
                return
        self._take(listener, room)

    def _take(self, listener: socket.socket, most: int) -> None:
        for _ in range(most):
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            self.connections[sock.fileno()] = sock
            self.poll.register(sock, select.EPOLLIN)
            self._show()

    def _answer(self, fd: int) -> None:
        if self.connections[fd].recv(4096):
            self.connections[fd].send(ANSWER)
            return
        self.poll.unregister(fd)
        self.connections.pop(fd).close()
        self._show()

    def _show(self) -> None:
        struct.pack_into("I", self.counts, 4 * self.number, len(self.connections))


def measure(way: str, workers: int, connections: int) -> Figures:
    """Start workers, connect, count, and end them."""
    separate, turn, exclusive, looks_away = WAYS[way]
    listeners = _listeners(workers if separate else 1)
    counts = mmap.mmap(-1, 4 * workers)
    address = listeners[0].getsockname()

    def run(number: int) -> None:
        own = [listeners[number]] if separate else listeners
        _Worker(number, own, counts, workers, turn, exclusive, looks_away).serve()

    pids = [_fork(run, number) for number in range(workers)]
    try:
        at_once = _spread(address, connections, 0.0, counts, workers)
        apart = _spread(address, connections, APART, counts, workers)
        os.kill(pids[0], signal.SIGSTOP)
        return Figures(at_once, apart, _answered(_connect(address, connections, 0.0)), connections)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for listener in listeners:
            listener.close()


def _listeners(count: int) -> list[socket.socket]:
    made: list[socket.socket] = []
    for _ in range(count):
        sock = socket.socket()
        if count > 1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(made[0].getsockname() if made else ("127.0.0.1", 0))
        sock.listen(511)
        sock.setblocking(False)
        made.append(sock)
    return made


def _fork(run: Callable[[int], None], number: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            run(number)
        finally:
            os._exit(1)
    return pid


def _connect(address: tuple[str, int], count: int, apart: float) -> list[socket.socket]:
    opened: list[socket.socket] = []
    for _ in range(count):
        sock = socket.create_connection(address)
        sock.sendall(REQUEST)
        opened.append(sock)
        time.sleep(apart)
    return opened


def _spread(address: tuple[str, int], count: int, apart: float, counts: mmap.mmap, workers: int) -> list[int]:
    """Connections of each worker once all have their answer; nothing is left of them then."""
    opened = _connect(address, count, apart)
    for sock in opened:
        sock.recv(4096)
    found = list(struct.unpack_from(f"{workers}I", counts))
    for sock in opened:
        sock.close()
    while any(struct.unpack_from(f"{workers}I", counts)):
        time.sleep(0.01)
    return found


def _answered(opened: list[socket.socket]) -> int:
    deadline = time.monotonic() + PATIENCE
    waiting = set(opened)
    while waiting and (left := deadline - time.monotonic()) > 0:
        waiting.difference_update(select.select(list(waiting), [], [], left)[0])
    for sock in opened:
        sock.close()
    return len(opened) - len(waiting)


def main(arguments: list[str]) -> int:
    """Print a table: `[WORKERS [CONNECTIONS]]`, 4 and 100 if not said. Returns the exit status."""
    workers, connections = (*map(int, arguments), *(4, 100)[len(arguments) :])
    print(f"{connections} connections on {workers} workers")
    print(f"{'':<34}{'all at once':<24}{'one by one':<24}answered with one worker stopped")
    for way in WAYS:
        found = measure(way, workers, connections)
        at_once, apart = (" ".join(map(str, sorted(counts))) for counts in (found.at_once, found.apart))
        print(f"{way:<34}{at_once:<24}{apart:<24}{found.answered} of {found.asked}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
