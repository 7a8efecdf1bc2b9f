r"""Words and fields of text that an administrator wrote: Apache's two ways of cutting a line.

`word_at` reads the quoting of configuration lines (`"two words"`, `\"`), which group files and `Require` lines share: quotes are `"` or
`'`; a backslash matters only before a backslash or, inside quotes, before the closing quote. `cut_field` cuts at a separator, as
password files are read. All are linear. Source: Apache manual, "Configuration Files"; behaviour of 2.4.71.
"""

from __future__ import annotations

import re

__all__ = ["SPACES", "cut_field", "cut_word", "cut_words", "word_at"]

#: White space as the C library has it (isspace in the C locale); nothing beyond ASCII.
SPACES = " \t\n\v\f\r"


_BLANKS = re.compile(f"[{SPACES}]*")
_BARE = re.compile(f"[^{SPACES}]*")
#: By quote: what may stand inside, and the escapes in it.
_QUOTED = {
    quote: (re.compile(rf"(?:[^{quote}\\]|\\[{quote}\\]?)*"), re.compile(rf"\\([{quote}\\])")) for quote in ("'", '"')
}


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def word_at(text: str, at: int = 0) -> tuple[str, int]:
    """The word that begins at `at` (white space before it is skipped), and where the next one begins.

    An unclosed quote ends with the text. At the end of the text the word is "".
    """
    at = _skip(text, at)
    inside, escape = _QUOTED.get(text[at : at + 1], (_BARE, None))
    start = at if escape is None else at + 1
    found = inside.match(text, start)
    end = found.end() if found else start
    word = text[start:end]
    if "\\" in word:
        word = escape.sub(r"\1", word) if escape else word.replace("\\\\", "\\")
    return word, _skip(text, end if escape is None else min(end + 1, len(text)))


def cut_word(text: str) -> tuple[str, str]:
    """The first word of `text`, and what follows it without the white space between; ("", "") at the end."""
    word, at = word_at(text)
    return word, text[at:]


def cut_words(text: str) -> list[str]:
    """All words of `text`. Stops at an empty word, as every list of words in Apache does."""
    words: list[str] = []
    at = 0
    while at < len(text):
        word, at = word_at(text, at)
        if not word:
            break
        words.append(word)
    return words


def cut_field(text: str, separator: str) -> tuple[str, str]:
    """What stands before the first `separator`, and what follows it; repeated separators count as one."""
    field, _, rest = text.partition(separator)
    return field, rest.lstrip(separator)
