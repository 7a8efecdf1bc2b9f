"""mod_auth_basic -- `AuthType Basic`: user and password in the `Authorization` field (RFC 7617).

Decoding is as lenient as Apache's, byte for byte; who knows the passwords is the business of the providers. Checking blocks,
since password hashes are slow by design. Source: Apache manual, mod_auth_basic.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from coachwhip.api import (
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Order,
    Outcome,
    Repeat,
    Request,
    Result,
    Where,
    phases,
)
from coachwhip.api.auth import AuthnProvider, AuthnResult, auth_name, auth_type
from coachwhip.expr import EvaluationError, ExprError, Expression, parse
from coachwhip.util.words import cut_field

__all__ = ["MODULE", "AuthBasicDir"]

DEFAULT_PROVIDER = "file"
DEFAULT_FAKE = "password"
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")


@dataclass(frozen=True, slots=True)
class AuthBasicDir:
    """What this directory says, after all enclosing sections were folded together."""

    #: Asked in order; none means `file`.
    providers: tuple[AuthnProvider, ...] = ()
    authoritative: bool = True
    #: Templates of user and password, or () for `off`.
    fake: tuple[Expression, ...] = ()
    use_digest: bool = False


def _read_providers(context: DirectiveContext, *names: str) -> tuple[AuthnProvider, ...]:
    found = []
    for name in names:
        provider = context.providers.get("authn", name)
        if provider is None:
            raise DirectiveError(f"Unknown Authn provider: {name}", alone=True)
        if not hasattr(provider, "check_password"):
            raise DirectiveError(f"The '{name}' Authn provider doesn't support Basic Authentication", alone=True)
        found.append(provider)
    return tuple(found)


def _read_fake(context: DirectiveContext, user: str, *words: str) -> tuple[Expression, ...]:
    password = words[0] if words else DEFAULT_FAKE
    if user.lower() == "off":
        return ()
    try:
        user_template = parse(user, string=True, restricted=context.in_htaccess)
    except ExprError as error:
        raise DirectiveError(f"Could not parse fake username expression '{user}': {error.message}", alone=True) from error
    try:
        return user_template, parse(password, string=True, restricted=context.in_htaccess)
    except ExprError as error:
        text = f"Could not parse fake password expression associated to user '{user}': {error.message}"
        raise DirectiveError(text, alone=True) from error


def _read_algorithm(context: DirectiveContext, word: str) -> bool:
    if word.lower() not in ("off", "md5"):
        raise DirectiveError(f"Invalid algorithm in AuthBasicUseDigestAlgorithm: {word}", alone=True)
    return word.lower() == "md5"


MODULE = Module(
    "auth_basic_module",
    "mod_auth_basic.c",
    dir_config=AuthBasicDir,
    replayable=True,
    directives=(
        Directive("AuthBasicProvider", Args.WORDS, Where.AUTHCONFIG, sets="providers", value=_read_providers, repeat=Repeat.APPEND,
                  help="specify the auth providers for a directory or location"),
        Directive("AuthBasicAuthoritative", Args.FLAG, Where.AUTHCONFIG, sets="authoritative",
                  help="Set to 'Off' to allow access control to be passed along to lower modules if the UserID is not known "
                       "to this module"),
        Directive("AuthBasicFake", Args.ONE_OR_TWO, Where.AUTHCONFIG, sets="fake", value=_read_fake,
                  help="Fake basic authentication using the given expressions for username and password, 'off' to disable. "
                       "Password defaults to 'password' if missing."),
        Directive("AuthBasicUseDigestAlgorithm", Args.ONE, Where.AUTHCONFIG, sets="use_digest", value=_read_algorithm,
                  help="Set to 'MD5' to use the auth provider's authentication check for digest auth, using a hash of "
                       "'user:realm:pass'"),
    ),
)  # fmt: skip
LOG = MODULE.log


def _is_basic(configured: str | None) -> bool:
    return configured is not None and configured.lower() == "basic"


def _challenge(r: Request) -> int:
    r.err_headers_out.set("WWW-Authenticate", f'Basic realm="{auth_name(r) or ""}"')
    return 401


@MODULE.hook(phases.note_auth_failure)
def write_challenge(r: Request) -> Result:
    """`WWW-Authenticate` for whoever refuses a request under `AuthType Basic`."""
    if not _is_basic(auth_type(r)):
        return Outcome.DECLINED
    _challenge(r)
    return Outcome.OK


def decode_credentials(field: str) -> tuple[str, str]:
    """User and password of what follows `Basic `: base64 up to the first other character, up to the first NUL once decoded."""
    found = _BASE64.match(field)
    digits = found[0] if found else ""
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    text = base64.b64decode(digits + "=" * (-len(digits) % 4)).partition(b"\0")[0].decode("latin-1")
    user, _, password = text.partition(":")
    return user, password


def _credentials(r: Request) -> tuple[str, str] | int:
    field = r.headers_in.get("Authorization")
    if field is None:
        return _challenge(r)
    scheme, rest = cut_field(field, " ")
    if scheme.lower() != "basic":
        LOG.error(r, "AH01614", "client used wrong authentication scheme: %s", r.uri)
        return _challenge(r)
    user, password = decode_credentials(rest.lstrip(" \t"))
    r.user = user
    return user, password


@MODULE.hook(phases.check_user_id, blocking=True)
def authenticate(r: Request) -> Result:
    """Find out who asks, and whether the password is right."""
    configured = auth_type(r)
    if configured is None or not _is_basic(configured):
        return Outcome.DECLINED
    realm = auth_name(r)
    if realm is None:
        LOG.error(r, "AH01615", "need AuthName: %s", r.uri)
        return 500
    r.auth_type = configured
    sent = _credentials(r)
    if isinstance(sent, int):
        return sent
    user, password = sent
    conf = r.config(AuthBasicDir)
    answer = _ask_providers(r, conf, user, password, realm)
    if answer is AuthnResult.GRANTED:
        return Outcome.OK
    if not conf.authoritative and answer is not AuthnResult.DENIED:
        return Outcome.DECLINED
    if answer is AuthnResult.DENIED:
        LOG.error(r, "AH01617", 'user %s: authentication failure for "%s": Password Mismatch', user, r.uri)
        return _challenge(r)
    if answer is AuthnResult.USER_NOT_FOUND:
        LOG.error(r, "AH01618", "user %s not found: %s", user, r.uri)
        return _challenge(r)
    return 500


def _ask_providers(r: Request, conf: AuthBasicDir, user: str, password: str, realm: str) -> AuthnResult:
    """The answer of the first provider that knows the user."""
    providers = conf.providers
    if not providers:
        default = r.engine.startup.providers.get("authn", DEFAULT_PROVIDER)
        if default is None:
            LOG.error(r, "AH01616", "No Authn provider configured")
            return AuthnResult.ERROR
        providers = (default,)
    answer = AuthnResult.USER_NOT_FOUND
    for provider in providers:
        answer = _by_digest(r, provider, user, password, realm) if conf.use_digest else provider.check_password(r, user, password)
        if answer is not AuthnResult.USER_NOT_FOUND:
            break
    return answer


def _by_digest(r: Request, provider: AuthnProvider, user: str, password: str, realm: str) -> AuthnResult:
    if not hasattr(provider, "realm_hash"):
        LOG.error(r, "AH02493", "Authn provider does not support AuthBasicUseDigestAlgorithm")
        return AuthnResult.ERROR
    stored = provider.realm_hash(r, user, realm)
    if isinstance(stored, AuthnResult):
        return stored
    sent = hashlib.md5(f"{user}:{realm}:{password}".encode("latin-1"), usedforsecurity=False).hexdigest()
    is_same = hmac.compare_digest(sent.encode("ascii"), stored.encode("latin-1"))
    return AuthnResult.GRANTED if is_same else AuthnResult.DENIED


@MODULE.hook(phases.fixups, Order.LAST, by_extension=True, acts=lambda server, settings: bool(settings.get(AuthBasicDir).fake))
def fake_credentials(r: Request) -> Result:
    """`AuthBasicFake`: an `Authorization` field for what stands behind this server."""
    fake = r.config(AuthBasicDir).fake
    if not fake:
        return Outcome.DECLINED
    texts = []
    for template, what, failed_id, empty_id in zip(fake, ("user", "password"), ("AH02455", "AH02456"), ("AH02458", "AH02459"),
                                                   strict=True):  # fmt: skip
        try:
            text = template.text(r.expr_scope())
        except EvaluationError as error:
            LOG.error(r, failed_id, "AuthBasicFake: could not evaluate %s expression for URI '%s': %s", what, r.uri, error)
            return 500
        if not text:
            name = "username" if what == "user" else what
            LOG.info(r, empty_id, "AuthBasicFake: empty %s expression for URI '%s', ignoring", name, r.uri)
            r.headers_in.unset("Authorization")
            return Outcome.DECLINED
        texts.append(text)
    field = "Basic " + base64.b64encode(":".join(texts).encode("latin-1")).decode("ascii")
    r.headers_in.set("Authorization", field)
    LOG.info(r, "AH02457", 'AuthBasicFake: "Authorization: %s"', field)
    return Outcome.OK
