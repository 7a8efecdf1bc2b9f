"""The settings of mod_deflate and the lines that set them. Source: Apache manual, mod_deflate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coachwhip.api import Args, Directive, DirectiveContext, DirectiveError, Repeat, Where, overlay, setting

__all__ = ["DIRECTIVES", "DeflateDir", "DeflateServer"]


@dataclass(frozen=True, slots=True)
class DeflateServer:
    """How a server compresses."""

    #: 1 to 9, or zlib's own default.
    level: int = -1
    #: Base-two logarithm of the window, 1 to 15.
    window: int = 15
    #: 1 to 9.
    memory: int = 9
    #: Bytes of compressed data that go on together.
    buffer_size: int = 8096
    #: Note names by what they hold: "input", "output" (bytes), "ratio" (percent).
    notes: Mapping[str, str] = setting({}, fold=overlay)
    #: "addsuffix", "nochange" or "remove".
    alter_etag: str = "addsuffix"


@dataclass(frozen=True, slots=True)
class DeflateDir:
    """What a compressed request body may become."""

    #: Bytes; 0: as `LimitRequestBody`.
    inflate_limit: int | None = None
    #: Largest ratio of inflated to compressed bytes, and how often it may be exceeded.
    ratio_limit: int = 200
    ratio_burst: int = 3


def _number(least: int, most: int | None, refusal: str) -> Callable[[DirectiveContext, str], int]:
    def read(context: DirectiveContext, text: str) -> int:
        found = re.match(r"[ \t]*\+?([0-9]{1,9})", text)
        value = int(found[1]) if found else 0
        if value < least or (most is not None and value > most):
            raise DirectiveError(refusal)
        return value

    return read


_NOTE_KINDS = ("input", "output", "ratio")


def _read_note(context: DirectiveContext, first: str, name: str | None = None) -> dict[str, str]:
    if name is None:
        return {"ratio": first}
    if first.lower() not in _NOTE_KINDS:
        raise DirectiveError(f"Unknown note type {first}")
    return {first.lower(): name}


def _read_etag(context: DirectiveContext, text: str) -> str:
    if text.lower() not in ("addsuffix", "nochange", "remove"):
        raise DirectiveError("DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'")
    return text.lower()


def _read_limit(context: DirectiveContext, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise DirectiveError("DeflateInflateLimitRequestBody is not parsable.")
    if text.startswith("-"):
        raise DirectiveError("DeflateInflateLimitRequestBody requires a non-negative integer.")
    return int(text)


_LEVEL = _number(1, 9, "Compression Level must be between 1 and 9")
_WINDOW = _number(1, 15, "DeflateWindowSize must be between 1 and 15")
_MEMORY = _number(1, 9, "DeflateMemLevel must be between 1 and 9")
_BUFFER = _number(1, None, "DeflateBufferSize should be positive")
_RATIO = _number(1, None, "DeflateInflateRatioLimit must be positive")
_BURST = _number(1, None, "DeflateInflateRatioBurst must be positive")

DIRECTIVES = (
    Directive("DeflateFilterNote", Args.ONE_OR_TWO, Where.SERVER, "notes", _read_note, Repeat.UPDATE,
              help="what to note (Input, Output or Ratio), then the note's name"),
    Directive("DeflateWindowSize", Args.ONE, Where.SERVER, "window", _WINDOW, help="size of the window (1-15)"),
    Directive("DeflateBufferSize", Args.ONE, Where.SERVER, "buffer_size", _BUFFER, help="bytes sent on together"),
    Directive("DeflateMemLevel", Args.ONE, Where.SERVER, "memory", _MEMORY, help="memory for compression (1-9)"),
    Directive("DeflateCompressionLevel", Args.ONE, Where.SERVER, "level", _LEVEL, help="how hard to try (1-9)"),
    Directive("DeflateAlterEtag", Args.ONE, Where.SERVER, "alter_etag", _read_etag,
              help="what happens to an ETag: AddSuffix, NoChange or Remove"),
    Directive("DeflateInflateLimitRequestBody", Args.ONE, Where.ALL, "inflate_limit", _read_limit,
              help="largest inflated request body in bytes"),
    Directive("DeflateInflateRatioLimit", Args.ONE, Where.ALL, "ratio_limit", _RATIO,
              help="ratio above which inflating is given up"),
    Directive("DeflateInflateRatioBurst", Args.ONE, Where.ALL, "ratio_burst", _BURST,
              help="how often in a row the ratio may be exceeded"),
)  # fmt: skip
