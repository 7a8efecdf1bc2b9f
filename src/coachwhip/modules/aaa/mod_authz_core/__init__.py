"""mod_authz_core -- `Require` and its containers: may this request, may this user?

The requirements are judged twice: by `access_checker_ex`, which may decide without knowing the user, and, if it could not, by
`auth_checker` when `check_user_id` has found out. Source: Apache manual, mod_authz_core.
"""

from __future__ import annotations

from coachwhip.api import DECLINED, OK, Args, Directive, Level, Module, Order, Request, Result, Where, phases
from coachwhip.api.auth import AuthzResult, auth_type, note_auth_failure
from coachwhip.modules.aaa.mod_authz_core import providers
from coachwhip.modules.aaa.mod_authz_core.reading import read_container, read_merging, read_provider_alias, read_require
from coachwhip.modules.aaa.mod_authz_core.requirements import GRANTED, AuthzCoreDir, Group, Logic, answers_alike, judge

__all__ = ["MODULE", "AuthzCoreDir"]

MODULE = Module(
    "authz_core_module",
    "mod_authz_core.c",
    dir_config=AuthzCoreDir,
    replayable=True,
    directives=(
        Directive("Require", Args.RAW, Where.AUTHCONFIG, value=read_require,
                  help="specifies authorization directives which one must pass (or not) for a request to suceeed"),
        Directive("RequireAll", Args.RAW, Where.AUTHCONFIG, value=read_container(Logic.ALL), section=True,
                  help="container for grouping authorization directives of which none must fail and at least one must pass "
                       "for a request to succeed"),
        Directive("RequireAny", Args.RAW, Where.AUTHCONFIG, value=read_container(Logic.ANY), section=True,
                  help="container for grouping authorization directives of which one must pass for a request to succeed"),
        Directive("RequireNone", Args.RAW, Where.AUTHCONFIG, value=read_container(Logic.ANY, is_negated=True), section=True,
                  help="container for grouping authorization directives of which none must pass for a request to succeed"),
        Directive("AuthMerging", Args.ONE, Where.AUTHCONFIG, value=read_merging,
                  help="controls how a <Directory>, <Location>, or similar directive's authorization directives are combined "
                       "with those of its predecessor"),
        Directive("AuthzProviderAlias", Args.RAW, Where.SERVER, value=read_provider_alias, section=True, global_only=True,
                  help="container for grouping an authorization provider's directives under a provider alias"),
        Directive("AuthzSendForbiddenOnFailure", Args.FLAG, Where.AUTHCONFIG, sets="send_forbidden",
                  help="Controls if an authorization failure should result in a '403 FORBIDDEN' response instead of the "
                       "HTTP-conforming '401 UNAUTHORIZED'"),
    ),
)  # fmt: skip
LOG = MODULE.log

MODULE.provider("authz", "all")(providers.require_all)
MODULE.provider("authz", "env")(providers.require_env)
MODULE.provider("authz", "expr")(providers.require_expr)
MODULE.provider("authz", "method")(providers.require_method)


@MODULE.hook(phases.access_checker_ex, Order.LAST)
def authorize_anybody(r: Request) -> Result:
    """Grant or refuse without a user, or DECLINED: find out who it is, then ask again."""
    return _authorize(r, is_known=False)


@MODULE.hook(phases.auth_checker, Order.LAST)
def authorize_user(r: Request) -> Result:
    """Grant or refuse now that authentication has done what it could."""
    return _authorize(r, is_known=True)


def _authorize(r: Request, *, is_known: bool) -> Result:
    if r.dir_settings.derived.get(judge) is GRANTED and r.record.steps is None:
        # What `_judge` has found, for everybody.
        return OK
    conf = r.config(AuthzCoreDir)
    if conf.policy.root is None:
        if auth_type(r) is not None:
            LOG.error(r, "AH01627", "AuthType configured with no corresponding authorization directives")
            return 500
        LOG.debug(r, "AH01628", "authorization result: granted (no directives)")
        return OK
    answer = _judge(r, conf.policy.root)
    if answer is GRANTED:
        return OK
    if answer is AuthzResult.ERROR:
        return 500
    if answer is AuthzResult.DENIED_NO_USER:
        return _nobody(r) if is_known else DECLINED
    return _refuse(r, is_known=is_known, status=403 if conf.send_forbidden else 401)


def _judge(r: Request, root: Group) -> AuthzResult:
    """As `judge`; what is the same for all requests under these settings is judged once, unless somebody wants to know how it went."""
    derived = r.dir_settings.derived
    known: AuthzResult | None = derived.get(judge)
    if known is not None and r.record.steps is None:
        return known
    # The level of the log follows from the same settings.
    log = LOG if LOG.is_on(Level.DEBUG, r) else None
    answer = judge(r, root, log)
    if log is None and answers_alike(root):
        derived[judge] = answer
    return answer


def _nobody(r: Request) -> int:
    LOG.error(r, "AH01629", "authorization failure (no authenticated user): %s", r.uri)
    note_auth_failure(r)
    return 401


def _refuse(r: Request, *, is_known: bool, status: int) -> int:
    """403 to whom no password could help, else `status`."""
    if not is_known or auth_type(r) is None:
        where = f"uri {r.uri}" if r.filename is None else r.filename
        LOG.error(r, "AH01630", "client denied by server configuration: %s", where)
        return 403
    LOG.error(r, "AH01631", 'user %s: authorization failure for "%s": ', r.user, r.uri)
    if status == 401:
        note_auth_failure(r)
    return status
