r"""Text to tokens.

Four modes, kept on a stack, decide what a character means: plain (operators and names), string (between quotes, or the whole
text of a string template), name (after `%{`) and argument (after the colon in `%{name:`). It knows no grammar: which token
may follow which is `parser`'s business. Every figure and character set here was read off Apache 2.4.71.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from coachwhip.expr.errors import ExprError

#: Octets that one uninterrupted piece of a string, or one regular expression, may have (Apache's buffer).
MAX_PIECE = 8191


class Kind(Enum):
    """What a token is. The value is how messages call it."""

    END = "end of expression"
    NAME = "name"
    NUMBER = "number"
    TEXT = "text"
    CAPTURE = "back-reference"
    REGEX = "regular expression"
    REGEX_NOCASE = "regular expression (ignoring case)"
    QUOTE_OPEN = "opening quote"
    QUOTE_CLOSE = "closing quote"
    VAR_OPEN = "'%{'"
    VAR_CLOSE = "'}'"
    VAR_COLON = "':'"
    #: `true`, `and`, `==`, `-eq`, `(`: whatever the grammar knows by its spelling; `text` is the canonical one.
    SYMBOL = "operator"
    UNARY = "unary operator"
    BINARY = "binary operator"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its 0-based place. `text` is the content: unescaped string, pattern without its delimiters, digits."""

    kind: Kind
    text: str
    start: int

    def __str__(self) -> str:
        if self.kind in (Kind.END, Kind.QUOTE_OPEN, Kind.QUOTE_CLOSE, Kind.VAR_OPEN, Kind.VAR_CLOSE, Kind.VAR_COLON):
            return str(self.kind.value)
        shown = self.text if len(self.text) <= 40 else self.text[:40] + "..."
        return f"'{shown}'" if self.kind is Kind.SYMBOL else f"{self.kind.value} '{shown}'"


#: Spelling → the one the parser knows.
_SYMBOLS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "=": "==",
    "eq": "-eq",
    "ne": "-ne",
    "lt": "-lt",
    "le": "-le",
    "gt": "-gt",
    "ge": "-ge",
    "in": "-in",
} | {s: s for s in ("true", "false", "&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "=~", "!~", "(", ")", "{", "}")}
_SYMBOLS |= {s: s for s in ("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-in", ",", ".", ":")}

_BLANKS = re.compile(r"[ \t\n]*")
# The longest spelling wins, and `m_` opens a regular expression only where no longer name begins with it.
_PLAIN = re.compile(
    r"""(?P<regex> /
               | m[/\#$%^,:;!?|'".-]
               | m_(?![A-Za-z0-9_]) )
      | (?P<number> -?[0-9]+ )
      | (?P<binary> -[A-Za-z_][A-Za-z0-9_]+ )
      | (?P<unary> -[A-Za-z] )
      | (?P<name> [A-Za-z][A-Za-z0-9_]* )
      | \$(?P<capture> [0-9] )
      | (?P<var> %\{ )
      | (?P<quote> ["'] )
      | (?P<symbol> && | \|\| | [=!]~ | [=!<>]= | [=!<>(){},.:] )
    """,
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DULL = re.compile(r"""[^\\\n"'%$}]+""")
_ESCAPED_DIGITS = re.compile(r"[0-9]+")
_OCTAL = re.compile(r"[0-7]{1,3}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

_UNTERMINATED = "Unterminated string or variable"


class _Mode(Enum):
    PLAIN = 0
    STRING = 1
    NAME = 2
    ARGUMENT = 3


class _Lexer:
    """One pass over one text. Each mode has a method that reads from `self.at` and moves it."""

    def __init__(self, text: str, template: bool) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[Token] = []
        self.modes = [_Mode.STRING if template else _Mode.PLAIN]
        #: The quote that ends the string; none does in a template. Quotes cannot nest, so one is enough.
        self.quote = ""

    def run(self) -> list[Token]:
        read = {
            _Mode.PLAIN: self.read_plain,
            _Mode.STRING: self.read_string,
            _Mode.NAME: self.read_name,
            _Mode.ARGUMENT: self.read_string,
        }
        while self.at < len(self.text):
            read[self.modes[-1]]()
        if len(self.modes) > 1:
            raise self.error(_UNTERMINATED)
        self.add(Kind.END, "")
        return self.tokens

    def error(self, message: str, at: int | None = None) -> ExprError:
        return ExprError(message, (self.at if at is None else at) + 1)

    def add(self, kind: Kind, text: str, width: int = 0) -> None:
        self.tokens.append(Token(kind, text, self.at))
        self.at += width

    def open_variable(self) -> None:
        self.add(Kind.VAR_OPEN, "%{", 2)
        self.modes.append(_Mode.NAME)

    def close_variable(self) -> None:
        self.add(Kind.VAR_CLOSE, "}", 1)
        self.modes.pop()
        if self.modes[-1] is _Mode.NAME:
            self.modes.pop()

    def read_plain(self) -> None:
        blanks = _BLANKS.match(self.text, self.at)
        self.at = blanks.end() if blanks else self.at
        if self.at == len(self.text):
            return
        found = _PLAIN.match(self.text, self.at)
        if found is None:
            raise self.error(f"Parse error near '{self.text[self.at]}'")
        kind, spelling, width = found.lastgroup, found[0], len(found[0])
        if kind == "regex":
            self.read_regex(width)
        elif kind == "var":
            self.open_variable()
        elif kind == "quote":
            self.add(Kind.QUOTE_OPEN, spelling, width)
            self.modes.append(_Mode.STRING)
            self.quote = spelling
        elif kind == "capture":
            self.add(Kind.CAPTURE, found["capture"], width)
        elif kind == "number":
            self.add(Kind.NUMBER, spelling, width)
        elif spelling in _SYMBOLS:
            self.add(Kind.SYMBOL, _SYMBOLS[spelling], width)
        else:
            self.add({"binary": Kind.BINARY, "unary": Kind.UNARY}.get(kind or "", Kind.NAME), spelling, width)

    def read_regex(self, opening: int) -> None:
        """A pattern up to its delimiter, which cannot be escaped; an `i` may follow."""
        start = self.at + opening
        end = self.text.find(self.text[start - 1], start)
        if end < 0:
            raise self.error(f"Unterminated regular expression: expected a closing '{self.text[start - 1]}'")
        if end - start > MAX_PIECE:
            raise self.error("Regexp too long")
        ignore_case = self.text.startswith("i", end + 1)
        kind = Kind.REGEX_NOCASE if ignore_case else Kind.REGEX
        self.add(kind, self.text[start:end], end + 1 - self.at + ignore_case)

    def read_name(self) -> None:
        found = _NAME.match(self.text, self.at)
        if found:
            self.add(Kind.NAME, found[0], found.end() - found.start())
            return
        character = self.text[self.at]
        if character == "}":
            self.close_variable()
        elif character == ":":
            self.add(Kind.VAR_COLON, ":", 1)
            self.modes.append(_Mode.ARGUMENT)
        elif character == "\n":
            raise self.error(_UNTERMINATED)
        else:
            raise self.error(f"Invalid character in variable name '{character}'")

    def read_string(self) -> None:
        """One piece of a string, then whatever ended the piece."""
        start = self.at
        piece = self.read_piece()
        if len(piece) > MAX_PIECE:
            raise self.error("String too long", start)
        if self.at > start:
            # Apache keeps pieces as C strings: an escaped NUL ends the piece, not the string.
            self.tokens.append(Token(Kind.TEXT, piece.partition("\0")[0], start))
        if self.at == len(self.text):
            return
        character = self.text[self.at]
        if character == "%":
            self.open_variable()
        elif character == "$":
            self.at += 1
            self.add(Kind.CAPTURE, self.text[self.at], 1)
        elif character == "}":
            self.close_variable()
        elif self.modes[-1] is _Mode.ARGUMENT:
            raise self.error("A quote in the argument of a function must be written with a backslash")
        else:
            self.add(Kind.QUOTE_CLOSE, character, 1)
            self.modes.pop()

    def read_piece(self) -> str:
        """Plain and escaped characters up to the first that means something in this mode, which stays unread."""
        piece: list[str] = []
        while self.at < len(self.text):
            dull = _DULL.match(self.text, self.at)
            if dull:
                piece.append(dull[0])
                self.at = dull.end()
            elif self.text[self.at] == "\\":
                piece.append(self.read_escape())
            elif self.is_special():
                break
            else:
                piece.append(self.text[self.at])
                self.at += 1
        return "".join(piece)

    def is_special(self) -> bool:
        character, following = self.text[self.at], self.text[self.at + 1 : self.at + 2]
        in_argument = self.modes[-1] is _Mode.ARGUMENT
        if character == "\n":
            raise self.error(_UNTERMINATED)
        if character == "%":
            return following == "{"
        if character == "$":
            return following in tuple("0123456789")
        if character == "}":
            return in_argument
        return in_argument or character == self.quote

    def read_escape(self) -> str:
        start = self.at
        self.at += 1
        if self.at == len(self.text):
            raise self.error("A backslash at the end: expected a character after it", start)
        digits = _ESCAPED_DIGITS.match(self.text, self.at)
        if digits is None:
            self.at += 1
            return _ESCAPES.get(self.text[self.at - 1], self.text[self.at - 1])
        self.at = digits.end()
        if not _OCTAL.fullmatch(digits[0]):
            raise self.error("Bad escape sequence", start)
        octet = int(digits[0], 8)
        if octet > 0xFF:
            raise self.error("Escape sequence out of bound", start)
        return chr(octet)


def tokenize(text: str, *, template: bool = False) -> list[Token]:
    """The tokens of an expression, the last one being `Kind.END`.

    text: one octet per character. template: the whole text is a string, as after `expr=` in `Header set`.

    Raises:
        ExprError: a character that can start nothing, a bad escape, or something left open.
    """
    return _Lexer(text, template).run()
