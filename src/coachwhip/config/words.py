"""Words: how a line is cut into arguments, and how `${NAME}` in them is filled in.

Quotes are `"` or `'`; a backslash matters only before a backslash or, inside quotes, before the closing quote. A line is filled in
as a whole before it is cut, so a value with spaces is several words unless the line has quotes around it.
Source: Apache manual, "Configuration Files" and `Define`; behaviour of 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from coachwhip.config.lines import SPACES

__all__ = ["Filler", "cut_word", "cut_words"]


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACES:
        at += 1
    return at


def cut_word(text: str, at: int = 0) -> tuple[str, int]:
    """The word that begins at `at` (white space before it is skipped), and where the next one begins.

    An unclosed quote ends with the line. At the end of the text the word is "".
    """
    at = _skip(text, at)
    if at == len(text):
        return "", at
    quote = text[at] if text[at] in "\"'" else ""
    out: list[str] = []
    at += len(quote)
    while at < len(text):
        char = text[at]
        if char == quote or (not quote and char in SPACES):
            break
        following = text[at + 1 : at + 2]
        if char == "\\" and following and (following == "\\" or following == quote):
            char = following
            at += 1
        out.append(char)
        at += 1
    at += bool(quote and at < len(text))
    return "".join(out), _skip(text, at)


def cut_words(text: str) -> list[str]:
    """All words of `text`. Stops at an empty word, as every list of words in Apache does."""
    words: list[str] = []
    at = 0
    while at < len(text):
        word, at = cut_word(text, at)
        if not word:
            break
        words.append(word)
    return words


class Filler:
    """Replaces `${NAME}` by what `Define` said, or by the environment; a name that is neither stays as it is."""

    def __init__(self, environment: Mapping[str, str], undefined: Callable[[str], None]) -> None:
        """`undefined` is told of every name that is not found, except of those with a colon (they are map look-ups)."""
        #: Lower-case name → value: `${x}` finds `Define X`.
        self.values: dict[str, str] = {}
        self.environment = environment
        self._undefined = undefined

    def __call__(self, text: str) -> str:
        """`text` filled in; values are not filled in again."""
        start = text.find("${")
        if start < 0:
            return text
        out: list[str] = []
        done = 0
        while start >= 0 and (end := text.find("}", start)) >= 0:
            name = text[start + 2 : end]
            value = self.values.get(name.lower(), self.environment.get(name))
            if value is None:
                if ":" not in name:
                    self._undefined(name)
                value = text[start : end + 1]
            out += (text[done:start], value)
            done = end + 1
            start = text.find("${", done)
        return "".join(out) + text[done:]
