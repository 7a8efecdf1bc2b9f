"""Tokens: the longest spelling wins, and the mode decides what a character is."""

from __future__ import annotations

import pytest

from coachwhip.expr import ExprError
from coachwhip.expr.lexer import Kind, tokenize


def kinds_and_texts(source: str, *, template: bool = False) -> list[tuple[Kind, str]]:
    return [(token.kind, token.text) for token in tokenize(source, template=template)][:-1]


@pytest.mark.parametrize(
    ("source", "tokens"),
    [
        ("true", [(Kind.SYMBOL, "true")]),
        ("truely", [(Kind.NAME, "truely")]),
        ("and or not", [(Kind.SYMBOL, "&&"), (Kind.SYMBOL, "||"), (Kind.SYMBOL, "!")]),
        ("= ==", [(Kind.SYMBOL, "=="), (Kind.SYMBOL, "==")]),
        ("lt -lt -LT", [(Kind.SYMBOL, "-lt"), (Kind.SYMBOL, "-lt"), (Kind.BINARY, "-LT")]),
        ("-f -in -inx", [(Kind.UNARY, "-f"), (Kind.SYMBOL, "-in"), (Kind.BINARY, "-inx")]),
        ("1-2", [(Kind.NUMBER, "1"), (Kind.NUMBER, "-2")]),
        ("$12", [(Kind.CAPTURE, "1"), (Kind.NUMBER, "2")]),
        ("m md5 m_x", [(Kind.NAME, "m"), (Kind.NAME, "md5"), (Kind.NAME, "m_x")]),
        ("m_.o_", [(Kind.REGEX, ".o")]),
        ("/a\\/", [(Kind.REGEX, "a\\")]),
        ("/a/i and", [(Kind.REGEX_NOCASE, "a"), (Kind.SYMBOL, "&&")]),
        ("/a/iand", [(Kind.REGEX_NOCASE, "a"), (Kind.SYMBOL, "&&")]),
    ],
)
def test_plain_text(source: str, tokens: list[tuple[Kind, str]]) -> None:
    assert kinds_and_texts(source) == tokens


def test_a_string_is_cut_at_variables_and_captures() -> None:
    assert kinds_and_texts("'a$1%{B}c'") == [
        (Kind.QUOTE_OPEN, "'"),
        (Kind.TEXT, "a"),
        (Kind.CAPTURE, "1"),
        (Kind.VAR_OPEN, "%{"),
        (Kind.NAME, "B"),
        (Kind.VAR_CLOSE, "}"),
        (Kind.TEXT, "c"),
        (Kind.QUOTE_CLOSE, "'"),
    ]


def test_the_argument_of_a_function_is_a_string_up_to_the_brace() -> None:
    assert kinds_and_texts("%{f:a:\\}%{g:}}", template=True) == [
        (Kind.VAR_OPEN, "%{"),
        (Kind.NAME, "f"),
        (Kind.VAR_COLON, ":"),
        (Kind.TEXT, "a:}"),
        (Kind.VAR_OPEN, "%{"),
        (Kind.NAME, "g"),
        (Kind.VAR_COLON, ":"),
        (Kind.VAR_CLOSE, "}"),
        (Kind.VAR_CLOSE, "}"),
    ]


def test_quotes_mean_nothing_in_a_template() -> None:
    assert kinds_and_texts("'a\" b", template=True) == [(Kind.TEXT, "'a\" b")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("\\n\\r\\t\\b\\f", "\n\r\t\b\f"), ("\\101\\7", "A\x07"), ("\\x\\'\\\\", "x'\\"), ("a\\0b", "a"), ("\\377", "\xff")],
)
def test_escapes(written: str, meant: str) -> None:
    assert kinds_and_texts(written, template=True) == [(Kind.TEXT, meant)]


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("true #", 6),
        ("'ab", 4),
        ("%{a", 4),
        ("%{a b}", 4),
        ("'a\nb'", 3),
        ("'\\400'", 2),
        ("'\\08'", 2),
        ("x/y", 2),
        ("'\\", 2),
        ("%{f:'}", 5),
    ],
)
def test_errors_have_a_column(source: str, column: int) -> None:
    with pytest.raises(ExprError) as refused:
        tokenize(source)
    assert refused.value.column == column
