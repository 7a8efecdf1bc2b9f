"""Clients that vanish, say too much, talk another language, leave half the way, or ask without listening."""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Iterator

from faults.crowds import MANY, times_base
from faults.herd import Herd, ended, vanish
from faults.rig import BIG, SMALL, Rig, get, settles
from faults.rows import Bar, Figures, Stage, fault

MIB = 1 << 20
LARGE = 100 * MIB


@fault(
    "F11",
    "clients that vanish",
    Bar("of each kind"),
    Bar("descriptors back", "s", most=5),
    Bar("memory more", "MB", most=5),
    Bar("failed beside them", most=0),
    Bar("tracebacks", most=0),
    Bar("faults logged", most=0),
)
def vanishing_clients(stage: Stage) -> Figures:
    """1,000 clients (short: 100) reset their connection in the middle of a download of 100 MiB, as many in the middle of an upload; three
    times, and memory is compared from after the second, when all threads are there.
    """
    count = stage.pick(100, 1_000)
    with Rig(stage.server, config=MANY) as rig:
        with rig.path("htdocs/large").open("wb") as file:
            file.truncate(LARGE)
        rig.calm(1)
        descriptors = rig.descriptors
        with rig.load() as load:
            for _ in range(2):
                _vanish(rig, count)
                settles(lambda: rig.descriptors <= descriptors + 20, 5)
            memory = rig.memory
            _vanish(rig, count)
        back = settles(lambda: rig.descriptors <= descriptors + 2, 10)
        return {
            "of each kind": count,
            "descriptors back": back,
            "memory more": (rig.memory - memory) / 1e6,
            "failed beside them": load.report.failed,
            "tracebacks": rig.tracebacks,
            "faults logged": rig.site.log().count("fault while answering"),
        }


def _vanish(rig: Rig, count: int) -> None:
    upload = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MIB}\r\n\r\n".encode() + bytes(10_000)
    with Herd(rig.site.port) as herd:
        for _ in range(-(-count // 50)):
            some = herd.join(50, get("/large"), reads=False, buffer=1 << 16) + herd.join(50, upload)
            herd.graze(0.1)
            for member in some:
                herd.leave(member, vanish)


@fault(
    "F17",
    "requests beyond limits, and in drips",
    Bar("other statuses than they must be", most=0),
    Bar("memory of each endless head", "KiB", most=64),
    Bar("tiny chunks a second"),
    Bar("wrong answers to tiny chunks", most=0),
    Bar("failed beside them", most=0),
    Bar("p99", "ms", timed=True),
)
def limits_and_drips(stage: Stage) -> Figures:
    """A line, a field, a number of fields and a body beyond their limits; 200 heads without end that go on for 8 KB (short: 50); then four
    uploads of 30,000 chunks of one byte each at 10,000 a second in all (short: 3,000).
    """
    with Rig(stage.server, config="LimitRequestBody 100000\nRequestReadTimeout header=0 body=0\n" + MANY) as rig, rig.load() as load:
        wrong = sum(rig.ask(request) != status for request, status in _beyond_limits())
        rig.calm(1)
        count, before = stage.pick(50, 200), rig.memory
        with Herd(rig.site.port) as herd:
            endless = herd.join(count, b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(8):
                for member in endless:
                    member.sock.send(b"X-More: " + b"x" * 990 + b"\r\n")
                herd.graze(0.1)
            grown = rig.memory - before
        chunks = stage.pick(3_000, 30_000)
        began = time.monotonic()
        wrong_chunks = _tiny_chunks(rig, chunks)
        rate = 4 * chunks / (time.monotonic() - began)
    return {
        "other statuses than they must be": wrong,
        "memory of each endless head": grown / count / 1024,
        "tiny chunks a second": rate,
        "wrong answers to tiny chunks": wrong_chunks,
        "failed beside them": load.report.failed,
        "p99": load.report.p99_ms,
    }


def _beyond_limits() -> Iterator[tuple[bytes, int]]:
    """Requests and their statuses, which are Apache's."""
    yield get("/" + "x" * 9000), 414
    yield get("/a.txt", "X-Long: " + "x" * 9000), 400
    yield get("/a.txt", *[f"X-{number}: x" for number in range(101)]), 400
    yield b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100001\r\n\r\n" + bytes(100_001), 413


def _tiny_chunks(rig: Rig, count: int) -> int:
    """Four uploads in chunks of one byte, paced to 10,000 chunks a second in all; how many are not given back whole."""
    clients = [rig.connect() for _ in range(4)]
    for client in clients:
        client.send(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    began, sent = time.monotonic(), 0
    while sent < count:
        step = min(25, count - sent)
        for client in clients:
            # 25 chunks are 150 bytes, in writes of their own with every chunk in two of them.
            client.send(b"1\r\nx\r\n" * step, split=77)
        sent += step
        time.sleep(max(0.0, began + sent / 2500 - time.monotonic()))
    wrong = 0
    for client in clients:
        with client:
            client.send(b"0\r\n\r\n")
            answer = client.read_response()
            wrong += answer is None or answer.body != b"x" * count
    return wrong


_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(189))


def _garbage(chance: random.Random) -> bytes:
    return chance.choice(
        (
            _HELLO,
            _HELLO[: chance.randrange(1, len(_HELLO))],
            bytes.fromhex("802e0100020015000000100100800700c0030080"),
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0" * chance.randrange(1, 100),
            chance.randbytes(chance.randrange(1, 300)),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        )
    )


@fault(
    "F19",
    "garbage and half TLS hellos on the plain port",
    Bar("clients"),
    Bar("answered other than 400, 505 or by closing", most=0),
    Bar("held after their end", most=0),
    Bar("failed beside them", most=0),
    Bar("p99, times the base", most=2, timed=True),
    Bar("tracebacks", most=0),
    Bar("descriptors more afterwards", most=2),
)
def garbage(stage: Stage) -> Figures:
    """10,000 clients, 200 a second (short: 400), that send a ClientHello, half of one, an SSLv2 hello, random bytes, or the preface of
    another protocol, and half-close a moment later.
    """
    chance, count = random.Random(1), stage.pick(400, 10_000)
    with Rig(stage.server) as rig:
        rig.calm(1)
        base, descriptors = rig.calm(3), rig.descriptors
        wrong = 0
        with Herd(rig.site.port) as herd, rig.load() as load:
            for number in range(0, count, 20):
                some = [herd.join(1, _garbage(chance))[0] for _ in range(20)]
                herd.graze(0.1 if number else 1)
                for member in some:
                    if member.ended is None:
                        member.sock.shutdown(socket.SHUT_WR)
            herd.graze(8, until=ended(list(herd.members.values())))
            held = sum(member.ended is None for member in herd.members.values())
            wrong = sum(not re.match(rb"HTTP/1\.1 (400|505) |<!DOCTYPE|$", bytes(one.received[:20])) for one in herd.members.values())
        settles(lambda: rig.descriptors <= descriptors + 2, 5)
        return {
            "clients": count,
            "answered other than 400, 505 or by closing": wrong,
            "held after their end": held,
            "failed beside them": load.report.failed,
            "p99, times the base": times_base(load.report, base),
            "tracebacks": rig.tracebacks,
            "descriptors more afterwards": rig.descriptors - descriptors,
        }


@fault(
    "F20",
    "clients that half-close after the request",
    Bar("asked"),
    Bar("answers that are not whole", most=0),
)
def half_close(stage: Stage) -> Figures:
    """The sending side is closed right after a small request, a request for 16 MiB, an upload, and two requests at once; ten times each
    (short: twice).
    """
    rounds, broken = stage.pick(2, 10), 0
    upload = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
    with Rig(stage.server, big=True) as rig:
        for _ in range(rounds):
            broken += _half_closed(rig, get(last=False)) != [SMALL.encode()]
            broken += _half_closed(rig, get("/big", last=False)) != [BIG]
            broken += _half_closed(rig, upload) != [b"hello"]
            broken += _half_closed(rig, get(last=False) * 2) != [SMALL.encode()] * 2
    return {"asked": 4 * rounds, "answers that are not whole": broken}


def _half_closed(rig: Rig, request: bytes) -> list[bytes]:
    with rig.connect() as client:
        client.send(request)
        client.finish_sending()
        try:
            return [answer.body for answer in client.read_all() if answer.is_complete and answer.status == 200]
        except OSError:
            return []


@fault(
    "F21",
    "a thousand requests at once",
    Bar("answers with MaxKeepAliveRequests 100, off from 101", most=0),
    Bar("without Connection: close on the last", most=0),
    Bar("of 1,000 with MaxKeepAliveRequests 0, missing", most=0),
    Bar("out of order", most=0),
    Bar("buffered for one who does not read", "KiB", most=256),
    Bar("failed beside them", most=0),
)
def pipelined(stage: Stage) -> Figures:
    """1,000 GETs in one write, with `MaxKeepAliveRequests 100` and 0; then 20 clients (short: 5) ask for 1 MiB a thousand times each, and
    read nothing.
    """
    files = {f"htdocs/{number}.txt": f"{number}\n" for number in range(10)}
    many = b"".join(get(f"/{number % 10}.txt", last=False) for number in range(1000))
    with Rig(stage.server, files=files) as rig, rig.connect() as client:
        client.send(many)
        limited = client.read_all()
    with Rig(stage.server, files=files | {"htdocs/mib": bytes(MIB)}, config="MaxKeepAliveRequests 0\n") as rig:
        with rig.connect() as client:
            client.send(many)
            answers = [client.read_response() for _ in range(1000)]
        bodies = [answer.body if answer is not None else b"" for answer in answers]
        rig.calm(1)
        count, before = stage.pick(5, 20), rig.memory
        with Herd(rig.site.port) as herd, rig.load() as load:
            deaf = herd.join(count, b"", reads=False, buffer=4096)
            for member in deaf:
                member.sock.setblocking(True)
                member.sock.settimeout(2)
                _send_all(member.sock, get("/mib", last=False) * 1000)
            herd.graze(1)
            grown = rig.memory - before
    return {
        "answers with MaxKeepAliveRequests 100, off from 101": abs(len(limited) - 101),
        "without Connection: close on the last": not (limited and limited[-1].says_close),
        "of 1,000 with MaxKeepAliveRequests 0, missing": bodies.count(b""),
        "out of order": sum(body not in (b"", b"%d\n" % (number % 10)) for number, body in enumerate(bodies)),
        "buffered for one who does not read": grown / count / 1024,
        "failed beside them": load.report.failed,
    }


def _send_all(sock: socket.socket, data: bytes) -> None:
    """As much as the server takes; one that does not read on is what is asked for."""
    try:
        sock.sendall(data)
    except TimeoutError:
        return
