"""The second pass: nodes to sections.

For each node the row of the module loaded last is found, its context and override class are checked, its arguments are cut, and
what `value` makes of them is kept in the section at hand. Containers that make sections are in `containers.py`.
Source: Apache manual, "Terms Used to Describe Directives"; checks and sentences compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from coachwhip.api.directives import Args, Directive, DirectiveError
from coachwhip.api.module import Module
from coachwhip.config.context import Context, Scope
from coachwhip.config.errors import ConfigError
from coachwhip.config.known import advice
from coachwhip.config.reading import Reading, allowed, forbidden, refusal
from coachwhip.config.shapes import arguments
from coachwhip.config.tree import Node

__all__ = ["SectionReader", "Walker"]

#: Reads one of the containers that make sections: gets the context and the raw arguments.
SectionReader = Callable[["Walker", Context, str], None]

INVALID = "perhaps misspelled or defined by a module not included in the server configuration"


class Walker:
    """Walks nodes within scopes."""

    def __init__(self, state: Reading, containers: Mapping[str, SectionReader]) -> None:
        self.state = state
        self._containers = containers

    def walk(self, nodes: Sequence[Node], scope: Scope) -> None:
        """Evaluate nodes in order.

        Raises:
            ConfigError: with AH00526, at the first line that is wrong.
        """
        for node in nodes:
            self._node(node, scope)

    def _node(self, node: Node, scope: Scope) -> None:
        try:
            found = self.state.modules.row(node.name)
            if found is None:
                self._unknown(node, scope)
                return
            self._row(node, scope, *found)
        except DirectiveError as error:
            message = error.message if error.alone else f"{node.title}: {error.message}"
            raise _located(message, node) from error

    def _unknown(self, node: Node, scope: Scope) -> None:
        if scope.nonfatal in ("unknown", "all"):
            self.state.warn(f"Unknown directive {node.name.lower()} {INVALID}", "AH02296", node.location)
            return
        # Of a `.htaccess` the sentence alone is logged, each time that somebody comes to the folder.
        hint = "" if scope.in_htaccess else advice(node.name, self.state.modules.row_names())
        raise _located(f"Invalid command '{node.name}', {INVALID}", node, hint)

    def _row(self, node: Node, scope: Scope, module: Module, row: Directive) -> None:
        if not self._may_stand(node, scope, row):
            return
        context = Context(self.state, scope, node, module, row, lambda inner, within: self.walk(inner.children, within))
        if row.global_only and scope.in_virtual_host:
            raise DirectiveError(f"{node.title} cannot occur within <VirtualHost> section", alone=True)
        reader = self._containers.get(node.name.lower())
        if reader is not None and row.value is None:
            reader(self, context, node.args)
            return
        words = self._arguments(row, node)
        if row.value is not None:
            context.store(row.value(context, *words))
        elif row.args is not Args.NONE:
            context.store(words[0] if len(words) == 1 and row.args not in _MANY else words)

    def _arguments(self, row: Directive, node: Node) -> tuple[object, ...]:
        words = arguments(row, node.args)
        if row.section and row.args is Args.RAW:
            # `<RequireAll>` has none, and that is for the row's `value` to judge.
            inside, bracket, _after = (str(words[0]) or ">").rpartition(">")
            if not bracket:
                raise DirectiveError(f"<{row.name}> directive missing closing '>'", alone=True)
            return (inside,)
        return words

    def _may_stand(self, node: Node, scope: Scope, row: Directive) -> bool:
        if allowed(row, scope.override, scope.override_list):
            return True
        if scope.nonfatal in ("override", "all"):
            self.state.warn(forbidden(row), "AH02295", node.location)
            return False
        raise DirectiveError(refusal(node), alone=True)


#: Shapes whose value is a tuple even when there is but one word.
_MANY = (Args.WORDS, Args.ARGV, Args.ONE_THEN_WORDS)


def _located(message: str, node: Node, hint: str = "") -> ConfigError:
    return ConfigError(message, node.location, "AH00526", snippet=f"{node.name} {node.args}".rstrip(), hint=hint)
