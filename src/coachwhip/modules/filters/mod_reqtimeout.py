"""mod_reqtimeout -- how long a client may take to send a request.

Puts the limits of the connection's server on `connection.timeouts`, and the virtual host's for a body once the head has named it; the
connection applies them (`api.timeouts.StageClock`), answers 408 and closes. Source: Apache manual, mod_reqtimeout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coachwhip.api import (
    OK,
    Args,
    Connection,
    Directive,
    DirectiveContext,
    DirectiveError,
    Module,
    Order,
    Outcome,
    Request,
    Server,
    Where,
    phases,
)
from coachwhip.api.timeouts import ReadLimit, ReadLimits


@dataclass(frozen=True, slots=True)
class ReqtimeoutServer:
    """The stages of one server; a stage that no line names keeps Apache's default."""

    handshake: ReadLimit = ReadLimits().handshake
    header: ReadLimit = ReadLimits().header
    body: ReadLimit = ReadLimits().body


_STAGES = ("handshake", "header", "body")
_VALUE = re.compile(r"([0-9]{1,9})(-[0-9]{0,9})?(,minrate=([0-9]{1,9}))?(.*)", re.IGNORECASE | re.DOTALL)


def _read(context: DirectiveContext, raw: str) -> None:
    for word in context.words(raw):
        key, equals, value = word.partition("=")
        if not equals:
            raise DirectiveError("Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'")
        try:
            if key.lower() not in _STAGES:
                raise ValueError("Unknown RequestReadTimeout parameter")
            context.set(ReqtimeoutServer, key.lower(), _limit(value))
        except ValueError as error:
            raise DirectiveError(f"RequestReadTimeout: {key}={value}: {error}", alone=True) from None


def _limit(value: str) -> ReadLimit:
    """`20`, `20,MinRate=500` or `20-40,MinRate=500`; raises ValueError with Apache's words."""
    found = _VALUE.fullmatch(value)
    if found is None and value.startswith("-"):
        raise ValueError("Must set MinRate option if using timeout range")
    if found is None:
        raise ValueError(f"Value '{value}' not numerical")
    has_range, rest = found[2] is not None, found[5]
    initial = int(found[1])
    if has_range and found[3] is None:
        raise ValueError("Must set MinRate option if using timeout range")
    if rest:
        raise ValueError(f"Cannot parse '{rest}'")
    if not has_range:
        return ReadLimit(initial, None, _rate(found[4]))
    maximum = found[2][1:]
    if not maximum:
        raise ValueError("Value '' not numerical")
    if int(maximum) <= initial:
        raise ValueError("Maximum timeout must be larger than initial timeout")
    return ReadLimit(initial, int(maximum), _rate(found[4]))


def _rate(text: str | None) -> int | None:
    if text is None:
        return None
    if int(text) == 0:
        raise ValueError("Minimum data rate must be larger than 0")
    return int(text)


MODULE = Module(
    "reqtimeout_module",
    "mod_reqtimeout.c",
    (
        Directive("RequestReadTimeout", Args.RAW, Where.SERVER, value=_read,
                  help="stages (handshake, header, body) with their seconds and least rates"),
    ),
    server_config=ReqtimeoutServer,
    replayable=True,
)  # fmt: skip


@MODULE.hook(phases.pre_connection, Order.FIRST)
def limit_connection(connection: Connection) -> Outcome:
    """The limits of the server that the address chose."""
    connection.timeouts = _limits(connection.base_server, connection.base_server)
    return OK


@MODULE.hook(phases.post_read_request)
def limit_body(r: Request) -> Outcome:
    """The limit of the virtual host for this body; heads, this connection's later ones too, are the address's own server's."""
    r.connection.timeouts = _limits(r.connection.base_server, r.server)
    return OK


def _limits(server: Server, body: Server) -> ReadLimits:
    conf = server.config(ReqtimeoutServer)
    return ReadLimits(conf.handshake, conf.header, body.config(ReqtimeoutServer).body)
