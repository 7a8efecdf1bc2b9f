"""Step 13: a header line is understood once.

New: browsers send the same lines again and again, so a line is validated when it is met for the first time, and what it
says is remembered: a name and a value, or nothing that we could use. From then on it costs one look-up.
In Apache: nothing of the kind; every request is parsed anew. In Coachwhip: connection/hot.py, over protocol/http1.py.

The memory is bounded: a client with a new cookie in each request only makes us forget, and learn again.
Wrong, and left so: the answer to the same question is still made from nothing each time.
"""

import asyncio
import contextlib
import mimetypes
import os
import re
import signal
import sys
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_to_bytes

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
TIMEOUT, HEAD_LIMIT, PIPELINE_LIMIT, LINES_KEPT = 5.0, 8190, 100, 1000
USED = {b"host", b"connection", b"content-length", b"transfer-encoding"}
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") (/[!-~]*) HTTP/1\.([01])")
FIELD = re.compile(rb"(" + TOKEN + rb"):([ \t!-~\x80-\xff]*)")


class Refused(Exception):
    """The request gets the status given, and the connection ends."""


known: dict[bytes, tuple[bytes, bytes] | None] = {}  # line → the name and value it says, or None: of no use to us


def learn(line: bytes) -> tuple[bytes, bytes] | None:
    """Validate a header line met for the first time, and remember what it says."""
    field = FIELD.fullmatch(line)
    if not field:
        raise Refused(HTTPStatus.BAD_REQUEST)
    name = field[1].lower()
    if len(known) >= LINES_KEPT:
        known.clear()
    known[line] = (name, field[2].strip(b" \t")) if name in USED else None
    return known[line]


def parse(head: bytes) -> tuple[bytes, bytes, bool]:
    """Return method, path and whether another request may follow; raise Refused for all that could be misunderstood."""
    line, *lines = head.split(b"\r\n")
    asked = REQUEST_LINE.fullmatch(line)
    headers: dict[bytes, list[bytes]] = {}
    for field in lines:
        if meaning := known[field] if field in known else learn(field):
            headers.setdefault(meaning[0], []).append(meaning[1])
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


class Connection(asyncio.Protocol):
    """One client: the loop calls us with what it sent, and we write what we have to say."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport, self.inbox = transport, b""
        self.alarm = asyncio.get_running_loop().call_later(TIMEOUT, transport.abort)

    def connection_lost(self, _: Exception | None) -> None:
        self.alarm.cancel()

    def data_received(self, data: bytes) -> None:
        *heads, self.inbox = (self.inbox + data).split(b"\r\n\r\n")
        for head in heads if len(heads) < PIPELINE_LIMIT and len(self.inbox) <= HEAD_LIMIT else [b""]:
            self.take(head)

    def take(self, head: bytes) -> None:
        """Answer one request, then give the client time for another or close."""
        if self.transport.is_closing():
            return
        try:
            method, path, keep = parse(head)
            response = answer(method, path, keep)
        except Refused as refused:
            response, keep = respond(refused.args[0], b"<h1>Refused</h1>\n"), False
        self.transport.write(response)
        self.alarm.cancel()
        self.alarm = asyncio.get_running_loop().call_later(TIMEOUT, self.transport.abort)
        if not keep:
            self.transport.close()

    def pause_writing(self) -> None:
        self.transport.pause_reading()  # who does not read our answers may not go on asking

    def resume_writing(self) -> None:
        self.transport.resume_reading()


async def serve() -> None:
    """Serve in this process for ever."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", PORT, backlog=511)
    await server.serve_forever()


signal.signal(signal.SIGINT, signal.SIG_DFL)
asyncio.run(serve())
