"""From a finished request record to what goes on the wire: `Reply`.

Runs the content filters, decides length, ranges and framing, writes the head, and leaves the body as an iterator that the
connection pulls at the client's pace. It knows no sockets; of files, only the bytes of small ones are touched here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.api.buckets import Brigade, Bucket, Data, End, File
from coachwhip.api.headers import Headers
from coachwhip.api.log import ModuleLog
from coachwhip.api.request import Request
from coachwhip.filters.chain import PIECE, Chain, brigades
from coachwhip.filters.head import BadHeader, head_bytes, merged_fields, place
from coachwhip.filters.ranges import Unsatisfiable, apply_ranges
from coachwhip.protocol.framing import asks_to_close
from coachwhip.request import errors

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["Reply", "Unsatisfiable", "make_reply"]

LOG = ModuleLog("core")
_CHUNK_END = b"\r\n"
_NOTHING: frozenset[str] = frozenset()
#: A file of up to this many bytes is read at once and goes out with the head: cheaper than a `sendfile` of its own.
SMALL = 16 << 10
#: The most pieces that are made ahead to find out whether a body is small.
MAX_STEPS = 16


@dataclass(slots=True)
class Reply:
    """One response, ready to be sent."""

    request: Request
    head: bytes
    #: The body in order: bytes, or slices of open files; empty bytes where it may pause. None: no body follows the head.
    body: Iterator[bytes | File] | None
    #: Close the connection when it is sent.
    close: bool
    #: All of the body as it is sent, if it is there at once.
    whole: Brigade | None = None
    #: The body is framed in chunks; `request.bytes_sent` then counts what is in them.
    chunked: bool = False
    #: Head and body together, where they are small; else b"".
    at_once: bytes = b""

    def gather(self, limit: int) -> None:
        """Make a body that is made while it is sent `whole`, if that takes few steps and no more than `limit` bytes."""
        if self.body is None or self.whole is not None:
            return
        taken: list[bytes | File] = []
        size = 0
        for piece in self.body:
            taken.append(piece)
            size += len(piece)
            if isinstance(piece, File) or size > limit or len(taken) > MAX_STEPS:
                self.body = itertools.chain(taken, self.body)
                return
        data = b"".join([piece for piece in taken if isinstance(piece, bytes)])
        self.whole, self.body = [Data(data)], iter((data,))


def make_reply(pipeline: Pipeline, r: Request) -> Reply:
    """Finish a request whose handler or error page has put its output into `r.output`.

    Raises:
        Unsatisfiable: the range asked for does not exist; the request is to be answered 416.
    """
    if r.env and r.protocol_number > 1000 and "downgrade-1.0" in r.env:
        r.protocol_number = 1000
    first, rest = _first(r)
    # A filter that had to let go of a part before the end has given the length away, even if the end has come by now.
    complete = rest is None and not r.chunked
    if complete:
        apply_ranges(r, first, pipeline.range_applies)
    has_body = r.status >= 200 and r.status not in (204, 304)
    length = _length_of(first) if complete else None
    fields = merged_fields(r)
    if r.status == 206:
        fields.unset("Content-Length")
    framing: list[tuple[str, str]] = []
    chunked = _set_framing(r, fields, framing, length if has_body else None, has_body)
    close = not _set_keepalive(r, fields, framing, bounded=chunked or not has_body or length is not None)
    place(fields, framing)
    r.fields_sent = fields
    try:
        head = b"" if r.is_http09 else head_bytes(r, fields, pipeline.now(), pipeline.software)
    except BadHeader as error:
        LOG.error(r, "AH02430", "Response header '%s' value contains invalid characters, aborting request", error)
        return _bare_error(pipeline, r)
    r.bytes_sent = 0
    if r.header_only or not has_body:
        _close_files(first)
        return Reply(r, head, None, close, at_once=head)
    if len(first) == 1 and length is not None and length <= SMALL and (data := _read(first[0])) is not None:
        return Reply(r, head, iter((data,)), close, first, False, head + data)
    body = _plain(first) if rest is None else _pieces(first, rest)
    if chunked:
        return Reply(r, head, _chunks(body, r), close, chunked=True)
    return Reply(r, head, body, close, list(first) if complete else None)


def _first(r: Request) -> tuple[Brigade, Iterator[bytes | File] | None]:
    """What of the output comes out first, and what follows; None if that is the whole body.

    Slices of files that come out as they went in are no reason to stop.
    """
    output = r.output
    if len(output) == 2 and not r.output_filters and isinstance(output[1], End) and isinstance(output[0], (File, Data)):
        return output[:1], None
    chain = Chain(r)
    source = brigades(output, cut=not chain.is_empty)
    first: Brigade = []
    for brigade in source:
        for bucket in brigade if chain.is_empty else chain.feed(brigade):
            _add(first, bucket)
        if not all(isinstance(bucket, File) for bucket in first):
            break
    if first and isinstance(first[-1], End):
        return first[:-1], None
    return first, _rest(chain, source)


def _add(brigade: Brigade, bucket: Bucket) -> None:
    """Append a bucket; a slice of a file that goes on where the last one ended makes that longer."""
    last = brigade[-1] if brigade else None
    if isinstance(bucket, File) and isinstance(last, File) and last.file is bucket.file and last.start + last.length == bucket.start:
        brigade[-1] = File(last.file, last.start, last.length + bucket.length)
    else:
        brigade.append(bucket)


def _length_of(brigade: Brigade) -> int:
    length = 0
    for bucket in brigade:
        if isinstance(bucket, File):
            length += bucket.length
        elif isinstance(bucket, Data):
            length += len(bucket.data)
    return length


def _read(bucket: Bucket) -> bytes | None:
    """The bytes of a bucket; None if it has none. A file that cannot be read any more is left to the connection, which cuts the answer."""
    try:
        return bucket.read() if isinstance(bucket, File) else bucket.data if isinstance(bucket, Data) else None
    except OSError:
        return None


def _set_framing(r: Request, fields: Headers, framing: list[tuple[str, str]], length: int | None, has_body: bool) -> bool:
    """Content-Length or chunks; returns whether the body is chunked."""
    if not has_body:
        fields.unset("Content-Length")
        fields.unset("Transfer-Encoding")
        return False
    if length is not None:
        if r.header_only and not length:
            # Nothing was made for a HEAD: only a length that was stated without a body is worth telling.
            if fields.get("Content-Length") == "0":
                fields.unset("Content-Length")
        else:
            framing.append(("Content-Length", str(length)))
        if r.content_range:
            framing.append(("Content-Range", r.content_range))
        return False
    if "Content-Length" in fields:
        return False
    if r.protocol_number >= 1001 and r.keepalive and not r.expecting_100:
        if not r.header_only:
            fields.set("Transfer-Encoding", "chunked")
        return True
    return False


def _set_keepalive(r: Request, fields: Headers, framing: list[tuple[str, str]], *, bounded: bool) -> bool:
    """Whether the connection stays open, and the `Connection` and `Keep-Alive` fields that say so (RFC 9112 §9.3)."""
    server = r.server.core
    connection = r.traffic.connection
    asked = {word.strip(" \t").lower() for word in connection.split(",")} if connection else _NOTHING
    most = server.max_keep_alive_requests
    left = most - r.connection.keepalives
    keep = (
        r.keepalive
        and bounded
        and not r.expecting_100
        and server.keep_alive
        and server.keep_alive_timeout > 0
        and (left > 0 or not most)
        and not (connection and asks_to_close(connection.encode("latin-1")))
        and (not r.env or "nokeepalive" not in r.env)
        and (r.protocol_number >= 1001 or "keep-alive" in asked)
        and "close" not in (fields.get("Connection") or "").lower()
        and not r.is_http09
    )
    if keep:
        if "keep-alive" in asked:
            timeout = int(server.keep_alive_timeout)
            text = f"timeout={timeout}, max={left}" if most else f"timeout={timeout}"
            framing += [("Keep-Alive", text), ("Connection", "Keep-Alive")]
        return True
    if not r.is_http09:
        framing.append(("Connection", "close"))
    return False


def _pieces(first: Brigade, rest: Iterator[bytes | File]) -> Iterator[bytes | File]:
    """All of a body; `rest` ends with it."""
    yield from _plain(first)
    yield from rest


def _rest(chain: Chain, source: Iterator[Brigade]) -> Iterator[bytes | File]:
    """What follows of a body, pulled through the filters as it is asked for.

    An empty piece says that filters have worked for a while, and that others may want a turn before it goes on.
    """
    worked = 0
    for brigade in source:
        out = chain.feed(brigade)
        yield from _plain(out)
        if out and isinstance(out[-1], End):
            return
        worked += _length_of(brigade)
        if worked >= PIECE:
            worked = 0
            yield b""
    tail = chain.feed([End()])
    yield from _plain(tail)


def _plain(brigade: Brigade) -> Iterator[bytes | File]:
    for bucket in brigade:
        if isinstance(bucket, Data):
            if bucket.data:
                yield bucket.data
        elif isinstance(bucket, File) and bucket.length:
            yield bucket


def _chunks(pieces: Iterator[bytes | File], r: Request) -> Iterator[bytes | File]:
    """Chunked framing around the pieces (RFC 9112 §7.1)."""
    for piece in pieces:
        if not piece:
            yield piece
            continue
        r.bytes_sent += len(piece)
        size = b"%x\r\n" % len(piece)
        if isinstance(piece, bytes):
            yield b"".join((size, piece, _CHUNK_END))
        else:
            yield size
            yield piece
            yield _CHUNK_END
    fields = "".join(f"{name}: {value}\r\n" for name, value in r.trailers_out.items())
    yield b"0\r\n" + fields.encode("latin-1") + b"\r\n"


def _close_files(brigade: Brigade) -> None:
    for bucket in brigade:
        if isinstance(bucket, File):
            bucket.file.close()


def _bare_error(pipeline: Pipeline, r: Request) -> Reply:
    """A 500 with nothing of the broken answer in it."""
    r.headers_out.clear()
    r.err_headers_out.clear()
    r.status_line = None
    r.keepalive = False
    r.status = 500
    errors.send_error(pipeline, r)
    return make_reply(pipeline, r)
