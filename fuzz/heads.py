"""Header lines known from before are judged as the ordinary parser judges them.

Random heads, mostly near the edge of what is valid, go through `connection.lines.Lines` and through `protocol.http1` with `framing`. What
`Lines` accepts must be accepted there, as a request without a body, with the same request line, and with the same values of the
fields that answers depend on; and what asks to end the connection must be understood alike.

    python -m fuzz.heads --count 1000000
"""

# ruff: noqa: E501 -- tables read best unbroken
from __future__ import annotations

import argparse
import random
import sys

from coachwhip.connection.judging import Unusual
from coachwhip.connection.lines import Lines, Values
from coachwhip.connection.shapes import Shape
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.framing import BodyKind, decide_framing
from coachwhip.protocol.http1 import parse_head

__all__ = ["NAMES", "Heads", "compare", "head", "search"]

#: The fields that answers depend on in this search.
NAMES = ("host", "connection", "accept-encoding", "range", "x-a")
LOGGED = frozenset({"user-agent", "referer"})

_METHODS = (b"GET",) * 8 + (b"HEAD", b"POST", b"get", b"GE T", b"OPTIONS", b"")
_TARGETS = (
    b"/", b"/a", b"/a?b=c", b"/%41%zz", b"/a b", b"/#f", b"/a#", b"*", b"a", b"//x//y", b"/\x7f", b"/\xff", b"/%00", b"http://h/x", b"/\\",
    b"/..", b"/a\tb", b"/\"<>`{}|^", b"/" + b"x" * 300, b"", b"/a?#", b"h:80", b"/[", b"/%2f%5c",
)  # fmt: skip
_VERSIONS = (b"HTTP/1.1",) * 8 + (
    b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 ", b"HTTP/11", b"", b"HTTP/1.1\t",
)
_SPELLINGS = (
    b"Host", b"host", b"HOST", b"Connection", b"connection", b"Accept-Encoding", b"Cookie", b"Range", b"X-A", b"x-a", b"X-B", b"User-Agent",
    b"Referer", b"Content-Length", b"Transfer-Encoding", b"Expect", b"Upgrade", b"TE", b"Trailer", b"HTTP2-Settings", b"Proxy-Connection",
    b"X B", b"X-B ", b" X-B", b"", b"X\xe9", b"X(", b"X:Y", b"\tX", b"X\0", b"!#$%&'*+-.^_`|~", b"Host\t", b"X\x0b",
)  # fmt: skip
_COLONS = (b": ",) * 8 + (b":", b":\t", b" :", b"", b":  \t ", b"::", b": :", b" ")
_VALUES = (
    b"localhost", b"h:80", b"h:", b"h:x", b"[::1]", b"[::1", b"a b", b"h/", b"a,b", b"keep-alive", b"close", b"Close", b"keep-alive, close",
    b"Upgrade", b"", b" ", b"x", b"gzip, br", b"bytes=0-1", b"a\tb", b"a\x0bb", b"a\rb", b"a\nb", b"a\0b", b"\xe9", b"\x7f", b"0", b"1", b"chunked",
    b"100-continue", b"q\"uo\\te", b"x" * 511, b"x" * 600, b"1.2.3.4", b"h\xe9", b"%41", b"..", b"a..b", b"-", b"_", b"a_b", b".", b"h.",
)  # fmt: skip
_TAILS = (b"",) * 8 + (b" ", b"\t", b" \t ", b"\r", b"\x0b", b"\0", b"\x1f")
_ENDS = (b"\r\n",) * 60 + (b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\t", b"", b"\r\n\r\n", b"\n\r\n", b"\x0c", b"\x85")


def _line(chance: random.Random) -> bytes:
    pick = chance.choice
    name = pick(_SPELLINGS) if chance.random() < 0.7 else _SPELLINGS[chance.randrange(12)]
    value = pick(_VALUES)
    if chance.random() < 0.1:
        value += chance.randbytes(chance.randrange(1, 4))
    return name + pick(_COLONS) + value + pick(_TAILS) + pick(_ENDS)


def head(chance: random.Random) -> bytes:
    """A head that may or may not be valid."""
    pick = chance.choice
    if chance.random() < 0.7:
        first = b"GET /a HTTP/1.1"
    else:
        gap = pick((b" ",) * 12 + (b"  ", b"\t", b"\x0b"))
        first = pick(_METHODS) + gap + pick(_TARGETS) + pick((b" ",) * 12 + (b"  ", b"")) + pick(_VERSIONS)
    lines = [_line(chance) if chance.random() < 0.6 else b"X-B: 1\r\n" for _ in range(chance.randrange(4))]
    if chance.random() < 0.8:
        lines.insert(chance.randrange(len(lines) + 1), b"Host: " + pick((b"localhost",) * 6 + _VALUES) + b"\r\n")
    # The empty line stands at the end, or what follows it is the beginning of something else.
    lines.insert(chance.randrange(len(lines) + 1) if chance.random() < 0.05 else len(lines), b"\r\n")
    data = (b"\r\n" if chance.random() < 0.02 else b"") + first + pick(_ENDS) + b"".join(lines)
    if chance.random() < 0.15:
        # One octet changed anywhere.
        at = chance.randrange(len(data))
        data = data[:at] + chance.randbytes(1) + data[at + chance.randrange(2) :]
    return data


class Heads:
    """The ways in which a head is taken without its parser: by its lines, by the shape of an earlier head, by that of the latest."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.shapes = lines.shapes
        self.latest: Shape | None = None

    def by_lines(self, data: bytes, limit: int = 100) -> tuple[bytes, Values] | None:
        """Request line and fields; None if the ordinary path has to judge."""
        try:
            first, _, values = self.lines.read(data, limit)
            self.lines.judge.check_request_line(first)
        except Unusual:
            return None
        return first, values

    def by_shape(self, data: bytes) -> tuple[bytes, Values] | None:
        """The same, if all but the request line and the loose fields was met before. A request line is known by then."""
        line, _, fields = data.partition(b"\r")
        try:
            self.lines.judge.check_request_line(line)
        except Unusual:
            return None
        key, loose = self.shapes.cut(fields)
        shape = self.shapes.get(key)
        return None if shape is None else (line, shape.values_with(loose))

    def by_latest(self, data: bytes) -> tuple[bytes, Values] | None:
        """The same, if it has the shape that was learned last."""
        line, _, fields = data.partition(b"\r")
        try:
            self.lines.judge.check_request_line(line)
        except Unusual:
            return None
        loose = self.latest.cut(fields) if self.latest is not None and self.latest.is_current else None
        return None if self.latest is None or loose is None else (line, self.latest.values_with(loose))

    def learn(self, data: bytes) -> None:
        """Remember the shape of a head that its lines were good for."""
        key, _ = self.shapes.cut(data.partition(b"\r")[2])
        try:
            first, found, values = self.lines.read(data, 100)
            self.lines.judge.check_request_line(first)
        except Unusual:
            return
        self.latest = self.shapes.learn(key, found, values, data.count(b"\r\n") - 2) or self.latest


def compare(taken: tuple[bytes, Values] | None, data: bytes) -> str | None:
    """What is wrong with what was made of a head, or None. A head that is left to the ordinary path is never wrong."""
    if taken is None:
        return None
    if not data.endswith(b"\r\n\r\n"):
        return "taken as one whole head"
    first, fields = taken
    try:
        found = parse_head(data)
        framing = decide_framing(found)
    except BadRequest as error:
        # Hosts are no matter of lines: an answer is kept for those alone that the ordinary path has let pass with the same `Host`.
        return None if _is_about_host(error) else f"refused by the parser: {error.reason}"
    if first != b"%b %b HTTP/%d.%d" % (found.method, found.target, *divmod(found.version, 1000)):
        return f"another request line: {first!r}"
    if framing.kind is not BodyKind.NONE or framing.expect_continue or framing.must_close:
        return f"a body, an expectation or an end: {framing}"
    return _different_fields(found.headers, fields) or _different_end(framing.keepalive, first, fields)


def _is_about_host(error: BadRequest) -> bool:
    return error.log_id in ("AH00550", "AH00569", "AH02429") or "ost" in error.reason


def _different_fields(headers: list[tuple[bytes, bytes]], fields: dict[str, str | bytes]) -> str | None:
    for name in (*NAMES, *sorted(LOGGED)):
        values = [value.decode("latin-1") for key, value in headers if key.decode("latin-1").lower() == name]
        given = fields.get(name)
        text = given.decode("latin-1") if isinstance(given, bytes) else given
        if name == "connection":
            values = [value.lower() for value in values]
        if (text is None and values) or (text is not None and values != [text]):
            return f"{name} is {values!r}, not {text!r}"
    return None


def _different_end(keepalive: bool, first: bytes, fields: dict[str, str | bytes]) -> str | None:
    asked = fields.get("connection")
    stays = asked == "keep-alive" if first.endswith(b"HTTP/1.0") else asked != "close"
    return None if stays == keepalive else f"keep-alive is {keepalive}, not {stays}"


def search(count: int, seed: int) -> tuple[int, int, int, int]:
    """Try that many heads; returns how many were taken by their lines, how many by their shape, how many by the latest
    one, and how many the parser takes.

    Raises:
        AssertionError: at a difference.
    """
    chance = random.Random(seed)  # noqa: S311 -- a search, not a secret
    heads = Heads(Lines())
    heads.lines.care_about(NAMES)
    heads.lines.care_about(LOGGED, logged=True)
    by_lines = by_shape = by_latest = valid = 0
    for number in range(count):
        data = head(chance)
        # Three times: what is remembered, from the second time on, must be judged as it was the first time.
        taken = [heads.by_shape(data), heads.by_latest(data), *(heads.by_lines(data) for _ in range(3))]
        for one in taken:
            wrong = compare(one, data)
            if wrong is not None:
                raise AssertionError(f"head {number} of seed {seed}: {data!r}\n{wrong}")
        heads.learn(data)
        by_shape += taken[0] is not None
        by_latest += taken[1] is not None
        by_lines += taken[2] is not None
        valid += _is_valid(data)
    return by_lines, by_shape, by_latest, valid


def _is_valid(data: bytes) -> bool:
    try:
        decide_framing(parse_head(data))
    except BadRequest:
        return False
    return True


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.heads", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many heads (default 1000000)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    by_lines, by_shape, by_latest, valid = search(asked.count, asked.seed)
    print(f"{asked.count} heads, {valid} valid, {by_lines} taken by their lines, {by_shape} by their shape, {by_latest} by the latest, 0 differences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
