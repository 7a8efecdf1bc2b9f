"""One `Alias` or `Redirect` line, and what it makes of a URL path.

Pure: rules and text in, a file path or a URL out. A plain rule matches whole path segments, a pattern anything.
Source: Apache manual, mod_alias.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from coachwhip.modules.mappers.mod_alias.targets import escape_target
from coachwhip.util.escapes import escape_path
from coachwhip.util.patterns import Pattern, substitute

__all__ = ["AliasExpression", "Found", "RedirectExpression", "Rule", "find", "match_prefix", "octets"]


def octets(text: str) -> bytes:
    """The bytes of a path."""
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Rule:
    """A prefix (`fake`) or a `pattern`, and what stands for it (`real`; None for a redirect to nowhere, such as 410)."""

    fake: str
    real: str | None
    pattern: Pattern | None = None
    #: Redirects: the status.
    status: int = 0
    #: Aliases: the handler of `ScriptAlias`.
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class RedirectExpression:
    """`Redirect` with an expression for its URL, inside a section."""

    status: int
    #: An `expr.Expression`, or None for a status without a target.
    target: Any = None


@dataclass(frozen=True, slots=True)
class AliasExpression:
    """`Alias` or `ScriptAlias` with an expression for its path, inside `<Location>`."""

    path: Any
    #: The path of the `<Location>`.
    fake: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that matched, and its result: a file path, or the bytes of a URL."""

    rule: Rule
    path: str = ""
    url: bytes = b""


def match_prefix(path: str, fake: str) -> int:
    """How many characters of `path` the prefix `fake` covers; 0 if it does not match.

    Runs of slashes are equal to one another, and the prefix ends where a segment does.
    """
    if "//" not in path and "//" not in fake:
        is_covered = path.startswith(fake) and (fake.endswith("/") or path[len(fake) : len(fake) + 1] in ("", "/"))
        return len(fake) if is_covered else 0
    at = i = 0
    while i < len(fake):
        if path[at : at + 1] != fake[i]:
            return 0
        is_slash = fake[i] == "/"
        at += 1
        i += 1
        while is_slash and fake[i : i + 1] == "/":
            i += 1
        while is_slash and path[at : at + 1] == "/":
            at += 1
    if not fake.endswith("/") and path[at : at + 1] not in ("", "/"):
        return 0
    return at


def find(rules: Iterable[Rule], path: str, *, is_redirect: bool) -> Found | None:
    """The first rule that matches, with its result. Raises PatternLimit."""
    for rule in rules:
        if rule.pattern is not None:
            found = rule.pattern.match(path)
            if found is None:
                continue
            text = "" if rule.real is None else substitute(rule.real, found)
            return Found(rule, url=escape_target(octets(text))) if is_redirect else Found(rule, path=text)
        covered = match_prefix(path, rule.fake)
        if covered:
            rest = path[covered:]
            if is_redirect:
                return Found(rule, url=octets(rule.real or "") + escape_path(octets(rest)))
            return Found(rule, path=(rule.real or "") + rest)
    return None
