"""What `Require` knows without any other module: `all`, `env`, `method` and `expr`.

Each reads its arguments once and makes the check. Source: Apache manual, mod_authz_core, "The Require Directives".
"""

from __future__ import annotations

from coachwhip.api import DirectiveContext, DirectiveError, ModuleLog, Request
from coachwhip.api.auth import AuthzCheck, AuthzResult
from coachwhip.expr import EvaluationError, octets
from coachwhip.modules.aaa.mod_authz_core.requirements import Always
from coachwhip.modules.aaa.requireline import read_require_line
from coachwhip.util.words import cut_words

__all__ = ["KNOWN_METHODS", "require_all", "require_env", "require_expr", "require_method"]

LOG = ModuleLog("authz_core")

#: The methods that httpd numbers; others become known by `RegisterHttpMethod`.
KNOWN_METHODS = frozenset((
    "GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
    "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE",
    "MKACTIVITY", "BASELINE-CONTROL", "MERGE",
))  # fmt: skip


def _granted(is_so: bool) -> AuthzResult:
    return AuthzResult.GRANTED if is_so else AuthzResult.DENIED


def require_all(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require all granted|denied`."""
    word = arguments.lower()
    if word not in ("granted", "denied"):
        raise DirectiveError("Argument for 'Require all' must be 'granted' or 'denied'", alone=True)
    return Always(_granted(word == "granted"))


def require_env(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require env NAME …`: one of the variables is set. Names compare without case, as in all of Apache's tables."""
    names = [octets(name) for name in cut_words(arguments)]
    return lambda r: _granted(any(name in r.env for name in names))


def require_method(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require method GET …`; GET and HEAD are the same."""
    names = cut_words(arguments)
    for name in names:
        if name not in KNOWN_METHODS:
            raise DirectiveError(f"Invalid Method '{name}'", alone=True)
    methods = frozenset(names) | ({"GET", "HEAD"} if {"GET", "HEAD"} & set(names) else set())
    return lambda r: _granted(r.method in methods)


def require_expr(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require expr CONDITION`: asked again after authentication if it speaks of the user."""
    if len(arguments) > 1 and arguments.startswith('"') and arguments.endswith('"'):
        arguments = arguments[1:-1]
    condition = read_require_line(context, arguments, is_condition=True)
    otherwise = AuthzResult.DENIED_NO_USER if "REMOTE_USER" in condition.variables else AuthzResult.DENIED

    def check(r: Request) -> AuthzResult:
        try:
            return AuthzResult.GRANTED if condition.test(r.expr_scope()) else otherwise
        except EvaluationError as error:
            LOG.error(r, "AH02320", "Error evaluating expression in 'Require expr': %s", error)
            return AuthzResult.ERROR

    return check
