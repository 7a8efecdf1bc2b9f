"""A tree to a closure: everything that can be decided without a request is decided here, once.

`text_of` and `test_of` give a function of the scope. Nothing is recursive at run time beyond the depth of the tree, which
`parser` bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from coachwhip.expr import nodes
from coachwhip.expr.errors import EvaluationError
from coachwhip.expr.functions import HEADER_FUNCTIONS, lower_case
from coachwhip.expr.operators import BINARY, INTEGER_COMPARISONS, STRING_COMPARISONS, UNARY, integer
from coachwhip.expr.scope import Scope
from coachwhip.expr.variables import HEADER_VARIABLES, VOLATILE_VARIABLES
from coachwhip.expr.vocabulary import Vocabulary
from coachwhip.util.networks import parse_address
from coachwhip.util.patterns import PatternLimit

Text = Callable[[Scope], str]
Test = Callable[[Scope], bool]

#: A scope is given `$0` to `$9` and no more.
MAX_CAPTURES = 10


@dataclass(frozen=True)
class Compiler:
    """Turns nodes into closures.

    vocabulary: where functions are found. vary: request fields that are read count for the response's `Vary`.
    """

    vocabulary: Vocabulary
    vary: bool

    def text_of(self, word: nodes.Word) -> Text:
        """The function that gives the word's text."""
        match word:
            case nodes.Literal(text) | nodes.Number(text):
                return lambda scope: text
            case nodes.Variable(name) if name in HEADER_VARIABLES:
                return self.header(HEADER_VARIABLES[name])
            case nodes.Variable(name):
                return lambda scope: scope.variable(name)
            case nodes.Capture(number):
                return capture(number)
            case nodes.Call(name, argument):
                return self.call(name, argument)
            case nodes.Concat(parts):
                texts = tuple(map(self.text_of, parts))
                return lambda scope: "".join([text(scope) for text in texts])

    def header(self, name: str) -> Text:
        vary = self.counts_for_vary(name)
        return lambda scope: scope.header_in(name, vary=vary) or ""

    def counts_for_vary(self, name: str) -> bool:
        # `Host` is part of what a cache keys on anyway; Apache leaves it out too.
        return self.vary and lower_case(name) != "host"

    def call(self, name: str, argument: nodes.Word) -> Text:
        text = self.text_of(argument)
        if name not in HEADER_FUNCTIONS:
            function = self.vocabulary.functions[name]
            return lambda scope: function(scope, text(scope))
        if not HEADER_FUNCTIONS[name]:
            return lambda scope: scope.header_in(text(scope), vary=False) or ""
        if isinstance(argument, nodes.Literal):
            return self.header(argument.text)

        def read(scope: Scope) -> str:
            field = text(scope)
            return scope.header_in(field, vary=self.counts_for_vary(field)) or ""

        return read

    def test_of(self, condition: nodes.Condition) -> Test:
        """The function that answers the condition."""
        match condition:
            case nodes.Constant(value):
                return lambda scope: value
            case nodes.Not(inner):
                negated = self.test_of(inner)
                return lambda scope: not negated(scope)
            case nodes.All(conditions):
                required = tuple(map(self.test_of, conditions))
                return lambda scope: all(test(scope) for test in required)
            case nodes.Any(conditions):
                offered = tuple(map(self.test_of, conditions))
                return lambda scope: any(test(scope) for test in offered)
            case nodes.Compare():
                return self.compare(condition)
            case nodes.Matches():
                return self.matches(condition)
            case nodes.Member(subject, items):
                return self.member(subject, items)
            case nodes.MemberOf(subject, name, argument):
                text, list_argument = self.text_of(subject), self.text_of(argument)
                listed = self.vocabulary.list_functions[name]
                return lambda scope: text(scope) in listed(scope, list_argument(scope))
            case nodes.Unary(operator, operand):
                unary, word = UNARY[operator], self.text_of(operand)
                return lambda scope: unary(scope, word(scope))
            case nodes.InSubnet():
                return self.in_subnet(condition)
            case nodes.Binary(operator, left, right):
                return self.both(BINARY[operator], self.text_of(left), self.text_of(right))

    def compare(self, node: nodes.Compare) -> Test:
        left, right = self.text_of(node.left), self.text_of(node.right)
        if node.operator in STRING_COMPARISONS:
            return self.both(STRING_COMPARISONS[node.operator], left, right)
        integers = INTEGER_COMPARISONS[node.operator]
        return self.both(lambda one, other: integers(integer(one), integer(other)), left, right)

    @staticmethod
    def both(holds: Callable[[str, str], bool], left: Text, right: Text) -> Test:
        """The right side is read first, as in Apache; it shows in the order of `Vary`."""

        def run(scope: Scope) -> bool:
            other = right(scope)
            return holds(left(scope), other)

        return run

    def matches(self, node: nodes.Matches) -> Test:
        """A pattern without groups leaves `$0` to `$9` alone; one with groups that fails empties them."""
        subject, pattern, negated = self.text_of(node.subject), node.pattern, node.negated
        has_groups = pattern.group_count > 0

        def run(scope: Scope) -> bool:
            try:
                found = pattern.match(subject(scope), charset="latin-1")
            except PatternLimit as error:
                raise EvaluationError(str(error)) from error
            if has_groups:
                groups = found.groups()[:MAX_CAPTURES] if found else ()
                scope.set_captures(tuple(group or "" for group in groups))
            return (found is None) is negated

        return run

    def member(self, subject: nodes.Word, items: tuple[nodes.Word, ...]) -> Test:
        text = self.text_of(subject)
        constants = [item.text for item in items if isinstance(item, nodes.Literal | nodes.Number)]
        if len(constants) == len(items):
            known = frozenset(constants)
            return lambda scope: text(scope) in known
        # From the last to the first, as Apache does: it decides which fields are read, and hence about `Vary`.
        words = tuple(map(self.text_of, reversed(items)))

        def run(scope: Scope) -> bool:
            wanted = text(scope)
            return any(word(scope) == wanted for word in words)

        return run

    def in_subnet(self, node: nodes.InSubnet) -> Test:
        contains = node.subnet.contains
        if node.address is None:
            client: Text = lambda scope: scope.client_address()  # noqa: E731
        else:
            client = self.text_of(node.address)

        def run(scope: Scope) -> bool:
            text = client(scope)
            address = parse_address(text)
            if address is None and text and (found := scope.resolve(text)):
                address = parse_address(found)
            return address is not None and contains(address)

        return run


def capture(number: int) -> Text:
    """The function that gives `$number`."""

    def read(scope: Scope) -> str:
        captures = scope.captures()
        return captures[number] if number < len(captures) else ""

    return read


@dataclass(frozen=True)
class Survey:
    """What a tree reads, told without running it."""

    root: nodes.Condition | nodes.Word

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every `%{NAME}` in it."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, nodes.Variable))

    @cached_property
    def uses_captures(self) -> bool:
        """True if it sets or reads `$0` to `$9`."""
        return any(isinstance(node, nodes.Capture | nodes.Matches) for node in walk(self.root))

    @cached_property
    def is_volatile(self) -> bool:
        """True if the same request may get another answer."""
        return not self.variables.isdisjoint(VOLATILE_VARIABLES)


def walk(root: nodes.Condition | nodes.Word) -> Iterator[nodes.Condition | nodes.Word]:
    """The node and all nodes below it."""
    waiting: list[nodes.Condition | nodes.Word] = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node.__slots__:
            value = getattr(node, name)
            children = value if isinstance(value, tuple) else (value,)
            waiting += [child for child in children if isinstance(child, nodes.Condition | nodes.Word)]
