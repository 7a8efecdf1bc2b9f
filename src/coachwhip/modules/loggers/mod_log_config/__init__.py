"""mod_log_config -- access logs: what a line says, where it goes, and which requests get one.

    settings   the records that `CustomLog`, `LogFormat` and their kin set, and how their arguments are read
    formats    a format string becomes a tuple of items
    codes      the `%` codes; those of other modules come as providers ("log_item", CODE)

Logs are opened while the server starts; a line is written when the answer has gone out. Files and programs are the business of
`logs/`, reached through `startup.logs`. Source: Apache manual, mod_log_config; compared with 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.api import Args, Directive, Module, Outcome, Repeat, Request, Startup, Where, phases
from coachwhip.api.log import LogTarget, LogTargetError
from coachwhip.expr import EvaluationError
from coachwhip.modules.loggers.mod_log_config.formats import BadFormat, Format, parse_format
from coachwhip.modules.loggers.mod_log_config.settings import (
    AccessLog, LogConfigServer, buffered_logs, custom_log, global_log, log_format, transfer_log,
)  # fmt: skip

MODULE = Module(
    "log_config_module",
    "mod_log_config.c",
    server_config=LogConfigServer,
    replayable=True,
    directives=(
        Directive("CustomLog", sets="logs", value=custom_log, repeat=Repeat.APPEND, args=Args.TWO_OR_THREE, where=Where.SERVER,
                  help="a file or |program, a format or the nickname of one, and a condition: env=[!]VAR or expr=EXPRESSION"),
        Directive("GlobalLog", sets="logs", value=global_log, repeat=Repeat.APPEND, args=Args.TWO_OR_THREE, where=Where.SERVER,
                  help="as CustomLog, for the requests of every virtual host"),
        Directive("TransferLog", sets="logs", value=transfer_log, repeat=Repeat.APPEND, args=Args.ONE, where=Where.SERVER,
                  help="a file or |program, written in the format of the last LogFormat without a nickname"),
        Directive("LogFormat", value=log_format, args=Args.ONE_OR_TWO, where=Where.SERVER,
                  help="the format of TransferLog, or, with a second word, a format under a nickname"),
        Directive("BufferedLogs", sets="buffered", value=buffered_logs, args=Args.FLAG, where=Where.SERVER,
                  help="whether lines are kept in memory until there are enough for one write"),
        Directive("CookieLog", sets="logs", value=transfer_log, repeat=Repeat.APPEND, args=Args.ONE, where=Where.SERVER,
                  help="a file for the cookies of mod_usertrack"),
    ),
)  # fmt: skip
LOG = MODULE.log


@dataclass(frozen=True, slots=True)
class OpenLog:
    """An access log of one server, ready to be written."""

    settings: AccessLog
    format: Format
    target: LogTarget


@MODULE.hook(phases.open_logs)
def open_logs(startup: Startup) -> Outcome:
    """Open every log once, whichever servers share it."""
    opened: dict[int, LogTarget] = {}
    buffered = startup.main.config(LogConfigServer).buffered
    for server in [startup.main, *startup.servers]:
        conf = server.config(LogConfigServer)
        ready = []
        for log in conf.logs:
            try:
                if id(log) not in opened:
                    opened[id(log)] = startup.logs.open(log.target, buffered=buffered)
                ready.append(OpenLog(log, _format_of(log, conf, startup), opened[id(log)]))
            except (LogTargetError, BadFormat) as error:
                startup.errors.append(str(error))
                return Outcome.DONE
        server.state[MODULE.source] = tuple(ready)
    return Outcome.OK


def _format_of(log: AccessLog, conf: LogConfigServer, startup: Startup) -> Format:
    """A nickname may be given a meaning after the line that uses it, and another one in a virtual host."""
    words = conf.default_format if log.words is None else log.words
    return parse_format(conf.formats.get(words, words), startup.providers)


@MODULE.hook(phases.log_transaction)
def write_logs(r: Request) -> Outcome:
    """A line for each log of the request's server whose condition holds."""
    logs: tuple[OpenLog, ...] = r.server.state.get(MODULE.source, ())
    if not logs:
        return Outcome.DECLINED
    final = r
    while final.next is not None:
        final = final.next
    for log in logs:
        if _is_wanted(log.settings, r):
            log.target.write(log.format.line(r, final))
    return Outcome.OK


def _is_wanted(log: AccessLog, r: Request) -> bool:
    if log.env is not None:
        return (log.env in r.env) is not log.env_absent
    if log.expr is None:
        return True
    try:
        return log.expr.test(r.expr_scope())
    except EvaluationError as error:
        LOG.error(r, "AH00645", "Error evaluating log condition: %s", error)
        return False


@MODULE.hook(phases.child_exit)
def flush_logs(startup: Startup) -> None:
    """Nothing that was logged is lost when a worker stops."""
    startup.logs.flush()
