"""Checks of arguments that many directives share: words to choose from, whole numbers as C reads them, ranges."""

from __future__ import annotations

import re
from collections.abc import Callable

from coachwhip.api.directives import DirectiveContext, DirectiveError

__all__ = ["choice", "leading_int", "number", "refuse"]

_LEADING = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,19})", re.ASCII)


def refuse(message: str) -> DirectiveError:
    """An error whose text is complete."""
    return DirectiveError(message, alone=True)


def leading_int(directive: str, word: str) -> int:
    """The number that `word` begins with; what follows it does not matter, as in Apache.

    Raises:
        DirectiveError: there is none. (Apache takes 0 then, which hardly anybody means.)
    """
    found = _LEADING.match(word)
    if found is None:
        raise refuse(f'{directive} "{word}" is not a number')
    return int(found[1])


def choice(words: tuple[str, ...], message: str) -> Callable[[DirectiveContext, str], str]:
    """A value that must be one of `words` (lower case; case does not matter)."""

    def read(context: DirectiveContext, word: str) -> str:
        lower = word.lower()
        if lower not in words:
            raise refuse(message)
        return lower

    return read


def number(least: int, most: int, least_text: str = "", most_text: str = "") -> Callable[[DirectiveContext, str], int]:
    """A whole number within bounds, nothing behind it."""

    def read(context: DirectiveContext, word: str) -> int:
        value = int(word) if re.fullmatch(r"-?[0-9]{1,19}", word, re.ASCII) else None
        if value is None or not least <= value <= most:
            raise refuse(f"parameter must be a number between {least_text or least} and {most_text or f'({most})'}: {word}")
        return value

    return read
