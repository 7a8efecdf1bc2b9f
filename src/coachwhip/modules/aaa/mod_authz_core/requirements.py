"""The tree behind `Require` and its containers: what it consists of, how it is judged, and how sections combine theirs.

    Requirement   one `Require` line: a check, perhaps negated
    Group         `<RequireAll>`, `<RequireAny>`, `<RequireNone>`, the unwritten `<RequireAny>` around a section's own lines,
                  or what `AuthMerging` made of two sections

Nothing here reads configuration text or decides about a request's fate: `reading` builds trees, the hooks act on the answer.
Source: Apache manual, mod_authz_core, "Authorization Result States"; every rule was tried on 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from coachwhip.api import Location, ModuleLog, Request, setting
from coachwhip.api.auth import AuthzCheck, AuthzResult, Methods

__all__ = ["Always", "AuthzCoreDir", "Group", "Logic", "Node", "Policy", "Requirement", "answers_alike", "fold_policies", "judge"]

GRANTED, DENIED, NO_USER, NEUTRAL = AuthzResult.GRANTED, AuthzResult.DENIED, AuthzResult.DENIED_NO_USER, AuthzResult.NEUTRAL


class Always:
    """A check that answers the same whatever is asked."""

    __slots__ = ("_answer",)

    def __init__(self, answer: AuthzResult) -> None:
        self._answer = answer

    def __call__(self, r: Request) -> AuthzResult:
        return self._answer


class Logic(Enum):
    """How a group combines its children."""

    ALL = "All"
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One `Require` line."""

    #: As logged: provider and arguments.
    words: str
    check: AuthzCheck
    methods: Methods
    location: Location
    is_negated: bool = False

    def __str__(self) -> str:
        return f"Require not {self.words}" if self.is_negated else f"Require {self.words}"


@dataclass(frozen=True, slots=True)
class Group:
    """Several requirements taken together."""

    logic: Logic
    children: tuple[Requirement | Group, ...]
    #: The union of the children's.
    methods: Methods
    location: Location
    is_negated: bool = False
    #: Made by `AuthMerging` and not by a container.
    is_merged: bool = False

    def __str__(self) -> str:
        if self.is_merged:
            return f"AuthMerging {self.logic.value}"
        if not self.is_negated:
            return f"<Require{self.logic.value}>"
        return "<RequireNone>" if self.logic is Logic.ANY else "<RequireNotAll>"


Node = Requirement | Group


@dataclass(frozen=True, slots=True)
class Policy:
    """What one section, or several that were folded together, say about authorization."""

    root: Group | None = None
    #: `AuthMerging` of this section: And is ALL, Or is ANY, Off is None.
    merging: Logic | None = None


def fold_policies(outer: Policy, inner: Policy) -> Policy:
    """`AuthMerging`: the inner section's requirements replace the outer ones, or both stand in a new group."""
    if inner.merging is None or (outer.root is None and inner.root is None):
        return inner
    if outer.root is None or inner.root is None:
        return Policy(outer.root or inner.root, inner.merging)
    methods = outer.root.methods | inner.root.methods
    both = Group(inner.merging, (outer.root, inner.root), methods, inner.root.location, is_merged=True)
    return Policy(both, inner.merging)


@dataclass(frozen=True, slots=True)
class AuthzCoreDir:
    """What this directory says, after all enclosing sections were folded together."""

    policy: Policy = setting(Policy(), fold=fold_policies)
    #: Answer 403 instead of 401 to a known user who may not.
    send_forbidden: bool = False


def answers_alike(node: Node) -> bool:
    """Whether `judge` gives all requests the same answer."""
    if not node.methods.are_all:
        return False
    return isinstance(node.check, Always) if isinstance(node, Requirement) else all(map(answers_alike, node.children))


def judge(r: Request, node: Node, log: ModuleLog | None, within: Logic = Logic.ALL) -> AuthzResult:
    """Judge a request by a tree; `within` is the logic of the group that `node` stands in.

    `log`: who is told how it went, step by step; None if nobody wants to know.
    """
    if r.method not in node.methods:
        # A line that does not count for this method must not change the group's answer.
        answer = GRANTED if within is Logic.ALL else NEUTRAL
        if log is not None:
            log.debug(r, "AH01625", "authorization result of %s: %s (directive limited to other methods)", node, answer.value)
        return answer
    if isinstance(node, Requirement):
        answer = node.check(r)
    else:
        answer = _all_of(r, node, log) if node.logic is Logic.ALL else _any_of(r, node, log)
    if answer is AuthzResult.ERROR:
        return answer
    if node.is_negated:
        # That something does not hold is no reason to grant anything.
        answer = DENIED if answer is GRANTED else NEUTRAL
    if log is not None:
        log.debug(r, "AH01626", "authorization result of %s: %s", node, answer.value)
    if r.record.steps is not None:
        r.record.step("authorization", f"{node}: {answer.value}", node.location)
    return answer


def _all_of(r: Request, group: Group, log: ModuleLog | None) -> AuthzResult:
    answer = NEUTRAL
    for child in group.children:
        found = judge(r, child, log, Logic.ALL)
        if found is DENIED or found is AuthzResult.ERROR:
            return found
        if found is NO_USER or (answer is NEUTRAL and found is GRANTED):
            answer = found
    return answer


def _any_of(r: Request, group: Group, log: ModuleLog | None) -> AuthzResult:
    answer = NEUTRAL
    for child in group.children:
        found = judge(r, child, log, Logic.ANY)
        if found is GRANTED or found is AuthzResult.ERROR:
            return found
        if found is NO_USER or (answer is NEUTRAL and found is DENIED):
            answer = found
    return answer
