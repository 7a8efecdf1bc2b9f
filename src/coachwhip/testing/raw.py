"""A raw HTTP/1 client for tests: sends exactly the bytes it is given, reads exactly the responses that come back.

It frames answers as RFC 9112 section 6.3 says (HEAD, 1xx/204/304, chunked, Content-Length, until close) and reports
what it saw without judging it: a cut body is a `Response` with `is_complete` false, not an exception. It must not build
requests or follow anything; tests write their own bytes. Both the tests and the differential oracle read through it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

Header = tuple[bytes, bytes]

_STATUS_LINE = re.compile(rb"HTTP/([0-9])\.([0-9]) ([0-9]{3})(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_BODILESS = frozenset({204, 304})
_RECEIVE_BUFFER = 1 << 18


class FramingError(Exception):
    """What came back is not an HTTP/1 response; `received` holds the offending bytes."""

    def __init__(self, message: str, received: bytes = b"") -> None:
        super().__init__(f"{message}: {received[:200]!r}")
        self.received = received


@dataclass(frozen=True, slots=True)
class Response:
    """One response as it was on the wire; `body` is freed of its chunked framing, not of its content coding."""

    status: int
    reason: bytes
    status_line: bytes
    headers: tuple[Header, ...]
    body: bytes = b""
    trailers: tuple[Header, ...] = ()
    interim: tuple[Response, ...] = ()
    is_complete: bool = True

    def get_all(self, name: bytes) -> list[bytes]:
        """Return the values of all header lines called `name`, in order; names compare without case."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def get(self, name: bytes, default: bytes = b"") -> bytes:
        """Return the value of the first header line called `name`."""
        return next(iter(self.get_all(name)), default)

    @property
    def says_close(self) -> bool:
        """Whether the server announced that it ends the connection (RFC 9112 section 9.3)."""
        tokens = {t.strip(b" \t").lower() for value in self.get_all(b"connection") for t in value.split(b",")}
        if b"close" in tokens:
            return True
        return self.status_line.startswith(b"HTTP/1.0") and b"keep-alive" not in tokens


class Client:
    """One connection to a server under test; a context manager that closes it.

    `timeout` (seconds) bounds each single wait for bytes; when it passes, `TimeoutError` is raised.
    """

    def __init__(self, host: str, port: int, timeout: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb", _RECEIVE_BUFFER)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close both directions."""
        self._reader.close()
        self._socket.close()

    def finish_sending(self) -> None:
        """Half-close: tell the server that no more bytes will come (RFC 9112 section 9.6)."""
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes, *, split: int = 0, pause: float = 0.0) -> None:
        """Send `data`, in pieces of `split` bytes when given, `pause` seconds apart.

        A server may answer and close before it has read everything, so a broken pipe is not an error here: what
        matters is what can still be read.
        """
        pieces = [data] if not split else [data[at : at + split] for at in range(0, len(data), split)]
        try:
            for piece in pieces:
                self._socket.sendall(piece)
                if pause:
                    time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            return

    def read_response(self, method: bytes = b"GET") -> Response | None:
        """Read one final response to a request with `method`, with the 1xx before it; None when the peer closed.

        Raises FramingError when the bytes are no HTTP/1 response, TimeoutError when none come in time.
        """
        interim: list[Response] = []
        while (response := self._read_any(method, tuple(interim))) is not None:
            if response.status >= 200 or response.status == 101:
                return response
            interim.append(response)
        return None

    def read_interim(self) -> Response | None:
        """Read one response head of any status, without a body: used to wait for `100 Continue`."""
        return self._read_head(())

    def read_all(self, methods: Iterable[bytes] = ()) -> list[Response]:
        """Read responses until the peer closes; `methods` are those of the requests sent, GET when it runs out."""
        responses: list[Response] = []
        pending = iter(methods)
        while (response := self.read_response(next(pending, b"GET"))) is not None:
            responses.append(response)
        return responses

    def read_rest(self) -> bytes:
        """Read raw bytes until the peer closes; a reset counts as a close."""
        try:
            rest: bytes = self._reader.read()
        except ConnectionResetError:
            return b""
        return rest

    def _read_any(self, method: bytes, interim: tuple[Response, ...]) -> Response | None:
        head = self._read_head(interim)
        if head is None or not head.is_complete or head.status < 200 or head.status in _BODILESS or method == b"HEAD":
            return head
        return self._read_body(head)

    def _read_head(self, interim: tuple[Response, ...]) -> Response | None:
        line = self._read_line()
        if not line:
            return None
        matched = _STATUS_LINE.fullmatch(line)
        if matched is None:
            raise FramingError("not an HTTP/1 status line", line)
        headers, is_complete = self._read_fields()
        status_line = line.rstrip(b"\r\n")
        return Response(int(matched[3]), matched[4] or b"", status_line, headers, interim=interim, is_complete=is_complete)

    def _read_line(self) -> bytes:
        try:
            return self._reader.readline()
        except ConnectionResetError:
            return b""

    def _read_fields(self) -> tuple[tuple[Header, ...], bool]:
        fields: list[Header] = []
        while (line := self._read_line()) not in (b"\r\n", b"\n"):
            if not line:
                return tuple(fields), False
            name, colon, value = line.rstrip(b"\r\n").partition(b":")
            if not colon:
                raise FramingError("a header line without a colon", line)
            fields.append((name, value.strip(b" \t")))
        return tuple(fields), True

    def _read_body(self, head: Response) -> Response:
        if head.get(b"transfer-encoding").lower() == b"chunked":
            return self._read_chunked(head)
        length = head.get(b"content-length")
        if not length:
            return replace(head, body=self.read_rest())
        if not _LENGTH.fullmatch(length):
            raise FramingError("a bad Content-Length", length)
        body, is_whole = self._read_exactly(int(length))
        return replace(head, body=body, is_complete=is_whole)

    def _read_exactly(self, size: int) -> tuple[bytes, bool]:
        try:
            data: bytes = self._reader.read(size)
        except ConnectionResetError:
            return b"", size == 0
        return data, len(data) == size

    def _read_chunked(self, head: Response) -> Response:
        pieces: list[bytes] = []
        while line := self._read_line():
            matched = _CHUNK_SIZE.fullmatch(line)
            if matched is None:
                raise FramingError("a bad chunk size line", line)
            size = int(matched[1], 16)
            if size == 0:
                trailers, is_complete = self._read_fields()
                return replace(head, body=b"".join(pieces), trailers=trailers, is_complete=is_complete)
            data, is_whole = self._read_exactly(size)
            pieces.append(data)
            if not is_whole or self._read_exactly(2) != (b"\r\n", True):
                break
        return replace(head, body=b"".join(pieces), is_complete=False)


def exchange(
    address: tuple[str, int],
    data: bytes,
    methods: Sequence[bytes] = (b"GET",),
    *,
    split: int = 0,
    timeout: float = 10.0,
) -> list[Response]:
    """Open a connection, send `data`, read one response per method (fewer when the server closes), close."""
    responses: list[Response] = []
    with Client(*address, timeout=timeout) as client:
        client.send(data, split=split)
        for method in methods:
            response = client.read_response(method)
            if response is None:
                break
            responses.append(response)
    return responses
