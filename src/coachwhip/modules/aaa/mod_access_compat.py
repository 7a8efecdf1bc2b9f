"""mod_access_compat -- `Order`, `Allow`, `Deny` and `Satisfy`, as Apache 2.2 had them.

Any of these lines in a section puts aside what enclosing sections said with them. Each line counts for the methods of an
enclosing `<Limit>`. Source: Apache manual, mod_access_compat.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from coachwhip.api import (
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Outcome,
    Request,
    Result,
    Server,
    Settings,
    Where,
    phases,
)
from coachwhip.api.auth import Methods
from coachwhip.expr import octets
from coachwhip.modules.aaa.hosts import NetworkError, client_is_in, client_name, is_in_domain, looks_like_address, read_network

__all__ = ["MODULE", "Access", "AccessCompatDir", "Order"]

V = TypeVar("V")


class Order(Enum):
    """Which of the two lists has the last word, and what counts where neither says anything."""

    ALLOW_DENY = "allow,deny"
    DENY_ALLOW = "deny,allow"
    MUTUAL_FAILURE = "mutual-failure"


#: Whether a client is meant by one word of `Allow from` or `Deny from`.
Matcher = Callable[[Request], bool]


@dataclass(frozen=True, slots=True)
class Access:
    """All that one section says, each line with the methods that it counts for."""

    orders: tuple[tuple[Methods, Order], ...] = ()
    allows: tuple[tuple[Methods, Matcher], ...] = ()
    denies: tuple[tuple[Methods, Matcher], ...] = ()
    #: True: `Satisfy Any`.
    satisfies: tuple[tuple[Methods, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class AccessCompatDir:
    """What this directory says: the innermost section with any of these directives."""

    access: Access = Access()


def _together(lines: Sequence[Access]) -> Access:
    """All that the lines of a section say."""
    chain = itertools.chain.from_iterable
    return Access(
        tuple(chain(line.orders for line in lines)),
        tuple(chain(line.allows for line in lines)),
        tuple(chain(line.denies for line in lines)),
        tuple(chain(line.satisfies for line in lines)),
    )


def _read_order(context: DirectiveContext, word: str) -> Access:
    try:
        order = Order(word.lower())
    except ValueError:
        raise DirectiveError("unknown order", alone=True) from None
    return Access(orders=((Methods.of(context), order),))


def _read_satisfy(context: DirectiveContext, word: str) -> Access:
    if word.lower() not in ("all", "any"):
        raise DirectiveError("Satisfy either 'any' or 'all'.", alone=True)
    return Access(satisfies=((Methods.of(context), word.lower() == "any"),))


def _read_allow(context: DirectiveContext, from_: str, *words: str) -> Access:
    return Access(allows=_read_clients(context, from_, words))


def _read_deny(context: DirectiveContext, from_: str, *words: str) -> Access:
    return Access(denies=_read_clients(context, from_, words))


def _read_clients(context: DirectiveContext, from_: str, words: tuple[str, ...]) -> tuple[tuple[Methods, Matcher], ...]:
    if from_.lower() != "from":
        raise DirectiveError("allow and deny must be followed by 'from'", alone=True)
    methods = Methods.of(context)
    return tuple((methods, _read_client(word)) for word in words)


def _read_client(word: str) -> Matcher:
    """What one word means: a variable, everybody, a network or a name."""
    key = word.lower()
    if key.startswith("env=!"):
        return _without_variable(word[5:])
    if key.startswith("env="):
        return _with_variable(word[4:])
    if key == "all":
        return lambda r: True
    if looks_like_address(word):
        try:
            networks = (read_network(word),)
        except NetworkError as error:
            raise DirectiveError(str(error), alone=True) from error
        return lambda r: client_is_in(r, networks)
    if "/" in word:
        raise DirectiveError("An IP address was expected", alone=True)
    if "#" in word:
        raise DirectiveError("No comments are allowed here", alone=True)
    return lambda r: (name := client_name(r)) is not None and is_in_domain(name, word)


def _with_variable(name: str) -> Matcher:
    key = octets(name)
    return lambda r: key in r.env


def _without_variable(name: str) -> Matcher:
    has = _with_variable(name)
    return lambda r: not has(r)


_CLIENTS = "'from' followed by hostnames or IP-address wildcards"

MODULE = Module(
    "access_compat_module",
    "mod_access_compat.c",
    dir_config=AccessCompatDir,
    replayable=True,
    directives=(
        Directive("Order", Args.ONE, Where.LIMIT, sets="access", value=_read_order, repeat=_together,
                  help="'allow,deny', 'deny,allow', or 'mutual-failure'"),
        Directive("Allow", Args.ONE_THEN_WORDS, Where.LIMIT, sets="access", value=_read_allow, repeat=_together, help=_CLIENTS),
        Directive("Deny", Args.ONE_THEN_WORDS, Where.LIMIT, sets="access", value=_read_deny, repeat=_together, help=_CLIENTS),
        Directive("Satisfy", Args.ONE, Where.AUTHCONFIG, sets="access", value=_read_satisfy, repeat=_together,
                  help="access policy if both allow and require used ('all' or 'any')"),
    ),
)  # fmt: skip
LOG = MODULE.log


def _last_for(method: str, lines: tuple[tuple[Methods, V], ...], default: V) -> V:
    return next((value for methods, value in reversed(lines) if method in methods), default)


def _is_meant(r: Request, lines: tuple[tuple[Methods, Matcher], ...]) -> bool:
    return any(r.method in methods and matches(r) for methods, matches in lines)


@MODULE.provider("satisfy", "satisfy")
def satisfy(r: Request) -> str:
    """ "any" if either access by address or authorization is enough for this request, else "all"."""
    return "any" if _last_for(r.method, r.config(AccessCompatDir).access.satisfies, False) else "all"


def _may_refuse(server: Server, settings: Settings) -> bool:
    """Where neither an order nor anybody to be refused is named, everybody is admitted."""
    access = settings.get(AccessCompatDir).access
    return bool(access.orders or access.denies)


@MODULE.hook(phases.access_checker, acts=_may_refuse)
def check_access(r: Request) -> Result:
    """Refuse by address, name or variable."""
    access = r.config(AccessCompatDir).access
    if _is_admitted(r, access):
        return Outcome.OK
    where = f"uri {r.uri}" if r.filename is None else r.filename
    LOG.error(r, "AH01797", "client denied by server configuration: %s", where)
    return 403


def _is_admitted(r: Request, access: Access) -> bool:
    order = _last_for(r.method, access.orders, Order.DENY_ALLOW)
    if order is Order.DENY_ALLOW:
        return not _is_meant(r, access.denies) or _is_meant(r, access.allows)
    return _is_meant(r, access.allows) and not _is_meant(r, access.denies)
