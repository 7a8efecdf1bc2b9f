"""Step 4: a process per connection.

New: `os.fork`. The child talks to this client, the parent is back at `accept` at once: a slow client holds up only its
own child, and a client that resets its connection kills only that.
In Apache: the server of 1995, before children were forked ahead of time; `inetd` still works so.

Wrong, and left so: nobody waits for the children, so each one stays in the process table as a zombie until the server
ends; their number has no bound; and `listen(5)` now meets many clients at once.
"""

import os
import re
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


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(5)

while True:
    client, address = listener.accept()
    if os.fork() == 0:
        listener.close()
        client.send(answer(client.recv(1024)))
        client.close()
        os._exit(0)
    client.close()
