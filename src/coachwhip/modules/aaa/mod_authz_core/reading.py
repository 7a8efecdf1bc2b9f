"""Reads `Require`, its containers and `AuthMerging` into a section's `Policy`.

While a container is being read, its children gather in a `_Container` on the context's stack; the outermost one is added to the
section's own group. The shape of the tree is Apache's: what could be said without a container is not kept as one.
Source: Apache manual, mod_authz_core; sentences of 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coachwhip.api import DirectiveContext, DirectiveError, Location, Request
from coachwhip.api.auth import AuthzCheck, AuthzProvider, AuthzResult, Methods, settings_of
from coachwhip.modules.aaa.mod_authz_core.requirements import AuthzCoreDir, Group, Logic, Node, Policy, Requirement
from coachwhip.util.words import cut_word

__all__ = ["read_container", "read_merging", "read_provider_alias", "read_require"]


@dataclass(slots=True)
class _Container:
    """A container whose lines are being read."""

    logic: Logic
    is_negated: bool
    location: Location
    children: list[Node] = field(default_factory=list)

    @property
    def title(self) -> str:
        return "<RequireNone>" if self.is_negated else f"<Require{self.logic.value}>"

    def close(self) -> Group:
        methods = Methods()
        for child in self.children:
            methods |= child.methods
        return Group(self.logic, tuple(self.children), methods, self.location, self.is_negated)


def read_require(context: DirectiveContext, raw: str) -> None:
    """`Require [not] provider arguments`.

    Raises:
        DirectiveError: unknown provider, wrong arguments, or a negation that could not have an effect.
    """
    name, arguments = cut_word(raw)
    is_negated = name.lower() == "not"
    if is_negated:
        name, arguments = cut_word(arguments)
    check = _provider(context, name)(context, arguments)
    if is_negated and _enclosing_logic(context) is Logic.ANY:
        raise DirectiveError(f"negative Require directive has no effect in {_enclosing_title(context)} directive", alone=True)
    line = Requirement(f"{name} {arguments}", check, Methods.of(context), context.location, is_negated)
    _add(context, (line,))


def _provider(context: DirectiveContext, name: str) -> AuthzProvider:
    found: AuthzProvider | None = context.providers.get("authz", name)
    if found is None:
        raise DirectiveError(f"Unknown Authz provider: {name}", alone=True)
    return found


def _enclosing_logic(context: DirectiveContext) -> Logic:
    return context.stack[-1].logic if context.stack else Logic.ANY


def _enclosing_title(context: DirectiveContext) -> str:
    return str(context.stack[-1].title) if context.stack else "<RequireAny>"


@dataclass(frozen=True, slots=True)
class _Merging:
    """What an `AuthMerging` line says."""

    logic: Logic | None


def _together(lines: Sequence[Policy | _Container | _Merging]) -> Policy:
    """What the lines of a section say: one group, and the last word about merging."""
    own: _Container | None = None
    merging: Logic | None = None
    for line in lines:
        if isinstance(line, _Merging):
            merging = line.logic
            continue
        if isinstance(line, Policy):
            merging = line.merging
        said = line.root if isinstance(line, Policy) else line
        if said is not None:
            own = own or _Container(Logic.ANY, False, said.location)
            own.children += said.children
    return Policy(own.close() if own is not None else None, merging)


def _add(context: DirectiveContext, nodes: tuple[Node, ...]) -> None:
    """Put nodes into the container at hand, or into the section's own group."""
    if context.stack:
        context.stack[-1].children.extend(nodes)
    else:
        context.add(AuthzCoreDir, "policy", _Container(Logic.ANY, False, context.location, [*nodes]), _together)


def read_container(logic: Logic, *, is_negated: bool = False) -> Callable[[DirectiveContext, str], None]:
    """The reader of `<RequireAll>` and its kin."""

    def read(context: DirectiveContext, raw: str) -> None:
        container = _Container(logic, is_negated, context.location)
        if raw.strip(" \t"):
            raise DirectiveError(f"{container.title} directive doesn't take additional arguments", alone=True)
        context.stack.append(container)
        try:
            context.read_section()
        finally:
            context.stack.pop()
        _add(context, _closed(context, container))

    return read


def _closed(context: DirectiveContext, container: _Container) -> tuple[Node, ...]:
    """What a container adds to the one around it: itself, or its children where that says the same.

    Raises:
        DirectiveError: it is empty, or could not have an effect.
    """
    if not container.children:
        raise DirectiveError(f"{container.title} directive contains no authorization directives", alone=True)
    around = _enclosing_logic(context)
    if container.is_negated and around is Logic.ANY:
        title = _enclosing_title(context)
        raise DirectiveError(f"{container.title} directive has no effect in {title} directive", alone=True)
    group = container.close()
    if not group.is_negated and group.logic is around:
        return group.children
    if context.in_htaccess:
        return (group,)
    # Only a start looks for what can never grant; in `.htaccess` it denies when a request comes.
    if all(child.is_negated for child in group.children):
        text = f"{container.title} directive contains only negative authorization directives"
        raise DirectiveError(text, alone=True, log_id="AH01624")
    if group.is_negated and group.logic is not around:
        # "None of a, b" is "not a and not b".
        return tuple(replace(child, is_negated=not child.is_negated) for child in group.children)
    return (group,)


_MERGING: dict[str, Logic | None] = {"off": None, "and": Logic.ALL, "or": Logic.ANY}


def read_merging(context: DirectiveContext, word: str) -> None:
    """`AuthMerging Off|And|Or`.

    Raises:
        DirectiveError: none of the three words.
    """
    if word.lower() not in _MERGING:
        raise DirectiveError("AuthMerging must be one of: Off | And | Or", alone=True)
    context.add(AuthzCoreDir, "policy", _Merging(_MERGING[word.lower()]), _together)


def read_provider_alias(context: DirectiveContext, raw: str) -> None:
    """`<AuthzProviderAlias base alias arguments>`: a provider with fixed arguments and settings of its own.

    Raises:
        DirectiveError: a name is missing, or the base provider refuses the arguments.
    """
    base, rest = cut_word(raw)
    alias, rest = cut_word(rest)
    arguments, ignored = cut_word(rest)
    if not base or not alias:
        raise DirectiveError("<AuthzProviderAlias> directive requires additional arguments", alone=True)
    if ignored:
        context.warn(
            f"When several arguments ({arguments} {ignored}...) are passed to a <AuthzProviderAlias directive, they must be "
            "enclosed in quotation marks.  Otherwise, only the first one is taken into account",
            "AH10142",
        )
    settings = context.read_apart()
    provider = _provider(context, base)
    try:
        check = provider(context, arguments)
    except DirectiveError as error:
        raise DirectiveError(f"Can't parse 'Require {base} {arguments}': {error.message}", alone=True) from error
    context.providers.register("authz", alias, _alias(check, settings))


def _alias(check: AuthzCheck, settings: Any) -> AuthzProvider:
    def judged_apart(r: Request) -> AuthzResult:
        with settings_of(r, settings):
            return check(r)

    def provide(context: DirectiveContext, arguments: str) -> AuthzCheck:
        return judged_apart

    return provide
