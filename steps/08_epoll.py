"""Step 8: one thread, many connections.

New: no call waits any more except one, which waits for all connections at once (`epoll` on Linux, `kqueue` on BSD and
macOS). Each conversation is a generator: it runs until it would have to wait, yields what it waits for, and the loop
resumes it when that has come.
In Apache: the event MPM, as far as idle and writing connections go; nginx for all of them. In Coachwhip: mpm/worker.py.

Better by the way: a head may now arrive in as many pieces as it likes (8,190 bytes at most).
Wrong, and left so: whoever sends nothing is kept for ever, and what blocks after all (a slow disk) blocks everyone.
"""

import contextlib
import re
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
REQUEST = re.compile(rb"GET /((?:\w[\w.-]*(?:/\w[\w.-]*)*)?) HTTP/1\.[01]\r\n")
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def answer(request: bytes) -> bytes:
    """Return the whole response, head and body, to one request."""
    asked = REQUEST.match(request)
    file = ROOT / (asked[1].decode() or "index.html") if asked else ROOT
    status, body = ("200 OK", file.read_bytes()) if file.is_file() else ("404 Not Found", b"<h1>Not Found</h1>\n")
    head = f"HTTP/1.0 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def converse(client: socket.socket) -> Iterator[int]:
    """Read one request and send its response; yield READ or WRITE where the client has to be waited for."""
    request = b""
    while b"\r\n\r\n" not in request:
        yield READ
        piece = client.recv(8190 - len(request))
        if not piece:  # the client went away, or its head is too long
            return
        request += piece
    response = memoryview(answer(request))
    while response := response[client.send(response) :]:
        yield WRITE


def advance(client: socket.socket, conversation: Iterator[int]) -> None:
    """Run a conversation to its next wait, or to its end."""
    with contextlib.suppress(OSError):
        if awaited := next(conversation, None):
            selector.modify(client, awaited, conversation)
            return
    selector.unregister(client)
    client.close()


def welcome() -> None:
    """Accept everyone who is waiting; every conversation begins with a wait for the request."""
    with contextlib.suppress(BlockingIOError):
        while True:
            client, _ = listener.accept()
            client.setblocking(False)
            conversation = converse(client)
            selector.register(client, next(conversation), conversation)


listener = socket.create_server(("127.0.0.1", PORT), backlog=511)
listener.setblocking(False)
signal.signal(signal.SIGINT, signal.SIG_DFL)
selector = selectors.DefaultSelector()
selector.register(listener, READ)

while True:
    for key, _ in selector.select():
        if isinstance(key.fileobj, socket.socket) and key.data:
            advance(key.fileobj, key.data)
        else:
            welcome()
