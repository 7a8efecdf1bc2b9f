"""mod_log_config -- access logs: what a line says, where it goes, and which requests get one.

    settings   the records that `CustomLog`, `LogFormat` and their kin set, and how their arguments are read
    formats    a format string becomes a tuple of items
    codes      the `%` codes; those of other modules come as providers ("log_item", CODE)

Logs are opened while the server starts; a line is written when the answer has gone out. Files and programs are the business of
`logs/`, reached through `startup.logs`. Source: Apache manual, mod_log_config; compared with 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.api import (
    DECLINED,
    DONE,
    OK,
    Args,
    CoreDir,
    Directive,
    Module,
    Outcome,
    Repeat,
    Request,
    Result,
    Server,
    Settings,
    Startup,
    Where,
    phases,
)
from coachwhip.api.log import LogPlan, LogTarget, LogTargetError, reason_text
from coachwhip.expr import EvaluationError
from coachwhip.modules.loggers.mod_log_config.formats import BadFormat, Format, parse_format
from coachwhip.modules.loggers.mod_log_config.replay import plan_line
from coachwhip.modules.loggers.mod_log_config.settings import (
    AccessLog,
    LogConfigServer,
    buffered_logs,
    custom_log,
    global_log,
    log_format,
    transfer_log,
)
from coachwhip.util.notes import asked_at

MODULE = Module(
    "log_config_module",
    "mod_log_config.c",
    server_config=LogConfigServer,
    replayable=True,
    directives=(
        Directive("CustomLog", sets="logs", value=custom_log, repeat=Repeat.APPEND, args=Args.TWO_OR_THREE, where=Where.SERVER,
                  help="a file or |program, a format or the nickname of one, and a condition: env=[!]VAR or expr=EXPRESSION"),
        Directive("GlobalLog", sets="logs", value=global_log, repeat=Repeat.APPEND, args=Args.TWO_OR_THREE, where=Where.SERVER,
                  global_only=True,
                  help="as CustomLog, for the requests of every virtual host"),
        Directive("TransferLog", sets="logs", value=transfer_log, repeat=Repeat.APPEND, args=Args.ONE, where=Where.SERVER,
                  help="a file or |program, written in the format of the last LogFormat without a nickname"),
        Directive("LogFormat", value=log_format, args=Args.ONE_OR_TWO, where=Where.SERVER,
                  help="the format of TransferLog, or, with a second word, a format under a nickname"),
        Directive("BufferedLogs", sets="buffered", value=buffered_logs, args=Args.FLAG, where=Where.SERVER,
                  help="whether lines are kept in memory until there are enough for one write"),
    ),
)  # fmt: skip
LOG = MODULE.log


@dataclass(frozen=True, slots=True)
class OpenLog:
    """An access log of one server, ready to be written."""

    settings: AccessLog
    format: Format
    target: LogTarget
    #: Every request gets a line.
    is_unconditional: bool


@MODULE.hook(phases.check_config)
def check_folders(startup: Startup) -> Result:
    """The folder of every log file must be there; what is wrong with it is found out now, and not when it is too late."""
    logs = {id(log): log for server in (startup.main, *startup.servers) for log in server.config(LogConfigServer).logs}
    for log in logs.values():
        if log.target.startswith("|"):
            continue
        folder = log.target.rpartition("/")[0] + "/"
        try:
            startup.check_folder(folder)
        except OSError as error:
            where = f" defined at {log.location.file}:{log.location.line}" if log.location is not None else ""
            startup.errors.append(
                f"{reason_text(error)}: AH02297: Cannot access directory '{folder}' for log file '{log.written}'{where}"
            )
            return 500
    return OK


@MODULE.hook(phases.open_logs)
def open_logs(startup: Startup) -> Outcome:
    """Open every log once, whichever servers share it."""
    opened: dict[int, LogTarget] = {}
    formats: dict[int, Format] = {}
    buffered = startup.main.config(LogConfigServer).buffered
    for server in [startup.main, *startup.servers]:
        conf = server.config(LogConfigServer)
        ready = []
        for log in conf.logs:
            try:
                if id(log) not in opened:
                    with asked_at([log.location] if log.location is not None else []):
                        opened[id(log)] = startup.logs.open(log.target, buffered=buffered)
                    # A nickname means what it means where the line stands, in every server that inherits the log.
                    formats[id(log)] = _format_of(log.words, conf, startup)
                form = formats[id(log)] if log.words is not None else _format_of(None, conf, startup)
                ready.append(OpenLog(log, form, opened[id(log)], log.env is None and log.expr is None))
            except (LogTargetError, BadFormat) as error:
                startup.refuse(error)
                return DONE
        server.state[MODULE.source] = tuple(ready)
    return OK


def _format_of(words: str | None, conf: LogConfigServer, startup: Startup) -> Format:
    """A nickname may be given its meaning after the line that uses it; None is the server's default format."""
    if words is None:
        words = conf.default_format
    return parse_format(conf.formats.get(words, words), startup.providers)


def _has_conditions(server: Server, settings: Settings) -> bool:
    return any(log.settings.expr is not None for log in server.state.get(MODULE.source, ()))


@MODULE.hook(phases.post_read_request, acts=_has_conditions)
def judge_each_request(r: Request) -> Outcome:
    """A condition that is an expression may look at anything: it is judged each time, so no answer may be given again."""
    r.record.make_volatile("condition of a log")
    return DECLINED


def _wants_names(server: Server, settings: Settings) -> bool:
    return settings.get(CoreDir).hostname_lookups != "off" and bool(server.state.get(MODULE.source))


@MODULE.hook(phases.fixups, by_extension=True, in_place=True, acts=_wants_names)
def look_up_client(r: Request) -> Outcome:
    """The name for `%h` is asked for while the request may still wait for it on a thread; a log line may not."""
    r.remote_host()
    return DECLINED


@MODULE.hook(phases.log_transaction)
def write_logs(r: Request) -> Outcome:
    """A line for each log of the request's server whose condition holds for the client's own request."""
    logs: tuple[OpenLog, ...] = r.server.state.get(MODULE.source, ())
    if not logs:
        return DECLINED
    final = r if r.next is None else _final(r)
    for log in logs:
        if log.is_unconditional or _is_wanted(log.settings, r):
            log.target.write(log.format.line(r, final))
    return OK


def _final(r: Request) -> Request:
    """Where internal redirects from `r` ended."""
    while r.next is not None:
        r = r.next
    return r


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


@MODULE.provider("log_plan", "log_config")
def plan_replay(r: Request) -> LogPlan | None:
    """How replays of the answer to `r` are logged; None if a condition has to be judged each time."""
    logs: tuple[OpenLog, ...] = r.server.state.get(MODULE.source, ())
    if any(log.settings.expr is not None for log in logs):
        return None
    final = _final(r)
    wanted = [log for log in logs if _is_wanted(log.settings, r)]
    return LogPlan(tuple([plan_line(log.target, log.format, r, final) for log in wanted]))


@MODULE.hook(phases.child_exit)
def flush_logs(startup: Startup) -> None:
    """Nothing that was logged is lost when a worker stops."""
    startup.logs.flush()
