"""Field lines: the header section of a head, and the trailer section of a chunked body (RFC 9112 §5).

`parse_field_line` judges one line on its own, so that known lines can be looked up. `FieldSection` takes physical lines
as they arrive, joins folded ones and keeps the limits; whatever is wrong first on the wire is raised first, however the
bytes were split.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from coachwhip.protocol.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """``LimitRequestLine``, ``LimitRequestFieldSize`` (octets) and ``LimitRequestFields`` (0: no limit)."""

    line: int = 8190
    field_size: int = 8190
    fields: int = 100


DEFAULT_LIMITS = Limits()

Fields = list[tuple[bytes, bytes]]

_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)")
_FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:")
_VERTICAL_BLANK = re.compile(rb"[\0\n\v\f\r]")
_ANY_BLANK = re.compile(rb"[ \t\n\v\f\r]")
_TOO_LARGE = "Size of a request header field exceeds server limit."
_TOO_MANY = "The number of request header fields exceeds this server's limit."


def parse_field_line(line: bytes, *, strict: bool = True) -> tuple[bytes, bytes]:
    """Return name and value of one field line, unfolded and without its line end (RFC 9112 §5, RFC 9110 §5.5).

    The name is as sent, the value without surrounding blanks. Raises BadRequest (400).
    """
    if found := _FIELD.fullmatch(line):
        return found[1], found[2].rstrip(b" \t")
    if not strict:
        return _parse_loosely(line)
    if not _FIELD_NAME.match(line):
        raise BadRequest(400, "Request header field name is malformed", "AH02426", detail=line)
    value = line.partition(b":")[2].strip(b" \t")
    raise BadRequest(400, "Request header value is malformed", "AH02427", detail=value)


def _parse_loosely(line: bytes) -> tuple[bytes, bytes]:
    """``HttpProtocolOptions Unsafe``: any name without blanks, any value without vertical ones."""
    name, colon, value = line.partition(b":")
    if not colon:
        raise BadRequest(400, "Request header field is missing ':' separator", "AH00564", detail=line)
    if not name:
        raise BadRequest(400, "Request header field name was empty", "AH03453")
    if _ANY_BLANK.search(name):
        raise BadRequest(400, "Request header field name presented invalid whitespace", "AH03452")
    if _VERTICAL_BLANK.search(line):
        raise BadRequest(400, "Request header field value presented bad whitespace", "AH03451")
    return name, value.strip(b" \t")


def is_blank(raw: bytes, strict: bool) -> bool:
    """Tell whether a physical line, its LF taken off, is the empty line. A bare LF is one only if not *strict*."""
    return raw == b"\r" or (not raw and not strict)


class FieldSection:
    """A header or trailer section in the making: give it physical lines until one of them ends it."""

    __slots__ = ("_limits", "_pending", "_strict", "fields")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, strict: bool = True) -> None:
        self._limits = limits
        self._strict = strict
        # A line is complete only once the next one does not continue it.
        self._pending: bytes | None = None
        self.fields: Fields = []

    def take(self, raw: bytes) -> bool:
        """Take the next physical line, its LF taken off; tell whether the section ends with it. Raises BadRequest."""
        line = raw.removesuffix(b"\r")
        self.check_length(line)
        if b"\0" in line or (self._strict and not raw.endswith(b"\r")):
            raise BadRequest(400, "request failed: error reading the headers", "AH00567")
        if line[:1] in (b" ", b"\t"):
            self._pending = self._unfold(line)
            return False
        if self._pending is not None:
            self._add(self._pending)
        self._pending = line or None
        if not line:
            check_merged(self.fields, self._limits)
        return not line

    def check_length(self, line: bytes | bytearray) -> None:
        """Refuse a line, or the beginning of one, that is too long already."""
        # One more than the limit gets through in Apache, whose buffer has room for the CR.
        if len(line) > self._limits.field_size + 1:
            # No more than has arrived in every case, so that the message does not depend on the split.
            name = bytes(line[: self._limits.field_size]).partition(b":")[0]
            reason = "Request header exceeds LimitRequestFieldSize"
            raise BadRequest(400, reason, "AH00561", notes=_TOO_LARGE, detail=name)

    def _unfold(self, line: bytes) -> bytes:
        """Join a continuation line (obs-fold, RFC 9112 §5.2) to the one before it with one space."""
        if self._pending is None:
            raise BadRequest(400, "Line folding encountered before first header line", "AH03442")
        text = line.strip(b" \t")
        if not text:
            raise BadRequest(400, "Empty folded line encountered", "AH03443")
        folded = self._pending.rstrip(b" \t") + b" " + text
        if len(folded) + 1 >= self._limits.field_size:
            reason = "Request header exceeds LimitRequestFieldSize after folding"
            raise BadRequest(400, reason, "AH00562", notes=_TOO_LARGE, detail=folded[:80].partition(b":")[0])
        return folded

    def _add(self, line: bytes) -> None:
        if self._limits.fields and len(self.fields) >= self._limits.fields:
            reason = "Number of request headers exceeds LimitRequestFields"
            raise BadRequest(400, reason, "AH00563", notes=_TOO_MANY)
        self.fields.append(parse_field_line(line, strict=self._strict))


def check_merged(fields: Iterable[tuple[bytes, bytes]], limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a field whose repeated lines, joined with ``", "`` as Apache joins them, are longer than one may be."""
    sizes: dict[bytes, int] = {}
    for name, value in fields:
        key = name.lower()
        sizes[key] = sizes[key] + 2 + len(value) if key in sizes else len(value)
        if sizes[key] > limits.field_size:
            reason = "Request header exceeds LimitRequestFieldSize after merging"
            raise BadRequest(400, reason, "AH00560", notes=_TOO_LARGE, detail=name)
