"""Every question of the recorded table gets Apache's answer."""

from __future__ import annotations

import base64

import expr_answers as answers
import expr_world as world
import pytest
from expr_answers import Row

from coachwhip.expr import EvaluationError, ExprError, parse

ROWS = answers.load()

#: Where we answer otherwise on purpose: expression → our answer.
DIFFERENCES = {
    # Interface names would have to be looked up; Apache takes those of its own machine only.
    r"'fe80::1%nope' -ipmatch 'fe80::1'": "true",
    r"'fe80::1%99x' -ipmatch 'fe80::1'": "true",
    # Apache takes an unterminated pattern for the end of the expression and never looks at the rest.
    "true /rest": "refused",
    "true / && false": "refused",
    "true m#rest": "refused",
    # The PCRE2 library that the pcre2 wheel brings refuses \C: it splits characters.
    r"'a' =~ /\Ca/": "refused",
    # The shared matcher splits the pattern at a slash before it looks at backslashes.
    r"'a/b' -fnmatch 'a\\/b'": "false",
}

#: Refusals whose wording administrators meet, and find by searching for it.
KNOWN_WORDINGS = (
    "does not exist",
    "not available in restricted context",
    "requires subnet/netmask as constant argument",
    "Escape sequence out of bound",
    "Bad escape sequence",
    "String too long",
    "Unterminated string or variable",
    "Invalid character in variable name",
    "Parse error near",
)


def evaluate(row: Row) -> tuple[str, str]:
    """Our answer and the names for `Vary`, in the table's notation."""
    expression = world.expand(row.expression)
    if row.place == "word":
        expression = f"base64({expression}) =~ m#^(.*)$#"
    # `SetEnvIfExpr`, by which words are recorded, runs before there is a response.
    scope = world.FakeScope({} if row.place == "word" else world.RESPONSE_HEADERS)
    try:
        parsed = parse(
            expression,
            string=row.place == "text",
            restricted=row.place == "htaccess",
            ssi_compat=row.place == "include",
        )
        if row.place == "text":
            return answers.quoted(parsed.text(scope).encode("latin-1")), ",".join(scope.varies)
        answer = parsed.test(scope)
    except ExprError as error:
        return f"refused: {error.message}", ""
    except EvaluationError as error:
        return f"error: {error}", ""
    if row.place == "word":
        return answers.quoted(base64.b64decode(scope.captures()[1])), ",".join(scope.varies)
    return ("true" if answer else "false"), ",".join(scope.varies)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.line}-{row.place}")
def test_answer(row: Row) -> None:
    answer, vary = evaluate(row)
    expected = world.expand(row.answer)
    if row.expression in DIFFERENCES:
        assert answer.startswith(DIFFERENCES[row.expression])
        assert answer != expected
    elif expected.startswith("refused: ") or "Recursion limit" in expected:
        assert answer.startswith("refused: "), row.expression
    elif expected.startswith("error: "):
        assert answer.startswith(expected), row.expression
    else:
        assert (answer, vary) == (expected, row.vary), row.expression


@pytest.mark.parametrize("row", [row for row in ROWS if row.answer.startswith("refused: ")], ids=lambda row: row.line)
def test_familiar_refusals_keep_their_words(row: Row) -> None:
    """Apache reads one token further before it complains, so a second fault may come first there."""
    for wording in KNOWN_WORDINGS:
        if row.answer.endswith(wording) or f"refused: {wording}" in row.answer:
            assert wording in evaluate(row)[0], row.expression


def test_the_table_has_no_open_questions() -> None:
    assert [row.line for row in ROWS if row.answer == answers.UNKNOWN] == []


def test_the_table_is_worth_its_name() -> None:
    kinds = {row.place for row in ROWS}
    assert kinds == {"test", "if", "text", "word", "htaccess", "include"}
    assert sum(row.answer.startswith("refused") for row in ROWS) > 200
    assert sum(row.answer in ("true", "false") for row in ROWS) > 500
