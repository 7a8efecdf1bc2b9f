"""The tree of an expression: the *words*, which have a text, and the *conditions*, which are true or false.

Pure data made by `parser`, read by `compiler`. Strings hold one octet per character (Latin-1), as everywhere in this room.
Grammar: Apache manual, expr.html, "Grammar in Backus-Naur Form notation".
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.util.networks import Subnet
from coachwhip.util.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted string, or the plain part of one."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """Digits without quotes. A word like any other, but not the "constant" that `-ipmatch` asks for."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`%{NAME}`; the name in upper case."""

    name: str


@dataclass(frozen=True, slots=True)
class Capture:
    """`$0` to `$9`: a group of the regular expression that matched last."""

    number: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(word)` or `%{name:string}`; the name in lower case."""

    name: str
    argument: Word


@dataclass(frozen=True, slots=True)
class Concat:
    """Two or more words joined, by `.` or by standing in one string."""

    parts: tuple[Word, ...]


Word = Literal | Number | Variable | Capture | Call | Concat


@dataclass(frozen=True, slots=True)
class Constant:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """`!` or `not`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class All:
    """`&&` or `and`, two or more, read from the left until one is false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """`||` or `or`, two or more, read from the left until one is true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """One of the comparisons of `operators.STRING_COMPARISONS` or `INTEGER_COMPARISONS`."""

    operator: str
    left: Word
    right: Word


@dataclass(frozen=True, slots=True)
class Matches:
    """`=~` or (negated) `!~`."""

    subject: Word
    pattern: Pattern
    negated: bool


@dataclass(frozen=True, slots=True)
class Member:
    """`in { word, word }`."""

    subject: Word
    items: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class MemberOf:
    """`in name(word)`: of the list that a list function gives; the name in lower case."""

    subject: Word
    name: str
    argument: Word


@dataclass(frozen=True, slots=True)
class Unary:
    """A test such as `-f word`."""

    operator: str
    operand: Word


@dataclass(frozen=True, slots=True)
class InSubnet:
    """`word -ipmatch 'subnet'`, or `-R 'subnet'`, whose address is the client's (None)."""

    address: Word | None
    subnet: Subnet


@dataclass(frozen=True, slots=True)
class Binary:
    """A named test such as `word -strmatch word`; the operator in lower case."""

    operator: str
    left: Word
    right: Word


Condition = Constant | Not | All | Any | Compare | Matches | Member | MemberOf | Unary | InSubnet | Binary
