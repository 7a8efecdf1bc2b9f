"""The head of a response: which fields go out, in which order, as bytes.

Apache's order: status line, Date, Server, the fields of `err_headers_out`, then of `headers_out`, the content fields
last. This is the choke point for injection: a field with a control character never leaves.
Source: RFC 9110 §8.6, §15.4.5; RFC 9112 §4, §6; Apache manual, "Apache Core Features".
"""

from __future__ import annotations

import re

from coachwhip.api.headers import Headers
from coachwhip.api.request import Request
from coachwhip.protocol.status import status_line
from coachwhip.util.dates import http_date
from coachwhip.util.remember import remember

__all__ = ["BadHeader", "head_bytes", "merged_fields", "place"]

#: A 304 does not describe the content that it does not carry (RFC 9110 §15.4.5).
NOT_IN_304 = frozenset(
    ("content-type", "content-length", "content-encoding", "content-language", "content-range")
)
#: Fields that stand at the end of a head.
_LAST = frozenset(("transfer-encoding", "content-type", "content-encoding", "content-language"))
#: Fields that stand at the head of every answer.
_FIRST = frozenset(("date", "server"))
_FIRST_304 = _FIRST | NOT_IN_304

#: What stands before the first colon of a line is the name.
_LINE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++: [\t -~\x80-\xff]*+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_DEFAULT_CHARSET_TYPES = ("text/plain", "text/html")


class BadHeader(ValueError):
    """A response field that must not leave the server."""


def content_type(r: Request) -> str | None:
    """`Content-Type` with `AddDefaultCharset` applied (plain and HTML text without a charset of its own)."""
    value = r.content_type
    if not value:
        return None
    charset = r.core.default_charset
    if charset is not None and "charset=" not in value.lower():
        plain = value.partition(";")[0].rstrip(" ").lower()
        if plain in _DEFAULT_CHARSET_TYPES:
            return f"{value}; charset={charset}"
    return value


def merged_fields(r: Request) -> Headers:
    """All fields of the response except Date, Server and the framing."""
    if r.err_headers_out:
        fields = r.err_headers_out.copy()
        fields.add_all(r.headers_out)
    else:
        fields = r.headers_out.copy()
    if r.env and "force-no-vary" in r.env:
        fields.unset("Vary")
    elif vary := fields.get_all("Vary"):
        fields.set("Vary", _fold_vary(tuple(vary)))
    if r.notes and r.notes.get("no-etag"):
        fields.unset("ETag")
    if (kind := content_type(r)) is not None:
        fields.set("Content-Type", kind)
    if r.content_encodings:
        fields.set("Content-Encoding", ", ".join(r.content_encodings))
    if r.content_languages:
        fields.set("Content-Language", ",".join(dict.fromkeys(r.content_languages)))
    if r.no_cache and "Expires" not in fields:
        # HTTP/1.0 has no other word for "not to be kept"; RFC 9111 §5.3.
        fields.set("Expires", http_date(r.now()))
    return fields


@remember(most=64)
def _fold_vary(values: tuple[str, ...]) -> str:
    seen: dict[str, str] = {}
    for value in values:
        for word in value.split(","):
            name = word.strip(" \t")
            if name == "*":
                return "*"
            if name:
                seen.setdefault(name.lower(), name)
    return ",".join(seen.values())


def place(fields: Headers, framing: list[tuple[str, str]]) -> None:
    """Set the fields about framing and connection: in front of those that describe the content, where Apache has them.

    One that is there already is changed in its own place.
    """
    is_longer = False
    for name, value in framing:
        if fields.set(name, value):
            is_longer = True
    if is_longer:
        fields.move_to_end(_LAST)


def head_bytes(r: Request, fields: Headers, now: float, server: str) -> bytes:
    """The head as it goes on the wire, blank line included. `now`: wall clock, seconds.

    Raises:
        BadHeader: a field name is no token, or a value holds a control character.
    """
    status = r.status_line or status_line(r.status)
    if r.status_line and _BAD_VALUE.search(status) is not None:
        raise BadHeader("status line")
    version = "HTTP/1.0" if r.protocol_number == 1000 and r.env.get("force-response-1.0") is not None else "HTTP/1.1"
    has_own = fields.has_any(_FIRST)
    if has_own:
        server = server and (fields.get("Server") or server)
        lines = [_start(version, status, fields.get("Date") or http_date(now), server)]
    else:
        lines = [_usual_start((version, status, int(now), server))]
    if r.status == 304:
        others = fields.items_but(_FIRST_304)
    else:
        others = fields.items_but(_FIRST) if has_own else fields.items()
    lines += map(_line, others)
    lines.append(b"\r\n")
    return b"".join(lines)


def _start(version: str, status: str, date: str, server: str) -> bytes:
    """Status line, Date and Server."""
    start = f"{version} {status}\r\n".encode("latin-1") + _line(("Date", date))
    return start + _line(("Server", server)) if server else start


@remember(most=16)
def _usual_start(parts: tuple[str, str, int, str]) -> bytes:
    """The same, as most answers of a second share it: version, status, second, server."""
    version, status, second, server = parts
    return _start(version, status, http_date(second), server)


#: How many lines are kept, and how long one may be in characters: what is in them may come from anywhere.
MAX_GOOD = 2048
MAX_LENGTH = 200


class _Lines(dict[tuple[str, str], bytes]):
    """Name and value → the line that they make, which was judged: of such are most heads."""

    def __missing__(self, field: tuple[str, str]) -> bytes:
        """Raises BadHeader if the line must not be sent."""
        text = f"{field[0]}: {field[1]}"
        if _LINE.fullmatch(text) is None:
            raise BadHeader(field[0])
        line = text.encode("latin-1") + b"\r\n"
        if len(text) <= MAX_LENGTH:
            if len(self) >= MAX_GOOD:
                self.clear()
            self[field] = line
        return line


_line = _Lines().__getitem__
