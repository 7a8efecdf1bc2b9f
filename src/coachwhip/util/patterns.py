"""Apache's regular expressions: PCRE2 on bytes, searched rather than anchored, ``$`` at the very end only.

Apache matches octets, so text is encoded before it is matched and what matched is decoded the same way. File names and
configuration text are UTF-8 with surrogate escapes; header values are Latin-1, one character an octet: a caller that
holds a header says so (`charset`), and ``\\xe9`` means the same octet in both.

Matching is bounded: PCRE2 counts its steps and gives up (`PatternLimit`). Apache takes giving up for "no match", which
would open what a pattern was to close; here it is an error that ends the request.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Literal

import pcre2

Charset = Literal["utf-8", "latin-1"]

# The engine's own option bits (pcre2.h), of which the binding names only some.
_CASELESS = 0x00000008
_DOLLAR_ENDONLY = 0x00000010
_DOTALL = 0x00000020
_DUPNAMES = 0x00000040
_EXTENDED = 0x00000080
_MULTILINE = 0x00000400
_ALT_BSUX = 0x00000002
_NEVER_BACKSLASH_C = 0x00100000
# The binding turns these on for likeness with Python's `re`; PCRE as Apache uses it has them off.
_FOREIGN = _ALT_BSUX | _NEVER_BACKSLASH_C

#: The version of the PCRE2 library.
ENGINE_VERSION: str = pcre2.__libpcre2_version__

#: Steps one match may take; PCRE2's own default, and so Apache's, is ten times this.
MATCH_LIMIT = 1_000_000
_LIMITS = b"(*LIMIT_MATCH=%d)(*LIMIT_DEPTH=%d)" % (MATCH_LIMIT, MATCH_LIMIT)
#: How many subjects without a match a pattern remembers, and of up to how many octets; the binding's way to PCRE2 is long.
MOST_BARREN = 32
BARREN_LENGTH = 256


class PatternError(ValueError):
    """A pattern that cannot be compiled; the message says what is wrong and at which octet."""


class PatternLimit(RuntimeError):
    """A match was given up because it took too many steps."""


class Match:
    """One successful match. Groups that took no part are None; their numbers and names follow the pattern."""

    __slots__ = ("_charset", "_found", "pattern")

    def __init__(self, pattern: Pattern, found: Any, charset: Charset) -> None:
        self.pattern = pattern
        self._found = found
        self._charset = charset

    def group(self, number: int | str = 0) -> str | None:
        """Return the text of a group by number or name, or None if it took no part or there is none."""
        if isinstance(number, str):
            number = self.pattern.names.get(number, -1)
        if not 0 <= number <= self.pattern.group_count:
            return None
        octets: bytes | None = self._found.group(number)
        return None if octets is None else _decode(octets, self._charset)

    def groups(self) -> tuple[str | None, ...]:
        """Return all groups, the whole match first."""
        return tuple(self.group(number) for number in range(self.pattern.group_count + 1))

    def named(self) -> dict[str, str]:
        """Return the named groups that took part, by name (``MATCH_NAME`` of ``<DirectoryMatch>`` and its kin)."""
        found = {name: self.group(number) for name, number in self.pattern.names.items()}
        return {name: text for name, text in found.items() if text is not None}

    def span(self, number: int = 0) -> tuple[int, int]:
        """Return where a group lies, in octets of the encoded text; (-1, -1) if it took no part."""
        start, end = self._found.span(number)
        return start, end


class Pattern:
    """A compiled regular expression with Apache's default options (``RegexDefaultOptions DOTALL DOLLAR_ENDONLY``)."""

    def __init__(
        self,
        text: str,
        *,
        ignorecase: bool = False,
        multiline: bool = False,
        extended: bool = False,
        dotall: bool = True,
        dollar_endonly: bool = True,
    ) -> None:
        """Compile *text*. Raises PatternError."""
        self.text = text
        self.ignorecase = ignorecase
        flags = {
            _CASELESS: ignorecase,
            _MULTILINE: multiline,
            _EXTENDED: extended,
            _DOTALL: dotall,
            _DOLLAR_ENDONLY: dollar_endonly,
        }
        self._options = _DUPNAMES | sum(bit for bit, on in flags.items() if on)
        self._fast = self._compile(jit=True)
        #: Subjects of late in which nothing was found: most rules are asked for the same names and agents again and again.
        self._barren: set[bytes] = set()

    def __repr__(self) -> str:
        return f"Pattern({self.text!r}{', ignorecase=True' if self.ignorecase else ''})"

    @property
    def group_count(self) -> int:
        """How many groups the pattern has, the whole match not counted."""
        count: int = self._fast.groups
        return count

    @cached_property
    def names(self) -> dict[str, int]:
        """The named groups and their numbers, by number."""
        return dict(sorted(self._fast.groupindex.items(), key=lambda item: item[1]))

    def match(self, text: str | bytes, *, charset: Charset = "utf-8") -> Match | None:
        """Search *text* for the pattern; return the first match or None.

        charset: how *text*, if it is str, is encoded, and how groups are decoded: "utf-8" (with surrogate escapes) for
            paths and configuration text, "latin-1" for header values.

        Raises PatternLimit.
        """
        subject = _encode(text, charset) if isinstance(text, str) else text
        if subject in self._barren:
            return None
        try:
            found = self._fast.search(subject)
        except pcre2.LibraryError:
            found = self._search_slowly(subject)
        if found is not None:
            return Match(self, found, charset)
        if len(subject) <= BARREN_LENGTH:
            if len(self._barren) >= MOST_BARREN:
                self._barren.clear()
            self._barren.add(subject)
        return None

    def _search_slowly(self, subject: bytes) -> Any:
        # Compiled code has a small stack of its own; what overflows it may still be matched by interpretation.
        try:
            return self._slow.search(subject)
        except pcre2.LibraryError as error:
            raise PatternLimit(f"the pattern {self.text!r} takes too many steps: {error}") from error

    @cached_property
    def _slow(self) -> Any:
        return self._compile(jit=False)

    def _compile(self, *, jit: bool) -> Any:
        expression = _LIMITS + _encode(self.text, "utf-8")
        try:
            code = pcre2._cy.compile(expression, self._options, _FOREIGN)
            if jit:
                pcre2._cy.jit_compile(code)
        except pcre2.PatternError as error:
            reason = str(error).partition("; ")[2] or str(error)
            raise PatternError(f"{reason} (at octet {error.pos - len(_LIMITS)} of {self.text!r})") from error
        except pcre2.LibraryError:
            return self._compile(jit=False) if jit else None
        return pcre2.Pattern(code, expression, self._options, jit, None)


def _encode(text: str, charset: Charset) -> bytes:
    if charset == "latin-1":
        return text.encode("latin-1", "replace")
    return text.encode("utf-8", "surrogateescape")


def _decode(octets: bytes, charset: Charset) -> str:
    if charset == "latin-1":
        return octets.decode("latin-1")
    return octets.decode("utf-8", "surrogateescape")


_REFERENCE = re.compile(r"\\(.)|\$([0-9])", re.DOTALL)


def substitute(template: str, match: Match) -> str:
    """Return *template* with ``$0`` to ``$9`` replaced by groups of *match*, as Apache's configuration writes them.

    A group that took no part is empty. A backslash takes the special meaning off what follows it.
    """
    if "$" not in template and "\\" not in template:
        return template
    return _REFERENCE.sub(lambda found: found[1] or match.group(int(found[2])) or "", template)
