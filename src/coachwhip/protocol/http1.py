"""HTTP/1 request heads: from bytes to `RequestHead`, as strictly as Apache's ``HttpProtocolOptions Strict`` (RFC 9112).

A head is judged line by line, and the two units, `parse_request_line` and `parse_field_line`, see one line each, so a
line that was judged before can be looked up instead. What is wrong first on the wire is reported first, whatever way
the bytes were split: `parse_head` and `HeadReader` are the same judge, given all lines at once or as they come.

This file knows syntax and limits only; what ``Host`` and the framing fields mean is decided in `framing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.fields import DEFAULT_LIMITS, Fields, FieldSection, Limits, is_blank, parse_field_line
from coachwhip.protocol.request_line import (
    HTTP_09,
    HTTP_10,
    HTTP_11,
    REGISTERED_METHODS,
    RequestLine,
    parse_request_line,
)
from coachwhip.protocol.targets import Target, TargetForm

__all__ = [
    "DEFAULT_RULES",
    "HTTP_09",
    "HTTP_10",
    "HTTP_11",
    "MAX_BLANK_LINES",
    "REGISTERED_METHODS",
    "BadRequest",
    "HeadReader",
    "Limits",
    "RequestHead",
    "RequestLine",
    "Rules",
    "check_partial",
    "find_head",
    "parse_field_line",
    "parse_head",
    "parse_request_line",
    "parse_usual",
]

#: Apache skips this many empty lines before a request line, for clients that send some after a body.
MAX_BLANK_LINES = 10


@dataclass(frozen=True, slots=True)
class Rules:
    """``HttpProtocolOptions``, with Apache's defaults, and the methods that count as registered."""

    strict: bool = True
    lenient_methods: bool = True
    allow_09: bool = True
    methods: frozenset[bytes] = REGISTERED_METHODS


DEFAULT_RULES = Rules()


@dataclass(slots=True)
class RequestHead:
    """A syntactically valid head.

    version: major * 1000 + minor (HTTP/1.1 is 1001, HTTP/0.9 is 9).
    uri: `target` taken apart.
    headers: (name, value) in order of arrival, names as sent, values without surrounding blanks, folds as one space.
    by_name: lower-case names with their values in order of arrival.
    """

    method: bytes
    target: bytes
    version: int
    uri: Target
    headers: Fields = field(default_factory=list)
    by_name: dict[bytes, list[bytes]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[bytes, list[bytes]] = {}
        for name, value in self.headers:
            key = name.lower()
            if key in found:
                found[key].append(value)
            else:
                found[key] = [value]
        self.by_name = found

    def get_all(self, name: bytes) -> list[bytes]:
        """Return every value of the field *name* (given in lower case), in order."""
        return self.by_name.get(name, [])

    def get(self, name: bytes) -> bytes | None:
        """Return the value of field *name* (lower case), several joined with ``", "`` as Apache does, or None."""
        values = self.get_all(name)
        return b", ".join(values) if values else None


class _Judge:
    """Takes the physical lines of a head one by one, and makes `head` when it ends."""

    __slots__ = ("_blanks", "_limits", "_rules", "_section", "head", "line")

    def __init__(self, limits: Limits, rules: Rules) -> None:
        self._limits = limits
        self._rules = rules
        self._blanks = 0
        self._section = FieldSection(limits, strict=rules.strict)
        #: The request line, once it is there.
        self.line: RequestLine | None = None
        self.head: RequestHead | None = None

    def take(self, raw: bytes) -> bool:
        """Take the next line, its LF taken off; tell whether the head ends with it. Raises BadRequest."""
        if self.line is not None:
            return self._section.take(raw) and self._end(self.line)
        if self._blanks < MAX_BLANK_LINES and is_blank(raw, self._rules.strict):
            self._blanks += 1
            return False
        line = raw.removesuffix(b"\r")
        self.check_length(line)
        if b"\0" in line or (self._rules.strict and not raw.endswith(b"\r")):
            raise BadRequest(400, "request failed: malformed request line", "AH00566")
        rules = self._rules
        self.line = parse_request_line(
            line,
            strict=rules.strict,
            lenient_methods=rules.lenient_methods,
            allow_09=rules.allow_09,
            methods=rules.methods,
        )
        return self.line.version == HTTP_09 and self._end(self.line)

    def _end(self, line: RequestLine) -> bool:
        self.head = RequestHead(line.method, line.target, line.version, line.uri, self._section.fields)
        return True

    def check_length(self, line: bytes | bytearray) -> None:
        """Refuse a line, or the beginning of one, that is too long already."""
        if self.line is not None:
            self._section.check_length(line)
        elif len(line) > self._limits.line + 1:  # see FieldSection.check_length
            raise BadRequest(414, "request failed: client's request-line exceeds LimitRequestLine", "AH00565")


def parse_head(
    head: bytes,
    limits: Limits = DEFAULT_LIMITS,
    *,
    strict: bool = True,
    lenient_methods: bool = True,
    allow_09: bool = True,
    methods: frozenset[bytes] = REGISTERED_METHODS,
) -> RequestHead:
    """Parse one head: leading empty lines, request line, field lines, and the empty line (which may be missing).

    Raises BadRequest and nothing else.
    """
    judge = _Judge(limits, Rules(strict, lenient_methods, allow_09, methods))
    for raw in (head + b"\r\n\r\n").split(b"\n"):
        if judge.take(raw) and judge.head is not None:
            return judge.head
    raise BadRequest(400, "request failed: malformed request line", "AH00566")


#: Heads as nearly all clients write them. What follows a colon is one space and a value without blanks at its ends, or nothing.
_FIELD_LINE = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?\r\n"
_USUAL = re.compile(
    rb"(GET|HEAD|POST) ((/[!\"$->@-~\x80-\xff]*)(?:\?([!\"$-~\x80-\xff]*))?) HTTP/1\.([01])\r\n((?:" + _FIELD_LINE + rb")*+)\r\n"
)
_PAIR = re.compile(rb"([^:]+): ([^\r]+)\r\n")
_VERSIONS = {b"0": HTTP_10, b"1": HTTP_11}
_ORIGIN = TargetForm.ORIGIN


def parse_usual(data: bytes, limits: Limits, rules: Rules) -> tuple[RequestHead, int] | None:
    """The head that *data* begins with and where it ends, if it is whole and as nearly all clients write theirs; else None.

    It is then what `parse_head` makes of it, at a third of the cost: all is judged by one expression, and a head that is shorter than a
    line may be exceeds no limit on lines or on fields that are joined.
    """
    found = _USUAL.match(data)
    if found is None:
        return None
    end = found.end()
    method, target, path, query, minor, lines = found.groups()
    fields = _PAIR.findall(lines)
    if end > limits.line or end > limits.field_size or len(fields) > (limits.fields or end):
        return None
    if not rules.lenient_methods and method not in rules.methods:
        return None
    # Not by the constructor of the named tuple, which is a Python function.
    uri = tuple.__new__(Target, (_ORIGIN, path, query, None, None, None))
    return RequestHead(method, target, _VERSIONS[minor], uri, fields), end


_WORD = re.compile(rb"[^ \t\v\f\r]+")


def find_head(buffer: bytes | bytearray, start: int = 0, *, strict: bool = True) -> int | None:
    """Return the index behind the first complete head in *buffer* from *start* on, or None while it is incomplete.

    Leading empty lines belong to the head. A request line of fewer than three words ends its head at once: it is
    HTTP/0.9, or nothing that more lines could make better.
    """
    position = start
    for _ in range(MAX_BLANK_LINES + 1):
        end = buffer.find(b"\n", position)
        if end < 0:
            return None
        if not is_blank(bytes(buffer[position:end]), strict):
            break
        position = end + 1
    else:
        return position
    if len(_WORD.findall(buffer, position, end)) < 3:
        return end + 1
    marks = (b"\r\n\r\n",) if strict else (b"\n\r\n", b"\n\n")
    ends = [found + len(mark) for mark in marks if (found := buffer.find(mark, end - 1)) >= 0]
    return min(ends, default=None)


def check_partial(
    buffer: bytes | bytearray, limits: Limits = DEFAULT_LIMITS, rules: Rules = DEFAULT_RULES
) -> BadRequest | None:
    """Return why the incomplete head in *buffer* is refused already, or None.

    This is what `parse_head` reports for every completion of these bytes. To ask again and again while bytes trickle
    in, use `HeadReader`, which looks at each byte once.
    """
    reader = HeadReader(limits, rules)
    reader.feed(bytes(buffer))
    try:
        reader.read()
    except BadRequest as error:
        return error
    return None


class HeadReader:
    """Collects bytes until a head is complete, and gives up as early as a limit or a bad line allows.

    `feed` bytes, then `read`: a head, or None for "more, please". After a head, `rest` holds what followed it (the body
    or the next request). One reader reads one head; it does no I/O.
    """

    __slots__ = ("_buffer", "_judge", "_line_start", "_scanned", "rest")

    def __init__(self, limits: Limits = DEFAULT_LIMITS, rules: Rules = DEFAULT_RULES) -> None:
        self._judge = _Judge(limits, rules)
        self._buffer = bytearray()
        self._line_start = 0
        self._scanned = 0  # how far an LF was looked for
        self.rest = b""

    @property
    def started(self) -> bool:
        """Whether any byte of a request has arrived, empty lines aside."""
        return self._judge.line is not None or len(self._buffer) > self._line_start

    @property
    def has_line(self) -> bool:
        """Whether a whole request line has arrived: from then on there is somebody to answer."""
        return self._judge.line is not None

    @property
    def first_line(self) -> bytes:
        """The request line as far as it has arrived, for the log of a refusal."""
        return bytes(self._buffer).lstrip(b"\r\n").partition(b"\n")[0].removesuffix(b"\r")

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire."""
        self._buffer += data

    def read(self) -> RequestHead | None:
        """Return the head once it is complete, else None. Raises BadRequest."""
        buffer, judge = self._buffer, self._judge
        while (end := buffer.find(b"\n", self._scanned)) >= 0:
            raw = bytes(buffer[self._line_start : end])
            self._line_start = self._scanned = end + 1
            if judge.take(raw):
                self.rest = bytes(buffer[end + 1 :])
                return judge.head
        self._scanned = len(buffer)
        # The last byte may be the CR of a line that is just short enough.
        judge.check_length(buffer[self._line_start : max(self._line_start, self._scanned - 1)])
        return None
