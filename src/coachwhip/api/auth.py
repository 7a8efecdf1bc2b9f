"""Authentication and authorization as modules meet over them: the answers of providers, and three questions about a request.

A provider ("authn", NAME) knows users and their passwords; a provider ("authz", NAME) stands behind `Require NAME …`. Who asks them
is the business of mod_auth_basic and its kin, and of mod_authz_core. Source: Apache manual, "Authentication and Authorization".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from coachwhip.api import phases
from coachwhip.api.log import ModuleLog

if TYPE_CHECKING:
    from coachwhip.api.directives import DirectiveContext
    from coachwhip.api.request import Request

__all__ = [
    "AuthnProvider", "AuthnResult", "AuthzCheck", "AuthzProvider", "AuthzResult", "Methods", "auth_name", "auth_type",
    "note_auth_failure", "settings_of",
]  # fmt: skip

LOG = ModuleLog("core")


class AuthnResult(Enum):
    """What a provider says about a user and a password."""

    GRANTED = "granted"
    #: The user is known, the password is wrong; no other provider is asked.
    DENIED = "denied"
    USER_NOT_FOUND = "user not found"
    #: The provider failed and has logged why.
    ERROR = "error"


class AuthnProvider(Protocol):
    """Registered under ("authn", NAME). Users, passwords and realms hold one octet per character (Latin-1)."""

    def check_password(self, r: Request, user: str, password: str) -> AuthnResult:
        """Judge a password; may block."""

    def realm_hash(self, r: Request, user: str, realm: str) -> str | AuthnResult:
        """The stored MD5 of `user:realm:password` in hexadecimal, or why there is none. A provider may lack this method."""


class AuthzResult(Enum):
    """What a requirement says about a request. The value is its wording in the error log."""

    GRANTED = "granted"
    DENIED = "denied"
    #: Denied as long as nobody is authenticated: knowing the user may change the answer.
    DENIED_NO_USER = "denied (no authenticated user yet)"
    NEUTRAL = "neutral"
    #: The check failed and has logged why; the request ends with 500.
    ERROR = "error"


#: Judges one request. It is called before the user is known, and once more after.
AuthzCheck = Callable[["Request"], AuthzResult]

#: Registered under ("authz", NAME): reads what follows `Require NAME` and makes the check. Raises DirectiveError.
AuthzProvider = Callable[["DirectiveContext", str], AuthzCheck]


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods that a line counts for: those named, or all but those named. `HEAD` counts as `GET`."""

    names: frozenset[str] = frozenset()
    inverted: bool = False

    @staticmethod
    def of(context: DirectiveContext) -> Methods:
        """What an enclosing `<Limit>` or `<LimitExcept>` leaves; all methods without one."""
        if context.limit is not None:
            return Methods(_as_get(context.limit))
        return Methods(_as_get(context.limit_except or frozenset()), inverted=True)

    @property
    def are_all(self) -> bool:
        """Whether there is no method that it does not count for."""
        return self.inverted and not self.names

    def __contains__(self, method: str) -> bool:
        return (("GET" if method == "HEAD" else method) in self.names) is not self.inverted

    def __or__(self, other: Methods) -> Methods:
        if self.inverted and other.inverted:
            return Methods(self.names & other.names, inverted=True)
        if self.inverted:
            return Methods(self.names - other.names, inverted=True)
        if other.inverted:
            return Methods(other.names - self.names, inverted=True)
        return Methods(self.names | other.names)


def _as_get(names: frozenset[str]) -> frozenset[str]:
    return frozenset("GET" if name == "HEAD" else name for name in names)


def auth_type(r: Request) -> str | None:
    """`AuthType` here; None if there is none, or it is `None`."""
    return _ask(r, "auth_type")


def auth_name(r: Request) -> str | None:
    """`AuthName` here, ready to stand between quotes; None if there is none."""
    return _ask(r, "auth_name")


def _ask(r: Request, what: str) -> str | None:
    provider = r.engine.startup.providers.get(what, what)
    if provider is None:
        return None
    answer: str | None = provider(r)
    return answer


def note_auth_failure(r: Request) -> None:
    """Let the module behind `AuthType` write its challenge, for a hook that answers 401."""
    if auth_type(r) is None:
        LOG.error(r, "AH00571", "need AuthType to note auth failure: %s", r.uri)
    else:
        r.engine.run_phase(phases.note_auth_failure, r)


@contextmanager
def settings_of(r: Request, section: Any) -> Iterator[None]:
    """Lay a section that was read apart (`DirectiveContext.read_apart`) over the request's settings, for provider aliases."""
    outer = r.dir_settings
    r.use(r.engine.settings_with(r, section))
    try:
        yield
    finally:
        r.use(outer)
