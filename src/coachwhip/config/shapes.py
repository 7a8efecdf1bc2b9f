"""Argument shapes: a line's raw arguments cut into what its row asks for, with Apache's sentences when they do not fit.

Source: httpd's command tables (TAKE1, ITERATE, …); every sentence compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable

from coachwhip.api.directives import Args, Directive, DirectiveError
from coachwhip.util.words import cut_words, word_at

__all__ = ["ARGV_LIMIT", "arguments", "inside_bracket", "section_argument"]

#: A TAKE_ARGV directive gets this many words; Apache drops the others, we refuse them.
ARGV_LIMIT = 64

_COUNTED: dict[Args, str] = {
    Args.ONE: "takes one argument",
    Args.TWO: "takes two arguments",
    Args.THREE: "takes three arguments",
    Args.ONE_OR_TWO: "takes 1-2 arguments",
    Args.TWO_OR_THREE: "takes two or three arguments",
    Args.ONE_TO_THREE: "takes one, two or three arguments",
    Args.ONE_OR_THREE: "takes one or three arguments",
}


def arguments(row: Directive, raw: str) -> tuple[object, ...]:
    """The arguments for `row.value`, after the context: words, one bool, or the raw text.

    Raises:
        DirectiveError: with the whole sentence.
    """
    special = _SPECIAL.get(row.args)
    return special(row, raw) if special else _counted(row, raw)


def _counted(row: Directive, raw: str) -> tuple[object, ...]:
    _name, least, most = row.args.value
    words: list[str] = []
    at = 0
    while len(words) < most and at < len(raw):
        word, at = word_at(raw, at)
        words.append(word)
    while words and not words[-1]:
        words.pop()
    fits = least <= len(words) and at >= len(raw) and "" not in words
    if not fits or (row.args is Args.ONE_OR_THREE and len(words) == 2):
        raise _wrong(row, _COUNTED[row.args])
    return tuple(words)


def _wrong(row: Directive, text: str) -> DirectiveError:
    name = f"<{row.name}" if row.section else row.name
    return DirectiveError(f"{name} {text}, {row.help}" if row.help else f"{name} {text}", alone=True)


def _none(row: Directive, raw: str) -> tuple[object, ...]:
    # What stands there all the same is not looked at.
    return ()


def _raw(row: Directive, raw: str) -> tuple[object, ...]:
    return (raw,)


def _flag(row: Directive, raw: str) -> tuple[object, ...]:
    # A second word is not looked at.
    word = word_at(raw)[0].lower()
    if word not in ("on", "off"):
        raise DirectiveError(f"{row.name} must be On or Off", alone=True)
    return (word == "on",)


def _words(row: Directive, raw: str) -> tuple[object, ...]:
    words = cut_words(raw)
    if not words:
        raise _wrong(row, "requires at least one argument")
    return tuple(words)


def _one_then_words(row: Directive, raw: str) -> tuple[object, ...]:
    first, at = word_at(raw)
    if not first or at >= len(raw):
        raise _wrong(row, "requires at least two arguments")
    return (first, *cut_words(raw[at:]))


def _argv(row: Directive, raw: str) -> tuple[object, ...]:
    words: list[str] = []
    at = 0
    while at < len(raw):
        word, at = word_at(raw, at)
        if word or at < len(raw):
            words.append(word)
    if len(words) > ARGV_LIMIT:
        raise DirectiveError(f"{row.name} takes at most {ARGV_LIMIT} arguments", alone=True)
    return tuple(words)


_SPECIAL: dict[Args, Callable[[Directive, str], tuple[object, ...]]] = {
    Args.NONE: _none,
    Args.RAW: _raw,
    Args.FLAG: _flag,
    Args.WORDS: _words,
    Args.ONE_THEN_WORDS: _one_then_words,
    Args.ARGV: _argv,
}


def inside_bracket(name: str, raw: str) -> str:
    """What stands between `<Name` and its closing bracket; what follows the bracket is not looked at.

    Raises:
        DirectiveError: there is no closing bracket.
    """
    inside, bracket, _after = raw.rpartition(">")
    if not bracket:
        raise DirectiveError(f"<{name}> directive missing closing '>'", alone=True)
    return inside


def section_argument(name: str, raw: str) -> str:
    """As `inside_bracket`, for containers that need an argument.

    Raises:
        DirectiveError: the bracket or the argument is missing.
    """
    inside = inside_bracket(name, raw)
    if not inside:
        raise DirectiveError(f"<{name}> directive requires additional arguments", alone=True)
    return inside
