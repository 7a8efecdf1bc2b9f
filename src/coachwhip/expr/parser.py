"""Tokens to a tree, by recursive descent; the loosest operator first.

    condition   = conjunction { "||" conjunction }
    conjunction = negation { "&&" negation }
    negation    = { "!" } primary
    primary     = "true" | "false" | "(" condition ")" | unary word | comparison
    comparison  = word ( operator word | "=~" regex | "-in" "{" word { "," word } "}" | "-in" name "(" word ")" )
    word        = part { "." part }
    part        = number | capture | string | variable | name "(" word ")"

Apache manual, expr.html, "Grammar in Backus-Naur Form notation". Names are checked here, so that the error can say where.
"""

from __future__ import annotations

from coachwhip.expr import nodes
from coachwhip.expr.errors import ExprError
from coachwhip.expr.lexer import Kind, Token, tokenize
from coachwhip.expr.operators import BINARY, CLIENT_IN_SUBNET, IN_SUBNET, INTEGER_COMPARISONS, STRING_COMPARISONS, UNARY
from coachwhip.expr.scope import unoctets
from coachwhip.expr.vocabulary import Vocabulary
from coachwhip.util.networks import Subnet, parse_subnet
from coachwhip.util.patterns import Pattern, PatternError

#: Parentheses open at once. Apache's parser ends at some 9 990; no one writes a hundred.
MAX_GROUPS = 100

#: Levels of a word: one for each function and each joining, one for what is inside. Apache reads deeper words and then
#: fails every evaluation at this depth ("Recursion limit reached"); here they are refused at once.
MAX_WORD_DEPTH = 19

_COMPARISONS = frozenset(STRING_COMPARISONS) | frozenset(INTEGER_COMPARISONS)
_STRING_PARTS = (Kind.TEXT, Kind.CAPTURE, Kind.VAR_OPEN)


def _depth(word: nodes.Word) -> int:
    if isinstance(word, nodes.Call):
        return 1 + _depth(word.argument)
    if isinstance(word, nodes.Concat):
        return 1 + max(map(_depth, word.parts))
    return 1


def _joined(parts: list[nodes.Word]) -> nodes.Word:
    flat: list[nodes.Word] = []
    for part in parts:
        flat += part.parts if isinstance(part, nodes.Concat) else (part,)
    return flat[0] if len(flat) == 1 else nodes.Concat(tuple(flat))


class _Parser:
    """One walk over the tokens. Each method reads what it is named after and leaves `self.at` behind it."""

    def __init__(self, tokens: list[Token], vocabulary: Vocabulary) -> None:
        self.tokens = tokens
        self.vocabulary = vocabulary
        self.at = 0
        self.groups = 0
        self.calls = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def is_symbol(self, *spellings: str) -> bool:
        return self.token.kind is Kind.SYMBOL and self.token.text in spellings

    def skip(self, spelling: str) -> bool:
        if found := self.is_symbol(spelling):
            self.at += 1
        return found

    def unexpected(self, expected: str) -> ExprError:
        return ExprError(f"syntax error, unexpected {self.token}, expected {expected}", self.token.start + 1)

    def expect(self, kind: Kind, expected: str | None = None) -> Token:
        if self.token.kind is not kind:
            raise self.unexpected(expected or kind.value)
        return self.take()

    def expect_symbol(self, spelling: str) -> None:
        if not self.skip(spelling):
            raise self.unexpected(f"'{spelling}'")

    def condition(self) -> nodes.Condition:
        terms = [self.conjunction()]
        while self.skip("||"):
            terms.append(self.conjunction())
        return terms[0] if len(terms) == 1 else nodes.Any(tuple(terms))

    def conjunction(self) -> nodes.Condition:
        terms = [self.negation()]
        while self.skip("&&"):
            terms.append(self.negation())
        return terms[0] if len(terms) == 1 else nodes.All(tuple(terms))

    def negation(self) -> nodes.Condition:
        negated = False
        while self.skip("!"):
            negated = not negated
        primary = self.primary()
        return nodes.Not(primary) if negated else primary

    def primary(self) -> nodes.Condition:
        if self.is_symbol("true", "false"):
            return nodes.Constant(self.take().text == "true")
        if self.is_symbol("("):
            return self.group()
        if self.token.kind is Kind.UNARY:
            return self.unary()
        return self.comparison()

    def group(self) -> nodes.Condition:
        opening = self.take()
        self.groups += 1
        if self.groups > MAX_GROUPS:
            raise ExprError(f"more than {MAX_GROUPS} parentheses inside each other", opening.start + 1)
        inner = self.condition()
        self.expect_symbol(")")
        self.groups -= 1
        return inner

    def unary(self) -> nodes.Condition:
        token = self.take()
        if token.text == CLIENT_IN_SUBNET:
            return nodes.InSubnet(None, self.subnet(token))
        if token.text not in UNARY:
            raise ExprError(f"Unary operator '{token.text}' does not exist", token.start + 1)
        self.check_allowed(token.text, token)
        return nodes.Unary(token.text, self.word())

    def comparison(self) -> nodes.Condition:
        left = self.word()
        token = self.token
        if token.kind is Kind.BINARY:
            return self.binary(left)
        if self.is_symbol("=~", "!~"):
            self.take()
            return nodes.Matches(left, self.pattern(), token.text == "!~")
        if self.skip("-in"):
            return self.membership(left)
        if self.is_symbol(*_COMPARISONS):
            self.take()
            return nodes.Compare(token.text, left, self.word())
        raise self.unexpected("a comparison such as ==, -eq, =~ or -in")

    def binary(self, left: nodes.Word) -> nodes.Condition:
        token = self.take()
        name = token.text.lower()
        if name == IN_SUBNET:
            return nodes.InSubnet(left, self.subnet(token))
        if name not in BINARY:
            raise ExprError(f"Binary operator '{token.text}' does not exist", token.start + 1)
        return nodes.Binary(name, left, self.word())

    def subnet(self, operator: Token) -> Subnet:
        start = self.token.start
        operand = self.word()
        if not isinstance(operand, nodes.Literal):
            raise ExprError(f"{operator.text} requires subnet/netmask as constant argument", start + 1)
        try:
            return parse_subnet(operand.text)
        except ValueError as error:
            raise ExprError(f"parsing of subnet/netmask '{operand.text}' failed: {error}", start + 1) from error

    def pattern(self) -> Pattern:
        token = self.token
        if token.kind not in (Kind.REGEX, Kind.REGEX_NOCASE):
            raise self.unexpected("a regular expression such as /re/ or m#re#")
        self.take()
        try:
            return Pattern(unoctets(token.text), ignorecase=token.kind is Kind.REGEX_NOCASE)
        except PatternError as error:
            raise ExprError(f"Failed to compile regular expression: {error}", token.start + 1) from error

    def membership(self, subject: nodes.Word) -> nodes.Condition:
        if self.token.kind is Kind.NAME:
            token = self.take()
            name = token.text.lower()
            argument = self.call_argument()
            if name not in self.vocabulary.list_functions:
                raise ExprError(f"List-returning function '{token.text}' does not exist", token.start + 1)
            return nodes.MemberOf(subject, name, argument)
        if not self.skip("{"):
            raise self.unexpected("'{' or the name of a list function")
        items = [self.word()]
        while self.skip(","):
            items.append(self.word())
        if not self.skip("}"):
            raise self.unexpected("',' or '}'")
        return nodes.Member(subject, tuple(items))

    def word(self) -> nodes.Word:
        start = self.token.start
        parts = [self.part()]
        while self.skip("."):
            parts.append(self.part())
        return self.checked_depth(_joined(parts), start)

    def part(self) -> nodes.Word:
        token = self.token
        if token.kind is Kind.NAME:
            self.take()
            return self.call(token, self.call_argument())
        if token.kind is Kind.QUOTE_OPEN:
            self.take()
            word = self.string() if self.token.kind in _STRING_PARTS else nodes.Literal("")
            self.expect(Kind.QUOTE_CLOSE)
            return word
        if token.kind is Kind.NUMBER:
            return nodes.Number(self.take().text)
        if token.kind in (Kind.CAPTURE, Kind.VAR_OPEN):
            return self.string_part()
        raise self.unexpected("a quoted string, number, variable or function")

    def string(self) -> nodes.Word:
        parts = [self.string_part()]
        while self.token.kind in _STRING_PARTS:
            parts.append(self.string_part())
        return _joined(parts)

    def string_part(self) -> nodes.Word:
        token = self.take()
        if token.kind is Kind.CAPTURE:
            return nodes.Capture(int(token.text))
        return nodes.Literal(token.text) if token.kind is Kind.TEXT else self.variable()

    def variable(self) -> nodes.Word:
        """What follows `%{`: a name, or a function and its argument."""
        token = self.expect(Kind.NAME, "the name of a variable or function")
        if self.token.kind is Kind.VAR_COLON:
            self.take()
            if self.token.kind not in _STRING_PARTS:
                raise self.unexpected("the argument of the function")
            self.enter_call(token)
            argument = self.string()
            self.calls -= 1
            self.expect(Kind.VAR_CLOSE)
            return self.call(token, argument)
        self.expect(Kind.VAR_CLOSE, "'}' or ':'")
        name = token.text.upper()
        if not self.vocabulary.has_variable(name):
            raise ExprError(f"Variable '{token.text}' does not exist", token.start + 1)
        return nodes.Variable(name)

    def call_argument(self) -> nodes.Word:
        opening = self.token
        self.expect_symbol("(")
        self.enter_call(opening)
        argument = self.word()
        self.calls -= 1
        self.expect_symbol(")")
        return argument

    def call(self, token: Token, argument: nodes.Word) -> nodes.Word:
        name = token.text.lower()
        if not self.vocabulary.has_function(name):
            raise ExprError(f"Function '{token.text}' does not exist", token.start + 1)
        self.check_allowed(name, token)
        return nodes.Call(name, argument)

    def check_allowed(self, name: str, token: Token) -> None:
        if name in self.vocabulary.refused:
            raise ExprError(f"{token.text} not available in restricted context", token.start + 1)

    def enter_call(self, token: Token) -> None:
        self.calls += 1
        if self.calls >= MAX_WORD_DEPTH:
            raise self.too_deep(token.start)

    def checked_depth(self, word: nodes.Word, start: int) -> nodes.Word:
        if self.calls == 0 and _depth(word) > MAX_WORD_DEPTH:
            raise self.too_deep(start)
        return word

    def too_deep(self, start: int) -> ExprError:
        return ExprError(f"Recursion limit reached: more than {MAX_WORD_DEPTH} levels of functions and strings", start + 1)


def parse_condition(text: str, vocabulary: Vocabulary) -> nodes.Condition:
    """The tree of an expression that is true or false. `text`: one octet per character.

    Raises:
        ExprError: Apache would refuse it.
    """
    parser = _Parser(tokenize(text), vocabulary)
    condition = parser.condition()
    if parser.token.kind is not Kind.END:
        raise parser.unexpected("&&, || or the end")
    return condition


def parse_template(text: str, vocabulary: Vocabulary) -> nodes.Word:
    """The tree of a string with variables in it. `text`: one octet per character.

    Raises:
        ExprError: Apache would refuse it.
    """
    parser = _Parser(tokenize(text, template=True), vocabulary)
    word = nodes.Literal("") if parser.token.kind is Kind.END else parser.checked_depth(parser.string(), 0)
    parser.expect(Kind.END)
    return word
