r"""mod_setenvif -- variables set by what a request looks like: SetEnvIf, SetEnvIfNoCase, BrowserMatch, SetEnvIfExpr.

Rules of the server run when the head was read, those of directories when all sections are known. They run in order, and what
one sets the next may look at. Source: Apache manual, mod_setenvif; the finer points were read off 2.4.71.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coachwhip.api import (
    DECLINED,
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Request,
    Result,
    Where,
    append,
    phases,
    setting,
)
from coachwhip.expr import EvaluationError, ExprError, Expression, octets, parse
from coachwhip.util.patterns import Pattern, PatternError
from coachwhip.util.words import cut_field, cut_word

__all__ = ["MODULE", "Rule", "SetEnvIfDir", "SetEnvIfServer"]

#: What a rule looks at; None counts as "".
Subject = Callable[[Request], "str | None"]

_PLAIN_NAME = re.compile(r"[-A-Za-z0-9_]*")
_OID = re.compile(r'OID\("[0-9.]+"\)', re.IGNORECASE)
#: Patterns without an active special character. Their groups are not filled in: `$0` stays `$0`.
_LITERAL = re.compile(r"(?:[^\\^.$|()\[\]*+?{}]|\\[\\^.$|()\[\]*+?{}])*")
_REFERENCE = re.compile(r"\\(.)|\$([0-9])", re.DOTALL)

_SPECIAL: dict[str, Subject] = {
    "remote_addr": lambda r: r.client_ip,
    "remote_host": lambda r: r.remote_host(),
    "server_addr": lambda r: r.local_ip,
    "request_uri": lambda r: octets(r.uri),
    "request_method": lambda r: r.method,
    "request_protocol": lambda r: r.protocol,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: a pattern on a subject, or a condition; and what it sets."""

    #: The attribute in lower case.
    name: str
    #: The same object for one attribute of one section. Neighbours look once, so the later does not see what the earlier set.
    look: object
    subject: Subject
    pattern: Pattern | None
    condition: Expression | None
    #: (variable, value as written), value None to unset.
    sets: tuple[tuple[str, str | None], ...]
    #: `$1` in values stands for a group.
    fills: bool = True


@dataclass(frozen=True, slots=True)
class SetEnvIfServer:
    """Rules at server level, the main server's before a virtual host's."""

    rules: tuple[Rule, ...] = setting((), fold=append)


@dataclass(frozen=True, slots=True)
class SetEnvIfDir:
    """Rules of directories, outermost first."""

    dir_rules: tuple[Rule, ...] = setting((), fold=append)


def _place(context: DirectiveContext) -> tuple[type[Any], str]:
    return (SetEnvIfServer, "rules") if context.at_server_level else (SetEnvIfDir, "dir_rules")


def _add(context: DirectiveContext, rule: Rule) -> None:
    context.add(*_place(context), (rule,), _together)


def _together(lines: Sequence[tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """The rules of one section; those for one attribute look at it together."""
    rules = tuple(itertools.chain.from_iterable(lines))
    looks = {rule.name: rule.look for rule in reversed(rules)}
    return tuple(replace(rule, look=looks[rule.name]) if rule.name else rule for rule in rules)


def _missing(context: DirectiveContext, what: str) -> DirectiveError:
    return DirectiveError(f"Missing {what} for {context.directive}", alone=True)


def _read_sets(context: DirectiveContext, text: str) -> tuple[tuple[str, str | None], ...]:
    """`name`, `name=value` and `!name`; a value that begins with `!` unsets too."""
    sets: list[tuple[str, str | None]] = []
    word, text = cut_word(text)
    while word:
        name, value = cut_field(octets(word), "=")
        if not value:
            sets.append((name[1:], None) if name.startswith("!") else (name, "1"))
        else:
            sets.append((name, None if value.startswith("!") else value))
        word, text = cut_word(text)
    if not sets:
        raise _missing(context, "envariable expression")
    return tuple(sets)


def _compile(context: DirectiveContext, pattern: str, what: str, *, no_case: bool) -> Pattern:
    try:
        return Pattern(pattern, ignorecase=no_case)
    except PatternError as error:
        raise DirectiveError(f"{context.directive}{what} could not be compiled.", alone=True) from error


def _subject(context: DirectiveContext, name: str, *, no_case: bool) -> Subject:
    special = _SPECIAL.get(name.lower())
    if special is not None:
        return special
    if _OID.fullmatch(name):
        return lambda r: None
    if not _PLAIN_NAME.fullmatch(name):
        pattern = _compile(context, name, "Header name regex", no_case=no_case)
        return lambda r: _field_like(r, pattern)
    return lambda r: value if (value := r.headers_in.get(name)) is not None else r.env.get(name)


def _field_like(r: Request, names: Pattern) -> str | None:
    """The value of the last field whose name matches."""
    found = [value for name, value in r.headers_in.items() if names.match(name, charset="latin-1")]
    return found[-1] if found else None


def _read_rule(context: DirectiveContext, name: str, text: str, *, no_case: bool) -> None:
    pattern, rest = cut_word(text)
    if not pattern:
        raise _missing(context, "regular expression")
    subject = _subject(context, name, no_case=no_case)
    compiled = _compile(context, pattern, " regex", no_case=no_case)
    fills = not _LITERAL.fullmatch(pattern)
    _add(context, Rule(name.lower(), object(), subject, compiled, None, _read_sets(context, rest), fills))


def _read_set_env_if(*, no_case: bool) -> Callable[[DirectiveContext, str], None]:
    def read(context: DirectiveContext, raw: str) -> None:
        name, rest = cut_word(raw)
        if not name:
            raise _missing(context, "header-field name")
        _read_rule(context, name, rest, no_case=no_case)

    return read


def _read_browser_match(*, no_case: bool) -> Callable[[DirectiveContext, str], None]:
    def read(context: DirectiveContext, raw: str) -> None:
        _read_rule(context, "User-Agent", raw, no_case=no_case)

    return read


def _read_expr(context: DirectiveContext, raw: str) -> None:
    text, rest = cut_word(raw)
    if not text:
        raise _missing(context, "expression")
    try:
        condition = parse(text, restricted=context.in_htaccess)
    except ExprError as error:
        raise DirectiveError(f'Could not parse expression "{text}": {error.message}', alone=True) from error
    _add(context, Rule("", None, lambda r: None, None, condition, _read_sets(context, rest)))


MODULE = Module(
    "setenvif_module",
    "mod_setenvif.c",
    dir_config=SetEnvIfDir,
    server_config=SetEnvIfServer,
    replayable=True,
    directives=(
        Directive("SetEnvIf", Args.RAW, Where.FILEINFO, value=_read_set_env_if(no_case=False),
                  help="A header-name, regex and a list of variables."),
        Directive("SetEnvIfNoCase", Args.RAW, Where.FILEINFO, value=_read_set_env_if(no_case=True),
                  help="a header-name, regex and a list of variables."),
        Directive("SetEnvIfExpr", Args.RAW, Where.FILEINFO, value=_read_expr, help="an expression and a list of variables."),
        Directive("BrowserMatch", Args.RAW, Where.FILEINFO, value=_read_browser_match(no_case=False),
                  help="A browser regex and a list of variables."),
        Directive("BrowserMatchNoCase", Args.RAW, Where.FILEINFO, value=_read_browser_match(no_case=True),
                  help="A browser regex and a list of variables."),
    ),
)  # fmt: skip
LOG = MODULE.log


@MODULE.hook(phases.post_read_request, acts=lambda server, settings: bool(server.config(SetEnvIfServer).rules))
def match_server_rules(r: Request) -> Result:
    """The server's rules, before the URL is looked at: `Request_URI` is still encoded."""
    _apply(r, r.server.config(SetEnvIfServer).rules)
    return DECLINED


@MODULE.hook(phases.header_parser, acts=lambda server, settings: bool(settings.get(SetEnvIfDir).dir_rules))
def match_directory_rules(r: Request) -> Result:
    """The rules of the sections that apply."""
    _apply(r, r.config(SetEnvIfDir).dir_rules)
    return DECLINED


def _apply(r: Request, rules: tuple[Rule, ...]) -> None:
    if not rules:
        return
    scope: Any = None
    look: object = None
    value = ""
    groups: tuple[str, ...] = ()
    for rule in rules:
        if rule.condition is not None:
            scope = scope or r.expr_scope()
            matched = _holds(r, rule.condition, scope)
            groups = scope.captures() or groups
        else:
            if rule.look is not look:
                look, value = rule.look, rule.subject(r) or ""
            found = rule.pattern.match(value, charset="latin-1") if rule.pattern is not None else None
            matched = found is not None
            if found is not None and rule.fills:
                groups = tuple(group or "" for group in found.groups())
        if matched:
            _set(r, rule, groups)


def _holds(r: Request, condition: Expression, scope: Any) -> bool:
    try:
        return condition.test(scope)
    except EvaluationError as error:
        LOG.error(r, "", "Evaluation of expression %s failed: %s", condition.source, error)
        return False


def _set(r: Request, rule: Rule, groups: tuple[str, ...]) -> None:
    for name, value in rule.sets:
        if value is None:
            r.env.pop(name, None)
        else:
            r.env[name] = _filled(value, groups) if rule.fills else value
        LOG.trace(2, r, "", "Setting %s", name)


def _filled(template: str, groups: tuple[str, ...]) -> str:
    """`$0` to `$9` by groups, "" for one that took no part; a backslash takes the meaning off what follows it."""

    def fill(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        number = int(found[2])
        return groups[number] if number < len(groups) else ""

    return _REFERENCE.sub(fill, template)
