"""mod_authz_user -- `Require user` and `Require valid-user`.

Source: Apache manual, mod_authz_user.
"""

from __future__ import annotations

from coachwhip.api import DirectiveContext, Module, Request
from coachwhip.api.auth import AuthzCheck, AuthzResult
from coachwhip.expr import EvaluationError
from coachwhip.modules.aaa.requireline import read_require_line
from coachwhip.util.words import cut_words

__all__ = ["MODULE"]

MODULE = Module("authz_user_module", "mod_authz_user.c", replayable=True)
LOG = MODULE.log


@MODULE.provider("authz", "user")
def require_user(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require user NAME …`; the names may come from an expression."""
    template = read_require_line(context, arguments)

    def check(r: Request) -> AuthzResult:
        if r.user is None:
            return AuthzResult.DENIED_NO_USER
        try:
            names = cut_words(template.text(r.expr_scope()))
        except EvaluationError as error:
            LOG.error(r, "AH02594", "authz_user authorize: require user: Can't evaluate require expression: %s", error)
            return AuthzResult.DENIED
        if r.user in names:
            return AuthzResult.GRANTED
        text = "access to %s failed, reason: user '%s' does not meet 'require'ments for user to be allowed access"
        LOG.debug(r, "AH01663", text, r.uri, r.user)
        return AuthzResult.DENIED

    return check


@MODULE.provider("authz", "valid-user")
def require_valid_user(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require valid-user`: anybody who is authenticated. Arguments are not looked at."""
    return lambda r: AuthzResult.DENIED_NO_USER if r.user is None else AuthzResult.GRANTED
