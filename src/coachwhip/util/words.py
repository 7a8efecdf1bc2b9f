r"""Words and fields of text that an administrator wrote: Apache's two ways of cutting a line.

`cut_word` reads the quoting of configuration lines (`"two words"`, `\"`), which group files and `Require` lines share;
`cut_field` cuts at a separator, as password files are read. Both are linear.
"""

from __future__ import annotations

__all__ = ["SPACES", "cut_field", "cut_word", "cut_words"]

#: White space as the C library has it.
SPACES = " \t\n\v\f\r"


def cut_word(text: str) -> tuple[str, str]:
    """The first word of `text`, and what follows it without the white space between; ("", "") at the end.

    A word may be quoted by `"` or `'`; a backslash matters only before a backslash or, inside quotes, before the closing quote.
    """
    text = text.lstrip(SPACES)
    if not text:
        return "", ""
    quote = text[0] if text[0] in "\"'" else ""
    out: list[str] = []
    at = len(quote)
    while at < len(text):
        char = text[at]
        if char == quote or (not quote and char in SPACES):
            break
        following = text[at + 1 : at + 2]
        if char == "\\" and following and following in ("\\", quote):
            char = following
            at += 1
        out.append(char)
        at += 1
    return "".join(out), text[at + len(quote) :].lstrip(SPACES)


def cut_words(text: str) -> list[str]:
    """All words of `text`; an empty one ends the list, as in Apache."""
    words: list[str] = []
    while text:
        word, text = cut_word(text)
        if not word:
            break
        words.append(word)
    return words


def cut_field(text: str, separator: str) -> tuple[str, str]:
    """What stands before the first `separator`, and what follows it; repeated separators count as one."""
    field, _, rest = text.partition(separator)
    return field, rest.lstrip(separator)
