"""Request heads: any bytes are a head, no head yet, or refused; the same however they arrive; and nothing odd gets through.

With `protocol.http1`, `protocol.framing`. The option in force (`HttpProtocolOptions`, small limits) depends on the bytes.
"""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

from coachwhip.protocol.framing import BodyKind, Framing, decide_framing
from coachwhip.protocol.http1 import BadRequest, HeadReader, Limits, RequestHead, Rules, check_partial, find_head, parse_head
from fuzz.heads import head
from fuzz.target import Check, Target, pieces, pieces_of, require, words

_RULES = (Rules(), Rules(strict=False), Rules(lenient_methods=False), Rules(allow_09=False))
_LIMITS = (Limits(), Limits(), Limits(line=60, field_size=40, fields=3), Limits(line=200, field_size=100, fields=0))
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE_ENDS = re.compile(rb"[\0\r\n]")

#: A head, what followed it, and its framing or why that was refused; an error; None while more has to come.
Result = tuple[RequestHead, bytes, Framing | BadRequest] | BadRequest | None


def _read(data: bytes, size: int, limits: Limits, rules: Rules) -> Result:
    reader = HeadReader(limits, rules)
    for number, piece in enumerate(pieces(data, size), 1):
        reader.feed(piece)
        try:
            found = reader.read()
        except BadRequest as error:
            return error
        if found is not None:
            return found, reader.rest + data[number * size :], _framing(found, rules.strict)
    return None


def _framing(found: RequestHead, strict: bool) -> Framing | BadRequest:
    try:
        return decide_framing(found, strict=strict)
    except BadRequest as error:
        return error


def _require_clean(found: RequestHead) -> None:
    """What is never let through under `Strict`."""
    require(_NAME.fullmatch(found.method) is not None, "a method is a token")
    require(not re.search(rb"[\x00-\x20\x7f]", found.target), "a target has no blank and no control character")
    for name, value in found.headers:
        require(_NAME.fullmatch(name) is not None, "a field name is a token")
        require(_LINE_ENDS.search(value) is None and value == value.strip(b" \t"), "a value is one line without blanks around it")


def _require_one_body(found: RequestHead, framing: Framing) -> None:
    """A body is measured in one way only, or the connection ends."""
    lengths, codings = found.get_all(b"content-length"), found.get_all(b"transfer-encoding")
    if codings:
        require(framing.kind is BodyKind.CHUNKED, "a coding is obeyed")
        require(b",".join(codings).strip(b" \t,").lower() == b"chunked", "chunked is the only coding")
        require(framing.must_close or (not lengths and found.version >= 1001), "a length beside a coding ends the connection")
    elif lengths:
        require(framing.kind is BodyKind.LENGTH and len(lengths) == 1 and lengths[0].isdigit(), "one length, in digits")
        require(framing.length == int(lengths[0]), "the length is the length")
    else:
        require(framing.kind is BodyKind.NONE, "no body without a field that says so")


def _prepare(folder: Path) -> Check:
    def check(data: bytes) -> str:
        choice = zlib.adler32(data)
        rules, limits = _RULES[choice % 4], _LIMITS[choice // 4 % 4]
        whole = _read(data, max(len(data), 1), limits, rules)
        require(whole == _read(data, pieces_of(data), limits, rules), "a head is the same however it is split")
        if whole is None:
            require(check_partial(data, limits, rules) is None, "what is asked for more of is not refused")
            return "more"
        if isinstance(whole, BadRequest):
            require(check_partial(data, limits, rules) == whole, "what is refused is refused before it ends")
            return f"{whole.status} {whole.log_id}"
        found, rest, framing = whole
        end = len(data) - len(rest)
        require(find_head(data, strict=rules.strict) == end, "both ways to find the end agree")
        again = parse_head(
            data[:end], limits, strict=rules.strict, lenient_methods=rules.lenient_methods, allow_09=rules.allow_09
        )
        require(again == found, "a head that is there at once is the same head")
        if rules.strict:
            _require_clean(found)
        if isinstance(framing, BadRequest):
            return f"framing {framing.status} {framing.log_id}"
        _require_one_body(found, framing)
        return f"{found.version} {framing.kind.value} {framing.keepalive} {framing.must_close} {found.uri.form.value}"

    return check


def _generate(chance: random.Random) -> bytes:
    return head(chance)


HEADS = Target("heads", words("heads"), _generate, _prepare, longest=16_384)
