"""What `CustomLog`, `LogFormat` and their kin set, and how their arguments are read. Nothing is opened here.

Source: Apache manual, mod_log_config; sentences compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from coachwhip.api import DirectiveContext, DirectiveError, Location, overlay, setting
from coachwhip.expr import ExprError, Expression, parse
from coachwhip.modules.loggers.mod_log_config.formats import BadFormat, parse_format

__all__ = [
    "COMMON", "AccessLog", "LogConfigServer", "buffered_logs", "custom_log", "global_log", "log_format", "transfer_log",
]  # fmt: skip

#: The format of `TransferLog` where no `LogFormat` gives one.
COMMON = '%h %l %u %t "%r" %>s %b'
#: The nickname that every server knows.
CLF = {"CLF": COMMON}


@dataclass(frozen=True, slots=True, eq=False)
class AccessLog:
    """One `CustomLog`, `GlobalLog` or `TransferLog` line."""

    #: Path against ServerRoot, or `|program`.
    target: str
    #: A format or its nickname; None: the server's default format.
    words: str | None
    #: Only requests that have this variable, or that lack it.
    env: str | None = None
    env_absent: bool = False
    expr: Expression | None = None
    #: True: every virtual host writes it too, whatever logs it has of its own.
    is_global: bool = False
    #: The target as written, and where it stands.
    written: str = ""
    location: Location | None = None


def fold_logs(outer: tuple[AccessLog, ...], inner: tuple[AccessLog, ...]) -> tuple[AccessLog, ...]:
    """A virtual host with logs of its own writes those and the global ones."""
    return inner + tuple(log for log in outer if log.is_global)


@dataclass(frozen=True, slots=True)
class LogConfigServer:
    """What a server or virtual host says, folded over the main server."""

    logs: tuple[AccessLog, ...] = setting((), fold=fold_logs)
    #: Nickname → format.
    formats: Mapping[str, str] = setting(CLF, fold=overlay)
    #: A format or its nickname.
    default_format: str = COMMON
    buffered: bool = False


def custom_log(context: DirectiveContext, target: str, words: str, condition: str | None = None) -> tuple[AccessLog, ...]:
    """`CustomLog`."""
    return (_access_log(context, target, words, condition),)


def global_log(context: DirectiveContext, target: str, words: str, condition: str | None = None) -> tuple[AccessLog, ...]:
    """`GlobalLog`."""
    return (_access_log(context, target, words, condition, is_global=True),)


def transfer_log(context: DirectiveContext, target: str) -> tuple[AccessLog, ...]:
    """`TransferLog`."""
    return (_access_log(context, target, None, None),)


def _access_log(
    context: DirectiveContext, target: str, words: str | None, condition: str | None, *, is_global: bool = False
) -> AccessLog:
    place = target if target.startswith("|") else context.server_path(target)
    if words is not None:
        _check(context, words)
    log = AccessLog(place, words, is_global=is_global, written=target, location=context.location)
    if condition is None:
        return log
    if condition[:4].lower() == "env=":
        name = condition[4:]
        if not name.removeprefix("!"):
            raise DirectiveError("missing environment variable name", alone=True)
        return replace(log, env=name.removeprefix("!"), env_absent=name.startswith("!"))
    if condition[:5].lower() == "expr=":
        try:
            return replace(log, expr=parse(condition[5:], vary=False))
        except ExprError as error:
            raise DirectiveError(str(error), alone=True) from error
    raise DirectiveError("error in condition clause", alone=True)


def log_format(context: DirectiveContext, words: str, nickname: str | None = None) -> None:
    """`LogFormat`."""
    _check(context, words)
    if nickname is None:
        context.set(LogConfigServer, "default_format", words)
        return
    formats = context.value_of(LogConfigServer, "formats") or {}
    context.set(LogConfigServer, "formats", {**formats, nickname: words})


def _check(context: DirectiveContext, words: str) -> None:
    try:
        parse_format(words, context.providers)
    except BadFormat as error:
        raise DirectiveError(str(error), alone=True) from error


def buffered_logs(context: DirectiveContext, wanted: bool) -> bool:
    """`BufferedLogs`, for all servers."""
    return wanted
