"""Step 3: a proper response head.

New: a status line, the body's type and length, an empty line, and only then the body.
In Apache: the HTTP_HEADER output filter of modules/http, and mod_mime for the type.

Better by the way: each part of a path has to begin with a letter, a digit or `_`, which shuts the door on `..`.
Wrong, and left so: one client at a time; a head that does not come in one piece of 1,024 bytes is misread; `send` may
send less than it was given (a blocking socket does so only when a signal cuts in: `sendall` comes with step 5).
"""

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
    client.send(answer(client.recv(1024)))
    client.close()
