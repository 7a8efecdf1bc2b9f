"""What the extensions of a file name mean, as sections say it, and the walk over a name.

Pure: settings and a name in, a `Meaning` out. Extensions count in any order and without regard to case; a later one of the same
kind takes the place of an earlier one, except that languages and encodings add up. Source: Apache manual, mod_mime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Flag, auto

from coachwhip.api.directives import Location
from coachwhip.modules.http.mod_mime.media_type import MediaTypeError, normalize

__all__ = ["Extension", "Meaning", "MultiMatch", "cut", "fold_extensions", "lower", "meaning_of", "with_field"]

_LOWER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def lower(text: str) -> str:
    """ASCII letters in lower case, all else as it is."""
    return text.translate(_LOWER)


class MultiMatch(Flag):
    """The words of `MultiviewsMatch`: which extensions count as known when a name is negotiated."""

    NEGOTIATED_ONLY = 0
    HANDLERS = auto()
    FILTERS = auto()
    ANY = auto()


@dataclass(frozen=True, slots=True)
class Extension:
    """What one section says about one extension. None: nothing; "": what was said before is taken back (`Remove…`)."""

    type: str | None = None
    charset: str | None = None
    language: str | None = None
    encoding: str | None = None
    handler: str | None = None
    input_filters: str | None = None
    output_filters: str | None = None
    #: The line behind each field that is said.
    lines: Mapping[str, Location] = field(default_factory=dict, compare=False, repr=False)


_FIELDS = tuple(f.name for f in fields(Extension) if f.compare)
Extensions = Mapping[str, Extension]


def fold_extensions(outer: Extensions, inner: Extensions) -> Extensions:
    """Field by field, inner over outer."""
    return {**outer, **{name: _fold(outer.get(name), said) for name, said in inner.items()}}


def _fold(outer: Extension | None, inner: Extension) -> Extension:
    said = {name: value for name in _FIELDS if (value := getattr(inner, name)) is not None}
    return inner if outer is None else replace(outer, **said, lines={**outer.lines, **inner.lines})


_NOTHING = Extension()


@dataclass(slots=True)
class Meaning:
    """What extensions say. `unknown` are those that say nothing, as spelled; None if none says anything.

    `content_type` is `type` and `charset` put together; None if there is no type, or one that cannot be taken apart.
    """

    type: str | None = None
    charset: str | None = None
    languages: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    handler: str | None = None
    input_filters: list[str] = field(default_factory=list)
    output_filters: list[str] = field(default_factory=list)
    unknown: tuple[str, ...] | None = None
    content_type: str | None = None


def meaning_of(parts: str, extensions: Extensions, types: Mapping[str, str], match: MultiMatch) -> Meaning:
    """Walk over the extensions of a name, as `cut` gives them. `types` is what `TypesConfig` said: extension to type."""
    meaning = Meaning()
    unknown = []
    is_known = MultiMatch.ANY in match
    found_any = False
    for part in filter(None, parts.split(".")):
        if _apply(lower(part), meaning, extensions, types, match) or is_known:
            found_any = True
        else:
            unknown.append(part)
    if found_any:
        meaning.unknown = tuple(unknown)
    if meaning.type is not None:
        try:
            meaning.content_type = normalize(meaning.type, meaning.charset)
        except MediaTypeError:
            # Each request that has it says so in the log.
            meaning.content_type = None
    return meaning


def cut(name: str) -> tuple[str, str]:
    """Base name and extensions, with the dots between them; leading dots belong to the base name."""
    if name[:1] != ".":
        base, _, rest = name.partition(".")
        return base, rest
    dots = len(name) - len(name.lstrip("."))
    base, _, rest = name[dots:].partition(".")
    return name[:dots] + base, rest


def _apply(part: str, meaning: Meaning, extensions: Extensions, types: Mapping[str, str], match: MultiMatch) -> bool:
    """Add what one extension says; returns whether that makes it a known one."""
    said = extensions.get(part, _NOTHING)
    # A type that was taken back hides that of `TypesConfig` too.
    kind = types.get(part) if said.type is None else said.type
    is_known = bool(kind or said.charset or said.language or said.encoding)
    if kind:
        meaning.type = kind
    if said.charset:
        meaning.charset = said.charset
    if said.language:
        meaning.languages.append(said.language)
    if said.encoding:
        meaning.encodings.append(said.encoding)
    if said.handler:
        meaning.handler = said.handler
        is_known = is_known or MultiMatch.HANDLERS in match
    for filters, into in ((said.input_filters, meaning.input_filters), (said.output_filters, meaning.output_filters)):
        if filters:
            into.extend(filter(None, filters.split(";")))
            is_known = is_known or MultiMatch.FILTERS in match
    return is_known


def with_field(old: Extension | None, name: str, value: str, line: Location) -> Extension:
    """`old`, or nothing, with one more field said by a line ("" takes it back)."""
    old = old or _NOTHING
    return replace(old, **{name: value}, lines={**old.lines, name: line})
