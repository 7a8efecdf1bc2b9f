"""http_core -- keep-alive settings. Its hooks are part of the pipeline."""

from __future__ import annotations

from coachwhip.api import Args, CoreServer, Directive, DirectiveContext, Module, Where
from coachwhip.api.values import leading_int, refuse
from coachwhip.util.sizes import parse_duration


def _keep_alive_timeout(context: DirectiveContext, word: str) -> float:
    try:
        return parse_duration(word)
    except ValueError as error:
        raise refuse("KeepAliveTimeout has wrong format") from error


def _max_requests(context: DirectiveContext, word: str) -> int:
    return leading_int(context.directive, word)


MODULE = Module(
    "http_module",
    "http_core.c",
    server_config=CoreServer,
    replayable=True,
    directives=(
        Directive(
            "KeepAlive",
            sets="keep_alive",
            args=Args.FLAG,
            where=Where.SERVER,
            help="whether a connection serves more than one request",
        ),
        Directive(
            "KeepAliveTimeout",
            sets="keep_alive_timeout",
            value=_keep_alive_timeout,
            args=Args.ONE,
            where=Where.SERVER,
            help="how long to wait for the next request",
        ),
        Directive(
            "MaxKeepAliveRequests",
            sets="max_keep_alive_requests",
            value=_max_requests,
            args=Args.ONE,
            where=Where.SERVER,
            help="requests on one connection, 0 for any number",
        ),
    ),
)
