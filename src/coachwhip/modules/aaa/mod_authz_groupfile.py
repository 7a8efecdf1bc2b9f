"""mod_authz_groupfile -- `Require group` and `file-group`: groups of users in a text file.

One `group: user user …` per line; a group may have several lines. Source: Apache manual, mod_authz_groupfile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coachwhip.api import Args, Directive, DirectiveContext, Module, Request, Where
from coachwhip.api.auth import AuthzCheck, AuthzResult
from coachwhip.expr import EvaluationError
from coachwhip.modules.aaa.requireline import read_require_line
from coachwhip.modules.aaa.userfile import lines_of, parsed
from coachwhip.util.words import SPACES, cut_field, cut_words

__all__ = ["MODULE", "AuthzGroupfileDir"]


@dataclass(frozen=True, slots=True)
class AuthzGroupfileDir:
    """What this directory says, after all enclosing sections were folded together."""

    #: Absolute path, or None.
    group_file: str | None = None


def _path(context: DirectiveContext, word: str) -> str:
    return context.server_path(word)


MODULE = Module(
    "authz_groupfile_module",
    "mod_authz_groupfile.c",
    dir_config=AuthzGroupfileDir,
    replayable=True,
    directives=(
        Directive("AuthGroupFile", Args.ONE, Where.AUTHCONFIG, sets="group_file", value=_path,
                  help="text file containing group names and member user IDs"),
    ),
)  # fmt: skip
LOG = MODULE.log


def read_groups(data: bytes) -> Mapping[str, frozenset[str]]:
    """User → lower-case names of the groups: users compare exactly, groups without case."""
    groups: dict[str, set[str]] = {}
    for line in lines_of(data):
        name, members = cut_field(line, ":")
        group = name.rstrip(SPACES).lower()
        for user in cut_words(members):
            groups.setdefault(user, set()).add(group)
    return {user: frozenset(names) for user, names in groups.items()}


def _groups_of(r: Request, user: str, ids: tuple[str, str, str]) -> frozenset[str]:
    """The groups of a user; empty, and logged under one of `ids`, if they cannot be found out."""
    not_set_id, not_open_id, no_groups_id = ids
    path = r.config(AuthzGroupfileDir).group_file
    if path is None:
        LOG.error(r, not_set_id, "No group file was specified in the configuration")
        return frozenset()
    try:
        groups = parsed(r, MODULE.source, path, read_groups).get(user, frozenset())
    except OSError as error:
        LOG.error(r, not_open_id, "Could not open group file: %s", path, error=error)
        return frozenset()
    if not groups:
        text = "Authorization of user %s to access %s failed, reason: user doesn't appear in group file (%s)."
        LOG.info(r, no_groups_id, text, user, r.uri, path)
    return groups


@MODULE.provider("authz", "group")
def require_group(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require group NAME …`; the names may come from an expression."""
    template = read_require_line(context, arguments)

    def check(r: Request) -> AuthzResult:
        if r.user is None:
            return AuthzResult.DENIED_NO_USER
        groups = _groups_of(r, r.user, ("AH01664", "AH01665", "AH01666"))
        if not groups:
            return AuthzResult.DENIED
        try:
            wanted = cut_words(template.text(r.expr_scope()))
        except EvaluationError as error:
            LOG.error(r, "AH02592", "authz_groupfile authorize: require group: Can't evaluate require expression: %s", error)
            return AuthzResult.DENIED
        if any(name.lower() in groups for name in wanted):
            return AuthzResult.GRANTED
        text = "Authorization of user %s to access %s failed, reason: user is not part of the 'require'ed group(s)."
        LOG.debug(r, "AH01667", text, r.user, r.uri)
        return AuthzResult.DENIED

    return check


@MODULE.provider("authz", "file-group")
def require_file_group(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require file-group`: the group that owns the file. Which one that is, only a provider ("file_group", "owner") can say.

    Apache's process ends with a fault where mod_authz_owner is not loaded; here the request is denied.
    """

    def check(r: Request) -> AuthzResult:
        if r.user is None:
            return AuthzResult.DENIED_NO_USER
        groups = _groups_of(r, r.user, ("AH01668", "AH01669", "AH01670"))
        owner = r.engine.startup.providers.get("file_group", "owner")
        group = owner(r) if groups and owner is not None else None
        if group is None:
            return AuthzResult.DENIED
        if group.lower() in groups:
            return AuthzResult.GRANTED
        text = "Authorization of user %s to access %s failed, reason: user is not part of the 'require'ed file group."
        LOG.debug(r, "AH01671", text, r.user, r.uri)
        return AuthzResult.DENIED

    return check
