"""Compare two answers: status line, every header, body; and the written list of what may differ.

`ALLOWED` is that list. An answer is first normalised (what has no meaning, such as the multipart boundary, is
replaced on both sides), then compared, and each difference left is either covered by a row of `ALLOWED` or counts.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from conformance.answers import Answer

IGNORED_HEADERS = {
    b"date": "the time of the answer",
    b"server": "the product's own name",
}

UNORDERED_HEADERS = {
    b"allow": "Apache lists methods in hash order, which changes with every start of the server",
}

_BOUNDARY = re.compile(rb'boundary="?([^";,\s]+)"?')
_SIGNATURE = re.compile(rb"<address>[^<]* Server at ")
_SIGNED = b"<address>{product} Server at "


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: `part` is `status`, `header NAME`, `header order`, `body` or `compressed bytes`."""

    part: str
    expected: bytes
    got: bytes


@dataclass(frozen=True, slots=True)
class Allowance:
    """A difference that is accepted, and why."""

    name: str
    reason: str
    covers: Callable[[Difference, Answer, Answer], bool]


def _is_unsigned_length(difference: Difference, expected: Answer, got: Answer) -> bool:
    """HEAD of a signed error page: the page is not seen, but its length follows from the two product names."""
    if difference.part != "header content-length" or expected.body or got.body or expected.status < 300:
        return False
    if not (difference.expected.isdigit() and difference.got.isdigit()):
        return False
    gap = len(got.get(b"server")) - len(expected.get(b"server"))
    return int(difference.got) - int(difference.expected) == gap


_PAGE = re.compile(rb"<!DOCTYPE [^>]*>\s*<html[^>]*>\s*<head>\s*(?:<meta [^>]*>\s*)*<title>([0-9]{3}) [^<]*</title>")
_LIST = re.compile(rb"<ul>.*</ul>", re.DOTALL)


def _page(answer: Answer) -> tuple[bytes, list[bytes], list[bytes]] | None:
    """What two built-in pages have to share: status, list of variants, signature. None if the body is no such page."""
    if not answer.get(b"content-type").startswith(b"text/html"):
        return None
    found = _PAGE.match(answer.body)
    if found is None or int(found[1]) != answer.status:
        return None
    signatures = re.findall(rb"<address>.*</address>", _SIGNATURE.sub(_SIGNED, answer.body))
    return found[1], _LIST.findall(answer.body), signatures


def _is_own_page(difference: Difference, expected: Answer, got: Answer) -> bool:
    return difference.part in ("body", "header content-length") and _page(expected) == _page(got) is not None


def _is_gzip_length(difference: Difference, expected: Answer, got: Answer) -> bool:
    is_length = difference.part in ("header content-length", "compressed bytes")
    return is_length and _is_gzip(expected) and _is_gzip(got) and _unzipped(expected) == _unzipped(got) is not None


def _is_gzip_part(difference: Difference, expected: Answer, got: Answer) -> bool:
    """The same range of the same text packed by two servers: where it lies has to agree, not what it holds."""
    both = (expected, got)
    if any(answer.status != 206 or answer.get(b"content-encoding") not in (b"gzip", b"x-gzip") for answer in both):
        return False
    if difference.part == "body":
        return len(expected.body) == len(got.body)
    places = [answer.get(b"content-range").partition(b"/")[0] for answer in both]
    return difference.part == "header content-range" and places[0] == places[1] != b""


ALLOWED: tuple[Allowance, ...] = (
    Allowance(
        "product name in HEAD lengths",
        "error pages are signed with the product's name, so their Content-Length differs by the length of that name",
        _is_unsigned_length,
    ),
    Allowance(
        "built-in error pages: own wording",
        "error pages say what happened in our own words; status, headers, lists of variants and the signature are compared",
        _is_own_page,
    ),
    Allowance(
        "compressed bytes",
        "another zlib may compress the same text into other bytes; the text itself is compared",
        _is_gzip_length,
    ),
    Allowance(
        "part of compressed bytes",
        "a listing is signed with the product's name, so a range of it when packed has other bytes and another total",
        _is_gzip_part,
    ),
)


def compare(expected: Answer, got: Answer, *, with_order: bool = False) -> list[Difference]:
    """Return what differs between two answers to the same request, after normalising both."""
    if expected == got:
        return []
    first, second = _normalised(expected), _normalised(got)
    found = []
    if first.status_line != second.status_line:
        found.append(Difference("status", first.status_line, second.status_line))
    found += _header_differences(first, second)
    if with_order and not found and _names(first) != _names(second):
        found.append(Difference("header order", b", ".join(_names(first)), b", ".join(_names(second))))
    found += _body_differences(first, second)
    return found


def allowance_for(difference: Difference, expected: Answer, got: Answer) -> Allowance | None:
    """Return the row of ALLOWED that accepts `difference`, if there is one."""
    return next((row for row in ALLOWED if row.covers(difference, expected, got)), None)


def _names(answer: Answer) -> list[bytes]:
    return [name.lower() for name, _ in answer.headers]


def _normalised(answer: Answer) -> Answer:
    headers = tuple((name, value) for name, value in answer.headers if name.lower() not in IGNORED_HEADERS)
    return _without_boundary(_without_signature(replace(answer, headers=headers)))


def _without_signature(answer: Answer) -> Answer:
    """Put a placeholder where error pages and listings name the product, and correct the length accordingly."""
    if _SIGNATURE.search(answer.body) is None:
        return answer
    return _with_body(answer, _SIGNATURE.sub(_SIGNED, answer.body))


def _without_boundary(answer: Answer) -> Answer:
    """Put a placeholder for the multipart boundary; even its length is random in Apache."""
    found = _BOUNDARY.search(answer.get(b"content-type"))
    if found is None:
        return answer
    body = answer.body.replace(b"--" + found[1], b"--{boundary}")
    typed = tuple(
        (name, value.replace(found[1], b"{boundary}") if name.lower() == b"content-type" else value)
        for name, value in answer.headers
    )
    return _with_body(replace(answer, headers=typed), body)


def _with_body(answer: Answer, body: bytes) -> Answer:
    """Replace the body, and the Content-Length with it where that told the old one."""
    headers = tuple(
        (name, b"%d" % len(body) if name.lower() == b"content-length" and value == b"%d" % len(answer.body) else value)
        for name, value in answer.headers
    )
    return replace(answer, headers=headers, body=body)


def _header_differences(expected: Answer, got: Answer) -> list[Difference]:
    """Compare headers as a multi-map: names without case, values of one name in order, names in any order."""
    first, second = _grouped(expected), _grouped(got)
    return [
        Difference(f"header {name.decode('latin-1')}", b" | ".join(first.get(name, [])), b" | ".join(second.get(name, [])))
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]


def _grouped(answer: Answer) -> dict[bytes, list[bytes]]:
    grouped: dict[bytes, list[bytes]] = {}
    for name, value in answer.headers:
        if name.lower() in UNORDERED_HEADERS:
            value = b",".join(sorted(token.strip() for token in value.split(b",")))
        grouped.setdefault(name.lower(), []).append(value)
    return grouped


def _body_differences(expected: Answer, got: Answer) -> list[Difference]:
    if expected.is_complete != got.is_complete:
        return [Difference("body", _wholeness(expected), _wholeness(got))]
    if expected.body == got.body:
        return []
    if _is_gzip(expected) and _is_gzip(got):
        first, second = _unzipped(expected), _unzipped(got)
        if first is not None and first == second:
            return [Difference("compressed bytes", b"%d bytes" % len(expected.body), b"%d bytes" % len(got.body))]
        return [Difference("body", first or b"(not gzip)", second or b"(not gzip)")]
    return [Difference("body", expected.body, got.body)]


def _wholeness(answer: Answer) -> bytes:
    return b"complete" if answer.is_complete else b"cut short after %d bytes" % len(answer.body)


def _is_gzip(answer: Answer) -> bool:
    return answer.get(b"content-encoding") in (b"gzip", b"x-gzip") and answer.status == 200


def _unzipped(answer: Answer) -> bytes | None:
    """Return the text below the gzip coding, without the product's name; None when it is no gzip."""
    try:
        return _SIGNATURE.sub(_SIGNED, gzip.decompress(answer.body))
    except (OSError, EOFError, zlib.error):
        return None
