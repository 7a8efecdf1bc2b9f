"""Step 5: children are reaped, and the queue is long enough.

New: a `SIGCHLD` handler that waits for every child that has ended, and a backlog that holds a burst of clients.
In Apache: `ListenBacklog` (511 by default), and the parent's wait loop in every MPM.

Several children may end under one signal, hence the loop; `accept` goes on by itself after the handler (PEP 475), and
`sendall` repeats a `send` that a signal cut short.
Wrong, and left so: a fork per request, without a bound: 10,000 clients are 10,000 processes.
"""

import os
import re
import signal
import socket
import sys
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
REQUEST = re.compile(rb"GET /((?:\w[\w.-]*(?:/\w[\w.-]*)*)?) HTTP/1\.[01]\r\n")


def answer(request: bytes) -> bytes:
    """Return the whole response, head and body, to one request."""
    asked = REQUEST.match(request)
    file = ROOT / (asked[1].decode() or "index.html") if asked else ROOT
    status, body = ("200 OK", file.read_bytes()) if file.is_file() else ("404 Not Found", b"<h1>Not Found</h1>\n")
    head = f"HTTP/1.0 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def reap(*_: object) -> None:
    """Let every child that has ended leave the process table."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # none left at all


signal.signal(signal.SIGCHLD, reap)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(511)

while True:
    client, address = listener.accept()
    if os.fork() == 0:
        listener.close()
        client.sendall(answer(client.recv(1024)))
        client.close()
        os._exit(0)
    client.close()
