"""Step 9: many requests on one connection, hence a parser that cannot be fooled.

New: the connection stays open, so where one request ends becomes a matter of security: what is wrongly left over from
this request is taken for the next one. The head is read strictly; a request with a body is refused and the line closed.
In Apache: `KeepAlive`, `KeepAliveTimeout`, `HttpProtocolOptions Strict`.
In Coachwhip: protocol/http1.py and connection/serve.py.

HTTP is easier to read on calls that wait, so this step stands on the threads of step 7; step 11 returns to the loop.
Wrong, and left so: an idle client holds a thread for five seconds (it is why Apache got its event MPM), and one that
sends a byte every four holds it as long as it likes; no bodies, ranges or conditional requests; a refusal may be lost,
because a close with unread bytes becomes a reset.
"""

import contextlib
import mimetypes
import os
import re
import signal
import socket
import sys
import threading
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_to_bytes

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
THREADS, TIMEOUT, HEAD_LIMIT = 64, 5.0, 8190
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") (/[!-~]*) HTTP/1\.([01])")
FIELD = re.compile(rb"(" + TOKEN + rb"):([ \t!-~\x80-\xff]*)")


class Refused(Exception):
    """The request gets the status given, and the connection ends."""


def parse(head: bytes) -> tuple[bytes, bytes, bool]:
    """Return method, path and whether another request may follow; raise Refused for all that could be misunderstood."""
    line, *lines = head.split(b"\r\n")
    asked = REQUEST_LINE.fullmatch(line)
    headers: dict[bytes, list[bytes]] = {}
    for field in map(FIELD.fullmatch, lines):
        if not field:
            raise Refused(HTTPStatus.BAD_REQUEST)
        headers.setdefault(field[1].lower(), []).append(field[2].strip(b" \t"))
    if not asked or len(head) > HEAD_LIMIT or len(headers.get(b"host", ())) not in ((1,) if asked[3] == b"1" else (0, 1)):
        raise Refused(HTTPStatus.BAD_REQUEST)
    if b"transfer-encoding" in headers or headers.get(b"content-length", [b"0"]) != [b"0"]:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)  # a body left unread would be the next request
    if asked[1] not in (b"GET", b"HEAD"):
        raise Refused(HTTPStatus.NOT_IMPLEMENTED)
    options = {word.strip(b" \t").lower() for word in b",".join(headers.get(b"connection", ())).split(b",")}
    keep = b"close" not in options and (asked[3] == b"1" or b"keep-alive" in options)
    return asked[1], unquote_to_bytes(asked[2].partition(b"?")[0]), keep


def answer(method: bytes, path: bytes, keep: bool) -> bytes:
    """Return the file asked for, but nothing hidden and nothing above ROOT."""
    path = path + b"index.html" if path.endswith(b"/") else path
    file = os.path.join(ROOT, os.fsdecode(path.lstrip(b"/")))
    with contextlib.suppress(OSError):
        if b"/." not in path and os.path.isfile(file):
            kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
            return respond(HTTPStatus.OK, Path(file).read_bytes(), kind, method, keep)
    return respond(HTTPStatus.NOT_FOUND, b"<h1>Not Found</h1>\n", "text/html", method, keep)


def respond(status: HTTPStatus, body: bytes, kind: str = "text/html", method: bytes = b"GET", keep: bool = False) -> bytes:
    """Return one response, head and body."""
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else body)


def converse(client: socket.socket) -> None:
    """Answer this client's requests until one is the last."""
    inbox, keep = b"", True
    while keep:
        while b"\r\n\r\n" not in inbox and len(inbox) <= HEAD_LIMIT:
            piece = client.recv(4096)
            if not piece:
                return
            inbox += piece
        head, _, inbox = inbox.partition(b"\r\n\r\n")
        try:
            method, path, keep = parse(head)
            response = answer(method, path, keep)
        except Refused as refused:
            response, keep = respond(refused.args[0], b"<h1>Refused</h1>\n"), False
        client.sendall(response)


def work(listener: socket.socket) -> None:
    """Serve clients for ever, one at a time."""
    while True:
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):  # a time-out is an OSError as well
            client.settimeout(TIMEOUT)
            converse(client)


listener = socket.create_server(("127.0.0.1", PORT), backlog=511)
signal.signal(signal.SIGINT, signal.SIG_DFL)
for _ in range(THREADS):
    threading.Thread(target=work, args=(listener,), daemon=True).start()
signal.pause()
