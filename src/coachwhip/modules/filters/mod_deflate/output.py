"""The output filters: `DEFLATE` compresses a response, `INFLATE` takes the compression off again.

What `DEFLATE` gives is, byte for byte and brigade for brigade, what Apache gives with the same zlib; that matters because whether
a response has a Content-Length depends on whether its first brigade is also its last (see `_Compressor`).
"""

from __future__ import annotations

import zlib

from coachwhip.api import Brigade, Bucket, Data, End, File, Flush, ModuleLog, Request
from coachwhip.modules.filters.mod_deflate.accept import accepts_gzip, first_encoding
from coachwhip.modules.filters.mod_deflate.gzip import HEADER, TRAILER_SIZE, GzipError, GzipReader, trailer
from coachwhip.modules.filters.mod_deflate.settings import DeflateServer

__all__ = ["Deflate", "Inflate"]

#: A whole response up to this many bytes stays as it is: the fields that say so would cost as much as they save.
SMALL = len(HEADER) + TRAILER_SIZE + 50
#: A whole response up to this many bytes is compressed before any of it goes on.
HELD = 1 << 16


class Deflate:
    """`DEFLATE` at work on one response."""

    def __init__(self, r: Request, log: ModuleLog) -> None:
        self._r = r
        self._log = log
        self._compressor: _Compressor | None = None
        self._is_out = False

    def __call__(self, brigade: Brigade) -> Brigade:
        """Compressed buckets for plain ones; the first brigade decides whether anything is done at all."""
        if self._is_out or not brigade:
            return brigade
        if self._compressor is None:
            self._compressor = self._start(brigade)
            if self._compressor is None:
                self._is_out = True
                return brigade
        return self._compressor(brigade)

    def _start(self, brigade: Brigade) -> _Compressor | None:
        r, log = self._r, self._log
        is_whole = isinstance(brigade[-1], End)
        size = sum(len(bucket) for bucket in brigade if isinstance(bucket, (Data, File)))
        if is_whole and size <= SMALL:
            log.trace(1, r, "", "Not compressing very small response of %d bytes", size)
            return None
        if (reason := self._reason_against()) is not None:
            log.trace(1, r, "", "Not compressing%s", reason)
            return None
        r.headers_out.merge("Vary", "Accept-Encoding")
        if "force-gzip" in r.env:
            log.trace(1, r, "", "Forcing compression (force-gzip set)")
        elif not accepts_gzip(r.headers_in.get("Accept-Encoding")):
            log.trace(1, r, "", "Not compressing (no Accept-Encoding: gzip or q=0)")
            return None
        return self._compress(is_held=is_whole and size <= HELD)

    def _reason_against(self) -> str | None:
        r = self._r
        if r.main is not None:
            return " (subrequest)"
        if r.status == 204:
            return " (no content)"
        if "no-gzip" in r.env:
            return " (no-gzip)"
        if "Content-Range" in r.headers_out:
            return " (content-range)"
        if not (r.content_type or "").startswith("text/html") and r.env.get("gzip-only-text/html") == "1":
            return ", (gzip-only-text/html)"
        if (encoding := first_encoding(*_encodings(r))) is not None:
            return f" (content-encoding already  set: {encoding})"
        return None

    def _compress(self, *, is_held: bool) -> _Compressor | None:
        r, conf = self._r, self._r.server.config(DeflateServer)
        try:
            stream = zlib.compressobj(conf.level, zlib.DEFLATED, -conf.window, conf.memory)
        except ValueError:
            self._log.error(r, "AH01383", "unable to init Zlib: deflateInit2 returned %d: URL %s", -2, r.uri)
            return None
        encodings = _encodings(r)
        r.content_encodings = []
        r.err_headers_out.unset("Content-Encoding")
        is_only = not encodings or all(e.lower() == "identity" for e in encodings)
        r.headers_out.set("Content-Encoding", "gzip" if is_only else ", ".join([*encodings, "gzip"]))
        r.headers_out.unset("Content-Length")
        r.headers_out.unset("Content-MD5")
        alter_etag(r, "gzip", conf.alter_etag)
        return _Compressor(r, self._log, stream, conf, is_held=is_held)


def _encodings(r: Request) -> list[str]:
    found = [r.headers_out.get("Content-Encoding"), r.err_headers_out.get("Content-Encoding"), ", ".join(r.content_encodings)]
    return [encoding for encoding in found if encoding]


def alter_etag(r: Request, word: str, mode: str) -> None:
    """Make the ETag of the changed body differ from the plain one's (`DeflateAlterETag`)."""
    tag = r.headers_out.get("ETag")
    if tag is None or len(tag) <= 2 or mode == "nochange":
        return
    if mode == "remove":
        r.headers_out.unset("ETag")
    elif tag.endswith('"'):
        r.headers_out.set("ETag", f'{tag[:-1]}-{word}"')


#: zlib fills its window of 64 KiB first, and then, whenever it has worked that off, by half.
_WINDOW, _HALF = 65536, 32768


def _last_fill(before: int, count: int) -> int:
    """How many of `count` bytes, which follow `before` others, zlib has worked on by the time it takes the last of them."""
    filled = before + count - 1 - _WINDOW
    return max(_WINDOW + filled // _HALF * _HALF - before, 0) if filled >= 0 else 0


class _Compressor:
    """A running compression.

    Each time `DeflateBufferSize` bytes have come out while there is more to put in, they go on, and with them the chance of
    a Content-Length; what zlib holds until the end goes on with the end. `is_held`: nothing goes on before the end.
    """

    def __init__(self, r: Request, log: ModuleLog, stream: zlib._Compress, conf: DeflateServer, *, is_held: bool) -> None:
        self._r = r
        self._log = log
        self._stream = stream
        self._conf = conf
        self._is_held = is_held
        self._checksum = 0
        self._size_in = 0
        self._size_out = 0
        self._kept = HEADER

    def __call__(self, brigade: Brigade) -> Brigade:
        done: Brigade = []
        for bucket in brigade:
            if isinstance(bucket, (Data, File)):
                data = bucket.data if isinstance(bucket, Data) else bucket.read()
                self._pass_full_buffers(done)
                taken = _last_fill(self._size_in, len(data))
                self._put(data[:taken])
                self._pass_full_buffers(done)
                self._put(data[taken:])
            elif isinstance(bucket, Flush):
                if self._size_in:
                    self._keep(self._stream.flush(zlib.Z_SYNC_FLUSH))
                done += [*self._take(), bucket]
            elif isinstance(bucket, End):
                self._finish()
                done += [*self._take(), bucket]
            else:
                done.append(bucket)
        return done

    def _put(self, data: bytes) -> None:
        self._checksum = zlib.crc32(data, self._checksum)
        self._size_in += len(data)
        self._keep(self._stream.compress(data))

    def _keep(self, compressed: bytes) -> None:
        self._size_out += len(compressed)
        self._kept += compressed

    def _pass_full_buffers(self, done: Brigade) -> None:
        """What has filled whole buffers goes on; the header, which stands before the first of them, does not count."""
        if self._is_held:
            return
        before = len(HEADER) if self._size_out <= len(self._kept) - len(HEADER) else 0
        full = (len(self._kept) - before) // self._conf.buffer_size * self._conf.buffer_size
        if full:
            self._r.chunked = True
            done.append(Data(self._kept[: before + full]))
            self._kept = self._kept[before + full :]

    def _take(self) -> list[Bucket]:
        kept, self._kept = self._kept, b""
        return [Data(kept)] if kept else []

    def _finish(self) -> None:
        r = self._r
        self._keep(self._stream.flush())
        self._kept += trailer(self._checksum, self._size_in)
        self._log.debug(r, "AH01384", "Zlib: Compressed %d to %d : URL %s", self._size_in, self._size_out, r.uri)
        notes = self._conf.notes
        if "input" in notes:
            r.notes[notes["input"]] = str(self._size_in) if self._size_in > 0 else "-"
        if "output" in notes:
            r.notes[notes["output"]] = str(self._size_out) if self._size_in > 0 else "-"
        if "ratio" in notes:
            r.notes[notes["ratio"]] = str(self._size_out * 100 // self._size_in) if self._size_in > 0 else "-"


class Inflate:
    """`INFLATE` at work on one response."""

    def __init__(self, r: Request, log: ModuleLog) -> None:
        self._r = r
        self._log = log
        self._reader: GzipReader | None = None
        self._buffer_size = r.server.config(DeflateServer).buffer_size
        self._is_out = False

    def __call__(self, brigade: Brigade) -> Brigade:
        """Plain buckets for compressed ones; the first brigade decides."""
        if self._is_out or not brigade:
            return brigade
        if self._reader is None:
            if not self._starts(brigade):
                self._is_out = True
                return brigade
            self._reader = GzipReader()
        done: Brigade = []
        for bucket in brigade:
            if isinstance(bucket, (Data, File)):
                data = bucket.data if isinstance(bucket, Data) else bucket.read()
                done += [Data(piece) for piece in self._reader.feed(data)]
                if self._reader.total_out > self._buffer_size:
                    # Apache lets a full buffer go when the next byte comes, and with it the chance of a Content-Length.
                    self._r.chunked = True
            else:
                if isinstance(bucket, End):
                    self._end(self._reader)
                done.append(bucket)
        return done

    def _starts(self, brigade: Brigade) -> bool:
        """Only for the main request, for a body (the first bucket is none at a 304) and if gzip was the last coding put on."""
        r = self._r
        if isinstance(brigade[0], End) or r.main is not None or r.status == 204:
            return False
        if "no-gzip" in r.env or "Content-Range" in r.headers_out or not _take_gzip_off(r):
            return False
        r.headers_out.unset("Content-Length")
        r.headers_out.unset("Content-MD5")
        alter_etag(r, "gunzip", r.server.config(DeflateServer).alter_etag)
        return True

    def _end(self, reader: GzipReader) -> None:
        r = self._r
        self._log.debug(r, "AH01398", "Zlib: Inflated %d to %d : URL %s", reader.total_in, reader.total_out, r.uri)
        if reader.surplus:
            self._log.info(r, "AH01407", "Zlib: %d bytes of garbage at the end of compressed stream.", reader.surplus)
        if not reader.is_done:
            raise GzipError("AH01401", "Zlib: Validation bytes not present")


_GZIP = ("gzip", "x-gzip")


def _take_gzip_off(r: Request) -> bool:
    """Drop gzip from the end of the content encodings, wherever they are kept; False if it is not there."""
    if r.content_encodings and r.content_encodings[-1].lower() in _GZIP:
        r.content_encodings = r.content_encodings[:-1]
        return True
    for headers in (r.headers_out, r.err_headers_out):
        codings = [c.strip(" \t") for c in (headers.get("Content-Encoding") or "").split(",")]
        if codings[-1].lower() in _GZIP:
            rest = ", ".join(codings[:-1])
            if rest:
                headers.set("Content-Encoding", rest)
            else:
                headers.unset("Content-Encoding")
            return True
    return False
