"""Step 14: the same question gets the same bytes.

New: a response is kept together with everything that was looked at when it was made: the request's head, the file's
state on disk (or its absence), the second that the `Date` header names. While all of that is unchanged, the answer is
one look-up, one `stat` and one `send`. Nothing has a time to live: a change on disk shows in the next response.
In Apache: mod_cache comes nearest, with times to live. In Coachwhip: request/replay.py and request/watch.py.

What is not in memory is parsed as in step 11; steps 12, 13 and 14 combine freely.
Wrong, and left so: one more cookie in the head is another question (Coachwhip asks which headers were really read), and
two changes within the file system's clock tick (some milliseconds) that keep the size look like one.
"""

import asyncio
import contextlib
import mimetypes
import os
import re
import signal
import stat
import sys
import time
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_to_bytes

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
ROOT = Path(__file__).with_name("www")
TIMEOUT, HEAD_LIMIT, PIPELINE_LIMIT, KEPT_LIMIT, SIZE_LIMIT = 5.0, 8190, 100, 100, 100_000
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
    has_body = b"transfer-encoding" in headers or headers.get(b"content-length", [b"0"]) != [b"0"]
    if has_body or asked[1] not in (b"GET", b"HEAD"):  # a body left unread would be the next request
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if has_body else HTTPStatus.NOT_IMPLEMENTED)
    options = {word.strip(b" \t").lower() for word in b",".join(headers.get(b"connection", ())).split(b",")}
    keep = b"close" not in options and (asked[3] == b"1" or b"keep-alive" in options)
    return asked[1], unquote_to_bytes(asked[2].partition(b"?")[0]), keep


kept: dict[bytes, tuple[bytes, bool, str, tuple[int, ...]]] = {}  # head → response, keep, file, what look() saw


def look(file: str) -> tuple[int, ...]:
    """Return all that a response depends on besides its request: the second, and the file's state (or its absence)."""
    with contextlib.suppress(OSError, ValueError):
        now = os.stat(file)
        return int(time.time()), now.st_mode, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns
    return int(time.time()), 0


def answer(head: bytes) -> tuple[bytes, bool]:
    """Return the response to a head, and whether another request may follow; from memory, if nothing has changed."""
    response, keep, file, seen = kept.get(head, (b"", False, "", ()))
    if seen and seen == look(file):
        return response, keep
    method, path, keep = parse(head)
    path = path + b"index.html" if path.endswith(b"/") else path
    file = os.path.join(ROOT, os.fsdecode(path.lstrip(b"/")))
    seen = look(file)  # before the file is read: a change in between then shows at the next look
    response = respond(HTTPStatus.NOT_FOUND, b"<h1>Not Found</h1>\n", "text/html", method, keep)
    with contextlib.suppress(OSError):
        if b"/." not in path and stat.S_ISREG(seen[1]):
            kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
            response = respond(HTTPStatus.OK, Path(file).read_bytes(), kind, method, keep)
    if len(kept) >= KEPT_LIMIT:
        kept.clear()
    if len(response) <= SIZE_LIMIT:
        kept[head] = response, keep, file, seen
    return response, keep


def respond(status: HTTPStatus, body: bytes, kind: str = "text/html", method: bytes = b"GET", keep: bool = False) -> bytes:
    """Return one response, head and body."""
    head = f"HTTP/1.1 {status} {status.phrase}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
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
            if not self.transport.is_closing():
                self.take(head)

    def take(self, head: bytes) -> None:
        """Answer one request, then give the client time for another or close."""
        try:
            response, keep = answer(head)
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
    await (await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", PORT, backlog=511)).serve_forever()


signal.signal(signal.SIGINT, signal.SIG_DFL)
asyncio.run(serve())
