"""mod_authz_host -- `Require ip`, `host`, `forward-dns` and `local`: access by where the client is.

Source: Apache manual, mod_authz_host.
"""

from __future__ import annotations

from coachwhip.api import DirectiveContext, DirectiveError, Module, Request
from coachwhip.api.auth import AuthzCheck, AuthzResult
from coachwhip.expr import EvaluationError
from coachwhip.modules.aaa.hosts import (
    NetworkError,
    client_is_in,
    client_name,
    is_in_domain,
    looks_like_address,
    names_client,
    read_network,
)
from coachwhip.modules.aaa.requireline import read_require_line
from coachwhip.util.words import cut_words

__all__ = ["MODULE"]

MODULE = Module("authz_host_module", "mod_authz_host.c", replayable=True)
LOG = MODULE.log

_LOCAL = (read_network("127.0.0.0/8"), read_network("::1"))


def _granted(is_so: bool) -> AuthzResult:
    return AuthzResult.GRANTED if is_so else AuthzResult.DENIED


@MODULE.provider("authz", "ip")
def require_ip(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require ip NETWORK …`."""
    words = cut_words(arguments)
    if not words:
        raise DirectiveError("'require ip' requires an argument", alone=True)
    networks = []
    for word in words:
        if not looks_like_address(word):
            raise DirectiveError(f"ip address '{word}' appears to be invalid", alone=True)
        try:
            networks.append(read_network(word))
        except NetworkError as error:
            raise DirectiveError(f"ip address '{word}' appears to be invalid: {error}", alone=True) from error
    return lambda r: _granted(client_is_in(r, networks))


@MODULE.provider("authz", "local")
def require_local(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require local`: the loopback, or the machine's own address."""
    return lambda r: _granted(r.client_ip == r.local_ip or client_is_in(r, _LOCAL))


@MODULE.provider("authz", "host")
def require_host(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require host NAME …`: the client's name, found by a double reverse look-up, is or ends in one of the names."""
    template = read_require_line(context, arguments)

    def check(r: Request) -> AuthzResult:
        name = client_name(r)
        if name is None:
            text = "access check of '%s' to %s failed, reason: unable to get the remote host name"
            LOG.error(r, "AH01753", text, arguments, r.uri)
            return AuthzResult.DENIED
        try:
            wanted = template.text(r.expr_scope())
        except EvaluationError as error:
            LOG.error(r, "AH02593", "authz_host authorize: require host: Can't evaluate require expression: %s", error)
            return AuthzResult.DENIED
        return _granted(any(is_in_domain(name, word) for word in cut_words(_without_comment(r, wanted))))

    return check


def _without_comment(r: Request, wanted: str) -> str:
    """A `#` hides the rest of the line."""
    names, mark, _ = wanted.partition("#")
    if mark and not names:
        LOG.error(r, "AH10120", "authz_host authorize: dubious empty 'Require host %s' with only comment", wanted)
    elif mark:
        LOG.warn(r, "AH10121", "authz_host authorize: ignoring comment in 'Require host %s'", wanted)
    return names


@MODULE.provider("authz", "forward-dns")
def require_forward_dns(context: DirectiveContext, arguments: str) -> AuthzCheck:
    """`Require forward-dns NAME …`: one of the names has the client's address."""
    template = read_require_line(context, arguments)

    def check(r: Request) -> AuthzResult:
        try:
            wanted = template.text(r.expr_scope())
        except EvaluationError as error:
            text = "authz_host authorize: require forward-dns: Can't evaluate require expression: %s"
            LOG.error(r, "AH03354", text, error)
            return AuthzResult.DENIED
        return _granted(any(_is_named(r, word) for word in cut_words(wanted.partition("#")[0])))

    return check


def _is_named(r: Request, name: str) -> bool:
    answer = names_client(r, name)
    if answer is None:
        LOG.warn(r, "AH03356", 'No sockaddr info for "%s"', name)
        return False
    LOG.debug(r, "AH03355", "access check for %s as '%s': %s", r.client_ip, name, "yes" if answer else "no")
    return answer
