"""Step 2: files from a DocumentRoot.

New: a regular expression takes the path out of the request line; the file of that name is the answer.
In Apache: `DocumentRoot` and the core's default handler.

Wrong, and left so: there is still no response head, so a client cannot tell a page from an error, nor its end from a
broken line. `ab` looks for the end of a head and gives up when 8,191 bytes have come without one: so it counts the
small page as served (0 bytes of document) and fails on 52,000 bytes. `..` in the path walks out of the folder.
"""

import re
import socket
import sys
from pathlib import Path

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
REQUEST = re.compile(rb"GET /(\S*) HTTP/")

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", PORT))
listener.listen(5)

while True:
    client, address = listener.accept()
    asked = REQUEST.match(client.recv(1024))
    file = ROOT / (asked[1].decode() or "index.html") if asked else ROOT
    client.send(file.read_bytes() if file.is_file() else b"<h1>Not Found</h1>\n")
    client.close()
