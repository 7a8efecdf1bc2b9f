"""A format string becomes a tuple of items, once; a line is what the items read from a request.

Each item says what it depends on when the same answer is given again. This file knows the grammar of formats;
what a code reads is in `codes`. Source: Apache manual, mod_log_config, "Custom Log Formats".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api import Providers, Request
from coachwhip.api.log import LogCode, LogKind
from coachwhip.modules.loggers.mod_log_config.codes import CODES

__all__ = ["BadFormat", "Format", "Item", "parse_format"]

#: What a backslash and this character stand for in the literal parts of a format.
_ESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


class BadFormat(ValueError):
    """A format that Apache would refuse; the text is Apache's."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a line."""

    read: Callable[[Request], str]
    #: Asks the client's own request, else the one that an internal redirect led to.
    original: bool = False
    #: What its text depends on when the same answer is given again.
    kind: LogKind = LogKind.SAME
    #: Lower-case name of the request field that it reads, if it reads one.
    field: str = ""
    #: What stands there for every request; None if it has to be read.
    text: str | None = None


class Format:
    """A compiled format."""

    __slots__ = ("_of_final", "_of_first", "_pieces", "items")

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.items = items
        #: The line in pieces, those that are read from a request left out; and their places, by which request is asked.
        self._pieces = [*[item.text or "" for item in items], "\n"]
        gaps = [(at, item) for at, item in enumerate(items) if item.text is None]
        self._of_first = [(at, item.read) for at, item in gaps if item.original]
        self._of_final = [(at, item.read) for at, item in gaps if not item.original]

    def line(self, first: Request, final: Request) -> bytes:
        """The line for a request, with its end. `final` is where internal redirects from `first` ended."""
        pieces = self._pieces.copy()
        for at, read in self._of_first:
            pieces[at] = read(first)
        for at, read in self._of_final:
            pieces[at] = read(final)
        return "".join(pieces).encode("utf-8", "surrogateescape")


def parse_format(text: str, providers: Providers) -> Format:
    """Read a format.

    Raises:
        BadFormat: an unknown code, or a `%` without one.
    """
    items: list[Item] = []
    at = 0
    while at < len(text):
        if text[at] == "%":
            item, at = _parse_item(text, at + 1, providers)
        else:
            item, at = _parse_literal(text, at)
        items.append(item)
    return Format(tuple(items))


def _parse_literal(text: str, at: int) -> tuple[Item, int]:
    end = text.find("%", at)
    end = len(text) if end < 0 else end
    pieces: list[str] = []
    while at < end:
        char = text[at]
        at += 1
        if char == "\\" and at < end and text[at] in _ESCAPES:
            char = _ESCAPES[text[at]]
            at += 1
        pieces.append(char)
    return _constant("".join(pieces)), end


def _constant(text: str) -> Item:
    return Item(lambda r: text, text=text)


def _parse_item(text: str, at: int, providers: Providers) -> tuple[Item, int]:
    """What follows a `%`: any number of `<`, `>`, statuses, `!`, `{argument}`, then the code."""
    argument = ""
    original: bool | None = None
    statuses: set[int] = set()
    negated = False
    while at < len(text):
        char = text[at]
        if char == "%":
            return _constant("%"), at + 1
        if char in "<>":
            original = char == "<"
        elif char == "!":
            negated = True
        elif char == "{":
            end = text.find("}", at)
            end = len(text) if end < 0 else end
            argument = text[at + 1 : end]
            at = end
        elif "0" <= char <= "9":
            end = at
            while end < len(text) and "0" <= text[end] <= "9":
                end += 1
            statuses.add(int(text[at : min(end, at + 9)]))
            at = end - 1
        elif char != ",":
            name = text[at : at + 3] if char == "^" else char
            return _item(_code(name, providers), argument, original, statuses, negated), at + len(name)
        at += 1
    raise BadFormat("Ran off end of LogFormat parsing args to some directive")


def _code(name: str, providers: Providers) -> LogCode:
    found: LogCode | None = CODES.get(name) or providers.get("log_item", name)
    if found is None:
        raise BadFormat(f"Unrecognized LogFormat directive %{name[0]}")
    return found


def _item(code: LogCode, argument: str, original: bool | None, statuses: set[int], negated: bool) -> Item:
    read = code.make(argument)
    if statuses or negated:
        read = _conditional(read, frozenset(statuses), negated)
    kind = code.kind(argument)
    conditional = bool(statuses) or negated
    field = argument.lower() if kind is LogKind.FIELD else code.field
    if conditional and kind is not LogKind.SAME:
        kind = LogKind.READ
    return Item(read, code.original if original is None else original, kind, field)


def _conditional(read: Callable[[Request], str], statuses: frozenset[int], negated: bool) -> Callable[[Request], str]:
    return lambda r: read(r) if (r.status in statuses) is not negated else "-"
