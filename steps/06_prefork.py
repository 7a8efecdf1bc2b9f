"""Step 6: the processes are forked before the clients come.

New: a fixed crew of workers, all of them in `accept` on the listener that the parent opened; the kernel hands each
connection to one. The parent does nothing but replace a worker that has died.
In Apache: the prefork MPM (`StartServers`, `MaxRequestWorkers`). In Coachwhip: mpm/parent.py and mpm/children.py.

Wrong, and left so: as many clients at a time as there are processes, and each process costs megabytes; eight slow
clients stop the whole server.
"""

import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
WORKERS = 8
REQUEST = re.compile(rb"GET /((?:\w[\w.-]*(?:/\w[\w.-]*)*)?) HTTP/1\.[01]\r\n")


def answer(request: bytes) -> bytes:
    """Return the whole response, head and body, to one request."""
    asked = REQUEST.match(request)
    file = ROOT / (asked[1].decode() or "index.html") if asked else ROOT
    status, body = ("200 OK", file.read_bytes()) if file.is_file() else ("404 Not Found", b"<h1>Not Found</h1>\n")
    head = f"HTTP/1.0 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def spawn(listener: socket.socket) -> int:
    """Fork one worker that serves clients for ever; return its process id to the parent."""
    if pid := os.fork():
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):  # a client that went away must not cost us a worker
            client.sendall(answer(client.recv(1024)))


listener = socket.create_server(("127.0.0.1", PORT), backlog=511)  # also sets SO_REUSEADDR
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
workers: set[int] = set()
try:
    while True:
        while len(workers) < WORKERS:
            workers.add(spawn(listener))
        workers.remove(os.wait()[0])
finally:
    for pid in workers:
        os.kill(pid, signal.SIGKILL)  # TERM can be lost on one that is just being born
