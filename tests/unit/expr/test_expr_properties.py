"""What holds for every text: refusal is the only failure, and no text is too deep or too long to be judged."""

from __future__ import annotations

import pytest
from expr_world import FakeScope
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.expr import EvaluationError, ExprError, octets, parse
from coachwhip.expr.lexer import Kind, tokenize
from coachwhip.expr.parser import MAX_GROUPS, MAX_WORD_DEPTH

FRAGMENTS = (
    "true", "false", "!", "not", "&&", "||", "and", "or", "(", ")", "{", "}", ",", ".", ":", "==", "=", "!=", "<", "<=", "-eq",
    "lt", "-in", "in", "=~", "!~", "/(o)/", "m#o#i", "m_", "'a'", '"b"', "'", '"', "\\", "%{HTTP_HOST}", "%{", "%{req:", "$1",
    "$", "%", "12", "-3", "-n", "-f", "-R", "'10.0.0.0/8'", "-ipmatch", "-strmatch", "tolower", "file", "'x%{tolower:A}y'", " ",
    "\n", "\t", "#", "é", "\0", "\udc80",
)  # fmt: skip

WORDS = st.recursive(
    st.sampled_from(["'a'", "''", "12", "$1", "%{HTTP_HOST}", "'x$0%{REQUEST_URI}'", "req('X-Foo')", "%{tolower:AB}"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" . ".join),
        st.tuples(st.sampled_from(["tolower", "base64", "escape", "unescape", "md5", "ldap"]), inner).map(
            lambda call: f"{call[0]}({call[1]})"
        ),
    ),
    max_leaves=6,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.sampled_from(["true", "false", "-R '127.0.0.0/8'", "'foo' =~ /(f)(x)?/", "-f '/srv/site/f.txt'"]),
        st.tuples(WORDS, st.sampled_from(["==", "<", "-eq", "ge", "-strmatch", "-fnmatch"]), WORDS).map(" ".join),
        st.tuples(WORDS, WORDS, WORDS).map(lambda words: f"{words[0]} in {{{words[1]}, {words[2]}}}"),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: f"!({one})"),
        st.tuples(inner, st.sampled_from(["&&", "or"]), inner).map(lambda two: f"({' '.join(two)})"),
    ),
    max_leaves=8,
)
ANY_TEXT = st.one_of(st.text(st.characters()), st.lists(st.sampled_from(FRAGMENTS)).map("".join))


@given(ANY_TEXT, st.booleans())
def test_a_text_is_an_expression_or_refused_with_a_place_in_it(text: str, string: bool) -> None:
    try:
        parse(text, string=string)
    except ExprError as error:
        assert 1 <= error.column <= len(text) + 1


@given(ANY_TEXT)
def test_what_was_read_can_be_evaluated(text: str) -> None:
    for string in (False, True):
        try:
            expression = parse(text, string=string)
            answer = expression.text(FakeScope()) if string else expression.test(FakeScope())
        except (ExprError, EvaluationError):
            continue
        assert isinstance(answer, str if string else bool)


@given(CONDITIONS)
def test_conditions_of_the_grammar_are_read_and_mean_the_same_each_time(text: str) -> None:
    condition = parse(text)
    answer = condition.test(FakeScope())
    assert condition.test(FakeScope()) is answer
    assert parse(f"! ({text})").test(FakeScope()) is not answer
    assert parse(f"{text} && true").test(FakeScope()) is parse(f"({text})").test(FakeScope())


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n")))
def test_a_backslash_before_every_punctuation_makes_any_text_a_string(text: str) -> None:
    escaped = "".join(char if char.isalnum() else f"\\{char}" for char in text)
    assert parse(escaped, string=True).text(FakeScope()) == octets(text)
    assert parse(f"'{escaped}' == \"{escaped}\"").test(FakeScope())


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\\%$")))
def test_a_template_without_variables_is_its_own_text(text: str) -> None:
    assert parse(text, string=True).text(FakeScope()) == octets(text)


@given(ANY_TEXT)
def test_tokens_are_in_order_and_none_is_empty_of_source(text: str) -> None:
    try:
        tokens = tokenize(text)
    except ExprError:
        return
    starts = [token.start for token in tokens]
    assert starts == sorted(set(starts))
    assert tokens[-1].kind is Kind.END


@pytest.mark.parametrize("size", [MAX_GROUPS + 1, 100_000])
def test_too_many_open_parentheses_are_refused(size: int) -> None:
    with pytest.raises(ExprError, match="parentheses inside each other"):
        parse("(" * size + "true" + ")" * size)


def test_as_many_parentheses_as_allowed_can_be_evaluated() -> None:
    text = "true"
    for level in range(MAX_GROUPS):
        text = f"true && ({text})" if level % 2 else f"false || !({text})"
    assert parse(text).test(FakeScope()) in (True, False)


@pytest.mark.parametrize("size", [MAX_WORD_DEPTH, 100_000])
def test_functions_in_functions_beyond_apaches_limit_are_refused(size: int) -> None:
    with pytest.raises(ExprError, match="Recursion limit reached"):
        parse("tolower(" * size + "'a'" + ")" * size + " == 'a'")
    with pytest.raises(ExprError, match="Recursion limit reached"):
        parse("%{tolower:" * size + "a" + "}" * size, string=True)


@pytest.mark.parametrize(
    "text",
    ["!" * 100_000 + "true", " && ".join(["true"] * 20_000), " || ".join(["!false"] * 20_000), ".".join(["1"] * 50_000) + " != 2"],
    ids=["not", "and", "or", "concatenation"],
)
def test_length_alone_is_no_obstacle(text: str) -> None:
    assert parse(text).test(FakeScope())
