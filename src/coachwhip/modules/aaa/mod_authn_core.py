"""mod_authn_core -- AuthType and AuthName, and aliases of authentication providers.

It does not authenticate anybody: it says to the others what is configured, and ends `check_user_id` if nobody took the request.
Source: Apache manual, mod_authn_core.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coachwhip.api import Args, Directive, DirectiveContext, DirectiveError, Module, Order, Outcome, Request, Result, Where, phases
from coachwhip.api.auth import AuthnProvider, AuthnResult, auth_type, settings_of
from coachwhip.expr import EvaluationError, ExprError, Expression, parse
from coachwhip.util.words import cut_word

__all__ = ["MODULE", "AuthnCoreDir"]


@dataclass(frozen=True, slots=True)
class AuthnCoreDir:
    """What this directory says, after all enclosing sections were folded together."""

    #: String templates; None if there is no such directive.
    type: Expression | None = None
    name: Expression | None = None


def _template(context: DirectiveContext, text: str) -> Expression:
    try:
        return parse(text, string=True, restricted=context.in_htaccess)
    except ExprError as error:
        raise DirectiveError(f"Cannot parse expression '{text}' in {context.directive}: {error.message}", alone=True) from error


class _Alias:
    """A provider that asks another one under the settings of its own section."""

    def __init__(self, base: AuthnProvider, settings: Any) -> None:
        self._base = base
        self._settings = settings

    def check_password(self, r: Request, user: str, password: str) -> AuthnResult:
        """As the base provider."""
        with settings_of(r, self._settings):
            return self._base.check_password(r, user, password)


class _RealmAlias(_Alias):
    """The same for a provider that has realm hashes."""

    def realm_hash(self, r: Request, user: str, realm: str) -> str | AuthnResult:
        """As the base provider."""
        with settings_of(r, self._settings):
            return self._base.realm_hash(r, user, realm)


def _read_alias(context: DirectiveContext, raw: str) -> None:
    base, rest = cut_word(raw)
    alias, _ = cut_word(rest)
    if not base or not alias:
        raise DirectiveError("<AuthnProviderAlias> directive requires additional arguments", alone=True)
    if base.lower() == alias.lower():
        raise DirectiveError("The alias provider name must be different from the base provider name.", alone=True)
    if context.providers.get("authn", alias) is not None:
        text = "has already be registered previously as either a base provider or an alias provider."
        raise DirectiveError(f"The alias provider {alias} {text}", alone=True)
    settings = context.read_apart()
    provider = context.providers.get("authn", base)
    if provider is None:
        raise DirectiveError(f"Unknown Authn provider: {base}", alone=True)
    kind = _RealmAlias if hasattr(provider, "realm_hash") else _Alias
    context.providers.register("authn", alias, kind(provider, settings))


MODULE = Module(
    "authn_core_module",
    "mod_authn_core.c",
    dir_config=AuthnCoreDir,
    replayable=True,
    directives=(
        Directive("AuthType", Args.ONE, Where.AUTHCONFIG, sets="type", value=_template,
                  help='an HTTP authorization type (e.g., "Basic")'),
        Directive("AuthName", Args.ONE, Where.AUTHCONFIG, sets="name", value=_template,
                  help='the authentication realm (e.g. "Members Only")'),
        Directive("AuthnProviderAlias", Args.RAW, Where.SERVER, value=_read_alias, section=True, global_only=True,
                  help="container for grouping an authentication provider's directives under a provider alias"),
    ),
)  # fmt: skip
LOG = MODULE.log


@MODULE.provider("auth_type", "auth_type")
def configured_type(r: Request) -> str | None:
    """`AuthType`, evaluated; None for `None`."""
    template = r.config(AuthnCoreDir).type
    if template is None:
        return None
    try:
        text = template.text(r.expr_scope())
    except EvaluationError as error:
        LOG.error(r, "AH02834", "AuthType expression could not be evaluated: %s", error)
        return None
    return None if text.lower() == "none" else text


@MODULE.provider("auth_name", "auth_name")
def configured_name(r: Request) -> str | None:
    """`AuthName`, evaluated, its quotes escaped."""
    template = r.config(AuthnCoreDir).name
    if template is None:
        return None
    try:
        return escape_quotes(template.text(r.expr_scope()))
    except EvaluationError as error:
        LOG.error(r, "AH02835", "AuthName expression could not be evaluated: %s", error)
        return None


def escape_quotes(text: str) -> str:
    """A backslash before every quote that has none; what is escaped already stays."""
    out: list[str] = []
    escaped = False
    for char in text:
        if char == '"' and not escaped:
            out.append("\\")
        escaped = char == "\\" and not escaped
        out.append(char)
    return "".join(out)


@MODULE.hook(phases.check_user_id, Order.LAST)
def nobody_authenticated(r: Request) -> Result:
    """`AuthType` names what no module answers for; without one the pipeline says that nobody can be asked."""
    configured = auth_type(r)
    if configured is None:
        return Outcome.DECLINED
    LOG.error(r, "AH01796", "AuthType %s configured without corresponding module", configured)
    return 500
