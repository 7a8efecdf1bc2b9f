"""The one error of the wire formats.

Everything that reads untrusted bytes in this room raises `BadRequest` and nothing else. It carries what the connection
needs to answer and to log; whoever raises it knows nothing of either.
"""

from __future__ import annotations


class BadRequest(Exception):
    """Bytes that are no acceptable request.

    status: the HTTP status to answer (400, 413, 414, 417, 501).
    reason: one line for the error log, without Apache's number.
    log_id: Apache's message number for the condition ("AH03448"), or "" where Apache has none.
    notes: a sentence to add to the error page, or "". It is fixed text, never anything the client sent.
    close: whether the connection must end after the answer. True for whatever leaves the framing in doubt.
    detail: the offending bytes for the log, at most 80 of them and still to be escaped.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        log_id: str = "",
        *,
        notes: str = "",
        close: bool = True,
        detail: bytes = b"",
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.log_id = log_id
        self.notes = notes
        self.close = close
        self.detail = detail[:80]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BadRequest) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return (self.status, self.reason, self.log_id, self.notes, self.close, self.detail)

    def __repr__(self) -> str:
        return f"BadRequest({self.status}, {self.reason!r}, {self.log_id!r}, detail={self.detail!r})"
