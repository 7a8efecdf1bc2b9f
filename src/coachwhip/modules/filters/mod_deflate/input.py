"""The input filter `DEFLATE`: a gzip-encoded request body, inflated, within limits that stop a bomb."""

from __future__ import annotations

from coachwhip.api import InputFilterError, ModuleLog, Request
from coachwhip.modules.filters.mod_deflate.gzip import GzipError, GzipReader
from coachwhip.modules.filters.mod_deflate.settings import DeflateDir

__all__ = ["InflateBody", "takes_gzip_off"]

#: Below this many inflated bytes no ratio is looked at: a short text may well shrink to nothing.
_FIRST_CHECK = 1 << 20
_GZIP = ("gzip", "x-gzip")


def takes_gzip_off(r: Request) -> bool:
    """Whether the body is gzip-encoded as its last coding; if so, what later hooks see says that it is not any more."""
    field = r.headers_in.get("Content-Encoding")
    if r.main is not None or field is None:
        return False
    codings = [coding.strip(" \t") for coding in field.split(",")]
    if codings[-1].lower() not in _GZIP:
        return False
    rest = ",".join(codings[:-1])
    if rest:
        r.headers_in.set("Content-Encoding", rest)
    else:
        r.headers_in.unset("Content-Encoding")
    r.headers_in.unset("Content-Length")
    r.headers_in.unset("Content-MD5")
    return True


class InflateBody:
    """One request body on its way."""

    def __init__(self, r: Request, log: ModuleLog) -> None:
        self._r = r
        self._log = log
        self._reader = GzipReader()
        conf = r.config(DeflateDir)
        self._limit = r.core.limit_request_body if conf.inflate_limit is None else conf.inflate_limit
        self._ratio_limit = conf.ratio_limit
        self._bursts_left = conf.ratio_burst

    def feed(self, data: bytes) -> bytes:
        """The next compressed bytes in, plain bytes out. Raises InputFilterError: 413 beyond a limit, 400 for broken data."""
        done = []
        try:
            for piece in self._reader.feed(data):
                self._check_size()
                self._check_ratio()
                done.append(piece)
        except GzipError as error:
            raise self._refuse(400, error.log_id, str(error)) from None
        if self._reader.surplus:
            raise self._refuse(400, "AH02485", "Encountered extra data after compressed data")
        return b"".join(done)

    def finish(self) -> bytes:
        """The body ended; raises InputFilterError if the compressed data did not."""
        if self._reader.is_done:
            return b""
        if not self._reader.has_begun:
            raise self._refuse(400, "AH02619", "Encountered premature end-of-stream while reading inflate header")
        raise self._refuse(400, "AH02481", "Encountered premature end-of-stream while inflating")

    def _check_size(self) -> None:
        size = self._reader.total_out
        if self._limit and size > self._limit:
            text = f"Inflated content length of {size} is larger than the configured limit of {self._limit}"
            raise self._refuse(413, "AH02648", text)

    def _check_ratio(self) -> None:
        reader = self._reader
        if reader.total_out < _FIRST_CHECK or reader.total_out // max(reader.total_in, 1) <= self._ratio_limit:
            return
        self._bursts_left -= 1
        if self._bursts_left < 0:
            text = f"Inflated content ratio is larger than the configured limit {self._ratio_limit}"
            raise self._refuse(413, "AH02649", text)

    def _refuse(self, status: int, log_id: str, text: str) -> InputFilterError:
        self._log.error(self._r, log_id, "%s", text)
        return InputFilterError(status, text)
