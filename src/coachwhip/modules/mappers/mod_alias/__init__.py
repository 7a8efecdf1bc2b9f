"""mod_alias -- URL paths that lie elsewhere on disk, and URLs that lie elsewhere on the web.

Server-wide lines act in `translate_name` (redirects before aliases), those of sections and `.htaccess` in `fixups`. Inside
`<Location>` the target is an expression. `ScriptAlias` names the handler `cgi-script`; running scripts is another module's work.
Source: Apache manual, mod_alias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coachwhip.api import (
    DECLINED,
    OK,
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Request,
    Result,
    Server,
    Settings,
    Where,
    phases,
    prepend,
    setting,
)
from coachwhip.expr import EvaluationError, ExprError, Expression, parse, unoctets
from coachwhip.modules.mappers.mod_alias.rules import (
    AliasExpression,
    Found,
    RedirectExpression,
    Rule,
    find,
    match_prefix,
    octets,
)
from coachwhip.modules.mappers.mod_alias.targets import escape_target, is_url
from coachwhip.util.paths import normalize_path
from coachwhip.util.patterns import Pattern, PatternError

__all__ = ["MODULE", "AliasDir", "AliasServer"]

SCRIPT_HANDLER = "cgi-script"
_STATUS_WORDS = {"gone": 410, "permanent": 301, "temp": 302, "seeother": 303}


@dataclass(frozen=True, slots=True)
class AliasServer:
    """What this server says; a virtual host's lines come before the main server's."""

    aliases: tuple[Rule, ...] = setting((), fold=prepend)
    redirects: tuple[Rule, ...] = setting((), fold=prepend)


@dataclass(frozen=True, slots=True)
class AliasDir:
    """What this directory says; an inner section's lines come before the enclosing ones."""

    redirects: tuple[Rule, ...] = setting((), fold=prepend)
    redirect: RedirectExpression | None = None
    alias: AliasExpression | None = None
    #: Send a target without a host as it is.
    is_relative: bool = False
    preserve_path: bool = False


def _refuse(message: str) -> DirectiveError:
    return DirectiveError(message, alone=True)


def _pattern(text: str) -> Pattern:
    try:
        return Pattern(text)
    except PatternError:
        raise _refuse("Regular expression could not be compiled.") from None


def _expression(context: DirectiveContext, what: str, text: str) -> Expression:
    try:
        return parse(text, string=True, restricted=context.in_htaccess)
    except ExprError as error:
        raise _refuse(f"Cannot parse {what} expression '{text}': {error}") from None


# -- Alias and its kin

_NOT_IN = (("Directory", "DirectoryMatch"), ("Files", "FilesMatch", "If", "ElseIf", "Else"))


def _alias(context: DirectiveContext, first: str, second: str | None = None, *, handler: str | None = None) -> None:
    """Two words at server level, one inside `<Location>`."""
    if second is not None:
        if not context.at_server_level:
            raise _refuse(f"{context.directive} cannot occur within directory context")
        _add_alias(context, Rule(first, second, handler=handler))
        return
    for names in _NOT_IN:
        found = next((name for name in context.enclosing if name.lower() in map(str.lower, names)), None)
        if found is not None:
            raise _refuse(f"{context.directive} cannot occur within <{found}> section")
    if context.at_server_level:
        raise _refuse("Alias must have two arguments when used globally")
    expression = _expression(context, "alias", first)
    context.set(AliasDir, "alias", AliasExpression(expression, context.path or "", handler))


def _alias_match(context: DirectiveContext, pattern: str, real: str, *, handler: str | None = None) -> None:
    _add_alias(context, Rule(pattern, real, pattern=_pattern(pattern), handler=handler))


def _add_alias(context: DirectiveContext, rule: Rule) -> None:
    before: tuple[Rule, ...] = context.value_of(AliasServer, "aliases") or ()
    earlier = next((other for other in before if rule.pattern is None and _hides(other, rule.fake)), None)
    if earlier is not None:
        kind = f"{'Script' if earlier.handler else ''}Alias{'Match' if earlier.pattern else ''}"
        context.warn(
            f"The {context.directive} directive in {context.location.file} at line {context.location.line} "
            f"will probably never match because it overlaps an earlier {kind}.",
            "AH00671",
        )
    context.set(AliasServer, "aliases", (*before, rule))


def _hides(other: Rule, fake: str) -> bool:
    if other.pattern is not None:
        return other.pattern.match(fake) is not None
    return match_prefix(fake, other.fake) > 0


def _script_alias(context: DirectiveContext, first: str, second: str | None = None) -> None:
    _alias(context, first, second, handler=SCRIPT_HANDLER)


def _script_alias_match(context: DirectiveContext, pattern: str, real: str) -> None:
    _alias_match(context, pattern, real, handler=SCRIPT_HANDLER)


# -- Redirect and its kin


def _status_of(word: str) -> int | None:
    """The status that a first word names, or None if it is none."""
    known = _STATUS_WORDS.get(word.lower())
    if known is not None:
        return known
    if word[:1] not in tuple("0123456789"):
        return None
    digits = word[: len(word) - len(word.lstrip("0123456789"))]
    return int(digits) if len(digits) <= 9 else 0


def _redirect(context: DirectiveContext, *words: str, status: int = 302, by_pattern: bool = False) -> None:
    """`[status] path URL`, `status path`, and inside a section `[status] expression` or `status`."""
    named = _status_of(words[0])
    if len(words) == 3 and named is None:
        raise _refuse("Redirect: invalid first argument (of three)")
    status = status if named is None else named
    rest = words if named is None else words[1:]
    is_redirect = 300 <= status < 400
    is_expression = not context.at_server_level and (len(rest) == 0 or (len(rest) == 1 and is_redirect))
    fake = rest[0] if rest else ""
    url = rest[1] if len(rest) > 1 else None
    if is_expression:
        _check_target(status, rest[0] if rest else None, is_path=False)
        expression = _expression(context, "redirect", rest[0]) if rest else None
        context.set(AliasDir, "redirect", RedirectExpression(status, expression))
        return
    pattern = _pattern(fake) if by_pattern else None
    _check_target(status, url, is_path=not by_pattern)
    if not rest:
        # Apache takes the line, and every request then ends in a crash of its worker.
        raise _refuse(f"{context.directive} with a status alone needs a path here, or a section around it")
    config: type[Any] = AliasServer if context.at_server_level else AliasDir
    context.add(config, "redirects", (Rule(fake, url, pattern=pattern, status=status),))


def _check_target(status: int, url: str | None, *, is_path: bool) -> None:
    if 300 <= status < 400:
        if url is None:
            raise _refuse("URL to redirect to is missing")
        if is_path and not url.startswith("/") and not is_url(octets(url)):
            raise _refuse("Redirect to non-URL")
    elif url is not None:
        raise _refuse("Redirect URL not valid for this status")


def _redirect_match(context: DirectiveContext, *words: str) -> None:
    _redirect(context, *words, by_pattern=True)


def _redirect_permanent(context: DirectiveContext, *words: str) -> None:
    _redirect(context, *words, status=301)


_IN_PLACES = Where.SERVER | Where.SECTION
_NAMES = "a fakename and a realname, or a realname in a Location"
_PATTERN_NAMES = "a regular expression and a filename"
_SHORT = "a document to be redirected, then the destination URL"

MODULE = Module(
    "alias_module",
    "mod_alias.c",
    dir_config=AliasDir,
    server_config=AliasServer,
    replayable=True,
    directives=(
        Directive("Alias", Args.ONE_OR_TWO, _IN_PLACES, value=_alias, help=_NAMES),
        Directive("ScriptAlias", Args.ONE_OR_TWO, _IN_PLACES, value=_script_alias, help=_NAMES),
        Directive(
            "Redirect",
            Args.ONE_TO_THREE,
            Where.FILEINFO,
            value=_redirect,
            help="an optional status, then document to be redirected and destination URL",
            differs="A status alone, outside every section, is refused; Apache accepts it and crashes.",
        ),
        Directive("AliasMatch", Args.TWO, Where.SERVER, value=_alias_match, help=_PATTERN_NAMES),
        Directive("ScriptAliasMatch", Args.TWO, Where.SERVER, value=_script_alias_match, help=_PATTERN_NAMES),
        Directive(
            "RedirectMatch",
            Args.TWO_OR_THREE,
            Where.FILEINFO,
            value=_redirect_match,
            help="an optional status, then a regular expression and destination URL",
        ),
        Directive("RedirectTemp", Args.TWO, Where.FILEINFO, value=_redirect, help=_SHORT),
        Directive("RedirectPermanent", Args.TWO, Where.FILEINFO, value=_redirect_permanent, help=_SHORT),
        Directive(
            "RedirectRelative",
            Args.FLAG,
            Where.FILEINFO,
            sets="is_relative",
            help="Set to ON to allow relative redirect targets to be issued as-is",
        ),
        Directive(
            "AliasPreservePath",
            Args.FLAG,
            Where.FILEINFO,
            sets="preserve_path",
            help="Keep the path behind that of the enclosing Location",
        ),
    ),
)
LOG = MODULE.log


# -- requests


def _maps_urls(server: Server, settings: Settings) -> bool:
    said, here = server.config(AliasServer), settings.get(AliasDir)
    return bool(said.aliases or said.redirects) or here.alias is not None or here.redirect is not None


def _maps_alike(server: Server, settings: Settings, name: str) -> bool:
    """Whether a file of this name goes where its folder goes: a prefix is that of both, unless it names the file."""
    said, here = server.config(AliasServer), settings.get(AliasDir)
    rules = (*said.aliases, *said.redirects)
    names_it = any(rule.pattern is not None or rule.fake.rpartition("/")[2] == name for rule in rules)
    return not names_it and here.alias is None and here.redirect is None


@MODULE.hook(phases.translate_name, acts=_maps_urls, in_place=_maps_alike, before=("mod_userdir.c", "mod_vhost_alias.c"))
def translate(r: Request) -> Result:
    """Server-wide redirects, then aliases."""
    if r.uri and not r.uri.startswith("/"):
        return DECLINED
    server = r.server.config(AliasServer)
    answer = _answer_redirect(r, server.redirects, ("AH00673", "AH00674"))
    if answer is not DECLINED:
        return answer
    answer = _by_expression(r)
    if answer is not DECLINED:
        return answer
    found = find(server.aliases, r.uri, is_redirect=False)
    if found is None:
        return DECLINED
    if found.rule.pattern is None:
        _note_context(r, found.rule.fake, found.rule.real or "")
    return _map_to(r, found.path, found.rule.handler)


def _redirects(server: Server, settings: Settings) -> bool:
    here = settings.get(AliasDir)
    return bool(here.redirects) or here.redirect is not None


@MODULE.hook(phases.fixups, by_extension=True, acts=_redirects)
def redirect_here(r: Request) -> Result:
    """Redirects of sections and `.htaccess` files."""
    return _answer_redirect(r, r.config(AliasDir).redirects, ("AH00675", "AH00676"))


def _by_expression(r: Request) -> Result:
    conf = r.config(AliasDir)
    if conf.alias is None:
        return DECLINED
    try:
        path = unoctets(conf.alias.path.text(r.expr_scope()))
    except EvaluationError as error:
        LOG.error(r, "AH02825", "Can't evaluate alias expression: %s", error)
        return 500
    covered = match_prefix(r.uri, conf.alias.fake) if conf.preserve_path else 0
    if covered:
        _note_context(r, conf.alias.fake, path)
        path += r.uri[covered:]
    return _map_to(r, path, conf.alias.handler)


def _note_context(r: Request, prefix: str, folder: str) -> None:
    """For CONTEXT_PREFIX and CONTEXT_DOCUMENT_ROOT."""
    r.context_prefix, r.context_document_root = prefix, folder


def _map_to(r: Request, path: str, handler: str | None) -> Result:
    if handler is not None:
        r.handler = handler
        r.notes["alias-forced-type"] = handler
    if not path.startswith("/"):
        path = f"{r.engine.startup.server_root.rstrip('/')}/{path}"
    r.filename = normalize_path(octets(path), decode_unreserved=False).decode("utf-8", "surrogateescape")
    return OK


def _answer_redirect(r: Request, rules: tuple[Rule, ...], log_ids: tuple[str, str]) -> Result:
    """The redirect of this section's expression, or of the first rule that matches."""
    expression = r.config(AliasDir).redirect
    found: Found | None
    if expression is None:
        found = find(rules, r.uri, is_redirect=True)
        if found is None:
            return DECLINED
        status, target = found.rule.status, found.url
    else:
        try:
            text = expression.target.text(r.expr_scope()) if expression.target is not None else ""
        except EvaluationError as error:
            LOG.error(r, "AH02826", "Can't evaluate redirect expression: %s", error)
            return 500
        status, target = expression.status, escape_target(text.encode("latin-1"))
    return _send(r, status, target.decode("latin-1"), log_ids) if 300 <= status < 400 else _valid(status)


def _valid(status: int) -> Result:
    """A number that is no status ends as Apache's error page for it does: 500."""
    return status if 100 <= status <= 599 else 500


def _send(r: Request, status: int, target: str, log_ids: tuple[str, str]) -> Result:
    if not (target.startswith("/") and r.config(AliasDir).is_relative):
        if target.startswith("/"):
            whole = r.construct_url(target)
            LOG.debug(r, log_ids[0], "incomplete redirection target of '%s' for URI '%s' modified to '%s'", target, r.uri, whole)
            target = whole
        if not is_url(target.encode("latin-1")):
            message = "cannot redirect '%s' to '%s'; target is not a valid absoluteURI or abs_path"
            LOG.error(r, log_ids[1], message, r.uri, target)
            return 500
    if r.args is not None and "?" not in target:
        target = f"{target}?{r.args}"
    return r.redirect(status, target)
