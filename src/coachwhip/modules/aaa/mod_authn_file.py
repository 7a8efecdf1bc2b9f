"""mod_authn_file -- users and passwords from text files, the provider `file` of `AuthBasicProvider`.

One `user:hash` per line, the first line of a user counts. For digests the lines are `user:realm:hash`.
Source: Apache manual, mod_authn_file and "Password Formats".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coachwhip.api import Args, Directive, DirectiveContext, Module, Request, Where
from coachwhip.api.auth import AuthnResult
from coachwhip.modules.aaa.userfile import LINE_LIMIT, lines_of, parsed
from coachwhip.util.passwords import verify
from coachwhip.util.words import cut_field

__all__ = ["MODULE", "AuthnFileDir"]


@dataclass(frozen=True, slots=True)
class AuthnFileDir:
    """What this directory says, after all enclosing sections were folded together."""

    #: Absolute path, or None.
    user_file: str | None = None


def _path(context: DirectiveContext, word: str) -> str:
    return context.server_path(word)


MODULE = Module(
    "authn_file_module",
    "mod_authn_file.c",
    dir_config=AuthnFileDir,
    replayable=True,
    directives=(
        Directive("AuthUserFile", Args.ONE, Where.AUTHCONFIG, sets="user_file", value=_path,
                  help="text file containing user IDs and passwords"),
    ),
)  # fmt: skip
LOG = MODULE.log


@dataclass(frozen=True, slots=True)
class UserFile:
    """A parsed file: the lines of each user (what follows the name), in order."""

    users: Mapping[str, tuple[str, ...]]
    #: A stored password of the kind that this file has, hashed against when a user is unknown; None in an empty file.
    decoy: str | None


def read_users(data: bytes) -> UserFile:
    """Parse a password file."""
    users: dict[str, tuple[str, ...]] = {}
    for line in lines_of(data, LINE_LIMIT):
        user, rest = cut_field(line, ":")
        users[user] = (*users.get(user, ()), rest)
    decoy = next((cut_field(lines[0], ":")[0] for lines in users.values() if lines[0]), None)
    return UserFile(users, decoy)


def _users(r: Request, not_set_id: str, not_open_id: str) -> UserFile | None:
    path = r.config(AuthnFileDir).user_file
    if path is None:
        LOG.error(r, not_set_id, "AuthUserFile not specified in the configuration")
        return None
    try:
        return parsed(r, MODULE.source, path, read_users)
    except OSError as error:
        LOG.error(r, not_open_id, "Could not open password file: %s", path, error=error)
        return None


@MODULE.provider("authn", "file")
class FileProvider:
    """See `api.auth.AuthnProvider`."""

    @staticmethod
    def check_password(r: Request, user: str, password: str) -> AuthnResult:
        """Verify against the user's first line. An unknown user costs one hash too, so that time does not tell who is known."""
        file = _users(r, "AH01619", "AH01620")
        if file is None:
            return AuthnResult.ERROR
        octets = password.encode("latin-1")
        lines = file.users.get(user)
        if lines is None:
            if file.decoy is not None:
                verify(octets, file.decoy)
            return AuthnResult.USER_NOT_FOUND
        stored = cut_field(lines[0], ":")[0]
        return AuthnResult.GRANTED if verify(octets, stored) else AuthnResult.DENIED

    @staticmethod
    def realm_hash(r: Request, user: str, realm: str) -> str | AuthnResult:
        """The hash of the user's first line with this realm."""
        file = _users(r, "AH01621", "AH01622")
        if file is None:
            return AuthnResult.ERROR
        for line in file.users.get(user, ()):
            found, rest = cut_field(line, ":")
            if found == realm:
                return cut_field(rest, ":")[0]
        return AuthnResult.USER_NOT_FOUND
