"""Write what a server answered as case-file text, and tell how an answer differs from such text.

Volatile parts are placeholders; the table below says what each stands for. Nothing here runs a server.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from coachwhip.testing.casefile import escape, joined_lines, unescape
from coachwhip.testing.raw import Response

CLOSED = "(closed)"
NOTHING = "(nothing)"
GUNZIPPED = "{gunzip}"
CUT = "(cut short)"

# A built-in error page, by its status: every server says it in its own words.
PAGE = b"{page %d}\n"

# An unexpected refusal of the wire: bytes that are no HTTP/1 response, shown as they came.
RAW = "(raw)"

_PATTERNS: dict[bytes, bytes] = {
    b"date": rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
    b"time": rb"[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}",
    b"product": rb"[A-Za-z]+",
    b"version": rb"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+]*",
    b"platform": rb"[^()]*",
    b"boundary": rb"[0-9A-Za-z'()+_,./:=?-]+",
    b"length": rb"[0-9]+",
    b"number": rb"-?[0-9]+",
    b"word": rb"\S+",
    b"any": rb"(?s:.*)",
}
_PLACEHOLDER = re.compile(rb"\{(" + b"|".join(_PATTERNS) + rb"|root|port)\}")
_BIG = 6_000
_QUOTED = 300

_TIME = re.compile(_PATTERNS[b"time"])
_PRODUCT = re.compile(rb"(?:Apache(?=/[0-9])|(?<=<address>)Apache)(/[0-9.]+)?( \([^()]*\))?")
_BOUNDARY = re.compile(rb'boundary="?([^";,\s]+)"?')
_UNORDERED = frozenset({b"allow"})
_PAGE = re.compile(rb"<!DOCTYPE [^>]*>\s*<html[^>]*>\s*<head>\s*(?:<meta [^>]*>\s*)*<title>([0-9]{3}) [^<]*</title>")
_SIGNATURE = re.compile(rb"<address>.*</address>\n")


@dataclass(frozen=True, slots=True)
class Places:
    """What `{root}` and `{port}` stand for in this run."""

    root: str
    port: int

    def hide(self, data: bytes) -> bytes:
        """Replace this run's folder and port by their placeholders."""
        data = data.replace(self.root.encode(), b"{root}")
        return re.sub(rb"(?<![0-9])%d(?![0-9])" % self.port, b"{port}", data)

    def pattern(self, expected: bytes) -> re.Pattern[bytes]:
        """Compile expected bytes with placeholders."""
        own = {b"root": re.escape(self.root.encode()), b"port": b"%d" % self.port}
        out, at = [], 0
        for found in _PLACEHOLDER.finditer(expected):
            out += [re.escape(expected[at : found.start()]), own.get(found[1]) or _PATTERNS[found[1]]]
            at = found.end()
        return re.compile(b"".join([*out, re.escape(expected[at:])]))


def _hide_product(data: bytes) -> bytes:
    """Put placeholders for the product's name, version and platform, however much of them `ServerTokens` shows."""

    def hide(found: re.Match[bytes]) -> bytes:
        parts = (found[1] or b"").count(b".") + 1
        version = b"/{version}" if parts == 3 else b"/" + b".".join([b"{number}"] * parts)
        return b"{product}" + (version if found[1] else b"") + (b" ({platform})" if found[2] else b"")

    return _PRODUCT.sub(hide, data)


def render(response: Response, places: Places) -> str:
    """Write a response as an `== expect` section."""
    page = page_of(response)
    body, notes = _readable_body(response) if page is None else (page, [])
    hidden = places.hide(_hide_product(body))
    has_free_length = (
        page is not None or bool(notes) or b"{boundary}" in body or len(hidden) != len(places.hide(body)) or b"{root}" in hidden
    )
    lines = [escape(response.status_line)]
    lines += [f"{escape(name)}: {_header_text(name, value, places, has_free_length)}" for name, value in response.headers]
    lines += [CUT] if not response.is_complete else []
    if hidden:
        lines += ["", *notes, _body_text(hidden)]
    return "\n".join(lines)


def page_of(response: Response) -> bytes | None:
    """What is compared of a built-in page: the status in its title and its signature. None if the body is no such page."""
    if not response.get(b"content-type").startswith(b"text/html"):
        return None
    found = _PAGE.match(response.body)
    if found is None or int(found[1]) != response.status:
        return None
    return b"".join([PAGE % response.status, *_SIGNATURE.findall(response.body)])


def _header_text(name: bytes, value: bytes, places: Places, has_free_length: bool) -> str:
    match name.lower():
        case b"date":
            return "{date}"
        case b"server":
            return escape(_hide_product(b"<address>" + value).removeprefix(b"<address>"))
        case b"content-length" if has_free_length:
            return "{length}"
        case b"content-type":
            value = re.sub(rb"(boundary=)[^;,\s]+", rb"\1{boundary}", value)
    return escape(places.hide(_hide_product(value)))


def _readable_body(response: Response) -> tuple[bytes, list[str]]:
    """Return the body as it is compared, and the lines that say what was done to it."""
    body = response.body
    if response.get(b"content-encoding") in (b"gzip", b"x-gzip") and body:
        try:
            return gzip.decompress(body), [GUNZIPPED]
        except (OSError, EOFError, zlib.error):
            return body, []
    found = _BOUNDARY.search(response.get(b"content-type"))
    return (body.replace(b"--" + found[1], b"--{boundary}"), []) if found else (body, [])


def _body_text(body: bytes) -> str:
    if len(body) > _BIG:
        return f"{{sha256 {hashlib.sha256(body).hexdigest()}, {len(body)} bytes}}"
    return text_of(body)


def text_of(data: bytes) -> str:
    """Write bytes as lines of case-file text."""
    lines = escape(data).split("\n")
    if lines[-1]:
        lines[-1] += "\\"
    else:
        lines.pop()
    return "\n".join(re.sub(r"^== ", r"\\x3d= ", line) for line in lines)


def differences(expected: str, response: Response, places: Places) -> Iterator[str]:
    """Yield one line of text for each way in which `response` is not what `expected` says."""
    head, _, body = expected.partition("\n\n")
    lines = head.split("\n")
    if not places.pattern(unescape(lines[0])).fullmatch(response.status_line):
        yield f"status: expected {lines[0]!r}, got {escape(response.status_line)!r}"
    yield from _header_differences([line for line in lines[1:] if line != CUT], response, places)
    if (CUT in lines) == response.is_complete:
        yield f"body: expected {'a cut' if CUT in lines else 'a complete'} one"
    yield from _body_differences(body, response, places)


def _header_differences(lines: list[str], response: Response, places: Places) -> Iterator[str]:
    expected: dict[bytes, list[bytes]] = {}
    got: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = unescape(line).partition(b": ")
        expected.setdefault(name.rstrip(b":").lower(), []).append(value)
    for name, value in response.headers:
        got.setdefault(name.lower(), []).append(value)
    for name in sorted(expected.keys() | got.keys()):
        wanted, found = expected.get(name, []), got.get(name, [])
        if name in _UNORDERED:
            wanted, found = [_as_set(v) for v in wanted], [_as_set(v) for v in found]
        same = len(wanted) == len(found)
        if not same or not all(places.pattern(w).fullmatch(f) for w, f in zip(wanted, found, strict=True)):
            yield f"header {name.decode('latin-1')}: expected {wanted}, got {found}"


def _as_set(value: bytes) -> bytes:
    return b",".join(sorted(token.strip() for token in value.split(b",")))


def _body_differences(text: str, response: Response, places: Places) -> Iterator[str]:
    body, notes = _readable_body(response)
    if text.startswith("{page "):
        body, notes = page_of(response) or body, []
    for note in notes:
        if not text.startswith(note):
            yield "body: compressed, expected plain"
        text = text.removeprefix(note).removeprefix("\n")
    if text.startswith("{sha256 "):
        got = _body_text(places.hide(_hide_product(body)))
        if got != text:
            yield f"body: expected {text}, got {got[:200]}"
        return
    expected = unescape(joined_lines(text, "\n")) if text else b""
    if not places.pattern(expected).fullmatch(body):
        yield from ("body: " + line for line in _diff(expected, places.hide(_hide_product(body))))


def _diff(expected: bytes, got: bytes) -> Iterator[str]:
    first, second = text_of(expected).split("\n"), text_of(got).split("\n")
    lines = difflib.unified_diff(first, second, lineterm="", n=1)
    yield from (line for line in lines if line[:3] not in ("---", "+++"))


_ERROR_LINE = re.compile(r"\[[^\]]*\] \[([a-z0-9_]*):([a-z0-9]+)\] \[pid [^\]]*\] .*?\[client [^\]]*\] (AH[0-9]{5})?.*")


def log_text(name: str, content: str, places: Places) -> str:
    """Write a log as an `== log` section: the error log as `module:level AHnnnnn` lines, any other as it is."""
    if name == "error.log":
        found = (_ERROR_LINE.fullmatch(line) for line in content.split("\n"))
        return "\n".join(f"{line[1]}:{line[2]} {line[3] or ''}".rstrip() for line in found if line)
    data = content.encode("utf-8", "surrogateescape")
    return text_of(_TIME.sub(b"{time}", places.hide(_hide_product(data)))) if data else ""


def log_differences(name: str, expected: str, content: str, places: Places) -> Iterator[str]:
    """Yield how a log differs from its `== log` section."""
    got = log_text(name, content, places)
    if name == "error.log":
        if got != expected:
            yield f"error.log: expected {expected.split(chr(10))}, got {got.split(chr(10))}"
        return
    wanted = unescape(joined_lines(expected, "\n")) if expected else b""
    if not places.pattern(wanted).fullmatch(content.encode("utf-8", "surrogateescape")):
        yield from (f"{name}: {line}" for line in _diff(wanted, unescape(joined_lines(got, "\n"))))


_AH = re.compile(r"AH[0-9]{5}")
_LINE_OF = re.compile(r"(?<!defined on )line ([0-9]+) of \S*?conf/([a-z.]+)")


def refusal_text(status: int | None, output: str, places: Places) -> str:
    """Write a refused start as a `== refused` section: status, AH number and place, then the words (not compared)."""
    number = _AH.search(output)
    places_named = _LINE_OF.findall(output)
    innermost = f"conf/{places_named[-1][1]}:{places_named[-1][0]}" if places_named else ""
    first = [f"status {status}", number[0] if number else "", innermost]
    words = places.hide(output.encode()).decode().rstrip("\n").split("\n")
    return "\n".join([" ".join(filter(None, first)), *(f"> {line[:_QUOTED]}" for line in words if line)])


def refusal_differences(expected: str, status: int | None, output: str) -> Iterator[str]:
    """Yield how a refused start differs in status, AH number or place from its `== refused` section."""
    if not expected:
        yield "no refusal is recorded yet"
    for word in expected.split("\n")[0].removeprefix("status ").split():
        file, colon, line = word.partition(":")
        if word.isdigit():
            if str(status) != word:
                yield f"exit status: expected {word}, got {status}"
        elif colon:
            if not re.search(rf"{re.escape(file)}:{line}\b|line {line} of \S*{re.escape(file)}", output):
                yield f"expected {word} to be named in: {output}"
        elif word not in output:
            yield f"expected {word} in: {output}"
