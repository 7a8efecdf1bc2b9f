"""Step 7: threads instead of processes.

New: the crew lives in one process. A thread costs kilobytes where a worker process costs megabytes, and all of them see
the same memory; in exchange only one of them runs Python at a time (the GIL), and a crash takes all of them along.
In Apache: the worker MPM (`ThreadsPerChild`). In Coachwhip: mpm/worker.py.

Apache has one thread accept and hand the connection on; here every thread accepts, and the kernel's queue is our queue.
Wrong, and left so: one more client than there are threads, all of them slow, and the server stands.
"""

import contextlib
import re
import signal
import socket
import sys
import threading
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
THREADS = 64
REQUEST = re.compile(rb"GET /((?:\w[\w.-]*(?:/\w[\w.-]*)*)?) HTTP/1\.[01]\r\n")


def answer(request: bytes) -> bytes:
    """Return the whole response, head and body, to one request."""
    asked = REQUEST.match(request)
    file = ROOT / (asked[1].decode() or "index.html") if asked else ROOT
    status, body = ("200 OK", file.read_bytes()) if file.is_file() else ("404 Not Found", b"<h1>Not Found</h1>\n")
    head = f"HTTP/1.0 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def work(listener: socket.socket) -> None:
    """Serve clients for ever, one at a time."""
    while True:
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):  # a client that went away must not cost us a thread
            client.sendall(answer(client.recv(1024)))


listener = socket.create_server(("127.0.0.1", PORT), backlog=511)
signal.signal(signal.SIGINT, signal.SIG_DFL)
for _ in range(THREADS):
    threading.Thread(target=work, args=(listener,), daemon=True).start()
signal.pause()
