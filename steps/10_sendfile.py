"""Step 10: the kernel sends the file.

New: `sendfile`. The body goes from the page cache to the socket without passing through Python, so a file of 4 GB needs
no more memory than one of 4 bytes. `MSG_MORE` lets the head wait for the body, so that both travel in one packet.
In Apache: `EnableSendfile`, file buckets. In Coachwhip: connection/outbox.py.

A small page gains nothing: the calls around `sendfile` cost more than the copy of a kilobyte that it saves.
Wrong, and left so: a thread per connection; no ranges, which is what large files are asked for with.
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


def answer(client: socket.socket, method: bytes, path: bytes, keep: bool) -> None:
    """Send the file asked for, but nothing hidden and nothing above ROOT."""
    path = path + b"index.html" if path.endswith(b"/") else path
    file = os.path.join(ROOT, os.fsdecode(path.lstrip(b"/")))
    if b"/." in path or not os.path.isfile(file):
        client.sendall(respond(HTTPStatus.NOT_FOUND, 0, "text/html", keep))
        return
    kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
    with open(file, "rb", buffering=0) as body:
        size = os.fstat(body.fileno()).st_size
        with_body = size > 0 and method == b"GET"
        client.sendall(respond(HTTPStatus.OK, size, kind, keep), socket.MSG_MORE if with_body else 0)
        if with_body and client.sendfile(body, count=size) != size:
            raise OSError("the file shrank under our hands; only the end of the connection can say so")


def respond(status: HTTPStatus, length: int, kind: str = "text/html", keep: bool = False) -> bytes:
    """Return the head of a response."""
    return (
        f"HTTP/1.1 {status} {status.phrase}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    ).encode()


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
            answer(client, method, path, keep)
        except Refused as refused:
            client.sendall(respond(refused.args[0], 0))
            return


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
