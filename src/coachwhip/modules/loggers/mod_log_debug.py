"""mod_log_debug -- LogMessage: a message of one's own in the error log, before any phase of a request, where a condition holds.

An answer that is given again passes through no phase, so none is kept that there is a message about.
Source: Apache manual, mod_log_debug; lines and sentences compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api import (
    Args,
    Directive,
    DirectiveContext,
    Location,
    Module,
    Order,
    Outcome,
    Repeat,
    Request,
    Where,
    append,
    phases,
    setting,
)
from coachwhip.api.log import Level
from coachwhip.api.phases import Phase
from coachwhip.api.values import refuse
from coachwhip.expr import EvaluationError, ExprError, Expression, parse, unoctets

__all__ = ["MODULE", "LogDebugDir", "Message"]

#: Word of `hook=` → the phase before which a message is logged.
PHASES: dict[str, Phase] = {
    "quick_handler": phases.quick_handler,
    "pre_translate_name": phases.pre_translate_name,
    "translate_name": phases.translate_name,
    "map_to_storage": phases.map_to_storage,
    "check_access": phases.access_checker,
    "check_access_ex": phases.access_checker_ex,
    "check_authn": phases.check_user_id,
    "check_authz": phases.auth_checker,
    "type_checker": phases.type_checker,
    "fixups": phases.fixups,
    "insert_filter": phases.insert_filter,
    "handler": phases.handler,
    "log_transaction": phases.log_transaction,
}
#: Before each of them.
ALL = "all"
#: Where nothing is said.
DEFAULT = "log_transaction"
#: What Apache prints for a message that cannot be made.
NO_MESSAGE = "(null)"


@dataclass(frozen=True, slots=True)
class Message:
    """One `LogMessage` line."""

    text: Expression
    #: A key of PHASES, or ALL.
    hook: str
    #: None: always.
    condition: Expression | None
    location: Location


@dataclass(frozen=True, slots=True)
class LogDebugDir:
    """What is logged about requests of a directory, outermost first."""

    messages: tuple[Message, ...] = setting((), fold=append)


def _read(context: DirectiveContext, text: str, *options: str) -> tuple[Message, ...]:
    try:
        message = parse(text, string=True)
    except ExprError as error:
        raise refuse(f"Could not parse message expression '{text}': {error.message}") from error
    hook, condition = DEFAULT, None
    for option in options:
        name, _, value = option.partition("=")
        if name.lower() == "hook":
            hook = _read_hook(value)
        elif name.lower() == "expr":
            condition = _read_condition(value)
        else:
            raise refuse(f"Invalid argument {option}")
    return (Message(message, hook, condition, context.location),)


def _read_hook(word: str) -> str:
    if word.lower() != ALL and word.lower() not in PHASES:
        raise refuse(f"Invalid hook name: {word}")
    return word.lower()


def _read_condition(text: str) -> Expression:
    try:
        return parse(text, vary=False)
    except ExprError as error:
        raise refuse(f"Could not parse expression '{text}': {error.message}") from error


MODULE = Module(
    "log_debug_module",
    "mod_log_debug.c",
    (
        Directive("LogMessage", Args.ONE_TO_THREE, Where.SERVER | Where.SECTION, "messages", _read, Repeat.APPEND,
                  help="a message for the error log, hook= and the phase before which it is logged, expr= and a condition",
                  differs="sub-requests have no phase quick_handler"),
    ),
    dir_config=LogDebugDir,
    replayable=True,
)  # fmt: skip
LOG = MODULE.log


@MODULE.hook(phases.insert_error_filter)
def keep_no_refusal(r: Request) -> Outcome:
    """A request that is refused may have come through none of the other phases but the last, when its answer has been kept already."""
    if r.config(LogDebugDir).messages:
        r.record.make_volatile("LogMessage")
    return Outcome.DECLINED


def _log_before(hook: str) -> Callable[[Request], Outcome]:
    """What is done before one phase."""

    def log(r: Request) -> Outcome:
        messages = r.config(LogDebugDir).messages
        if messages:
            r.record.make_volatile("LogMessage")
            for message in messages:
                if message.hook in (hook, ALL) and _holds(r, message):
                    _log(r, message, hook)
        return Outcome.DECLINED

    return log


for _hook, _phase in PHASES.items():
    MODULE.hook(_phase, Order.FIRST)(_log_before(_hook))


def _holds(r: Request, message: Message) -> bool:
    if message.condition is None:
        return True
    try:
        return message.condition.test(r.expr_scope())
    except EvaluationError as error:
        _report(r, message, error, "AH00640", "Can't evaluate condition: %s")
        return False


def _log(r: Request, message: Message, hook: str) -> None:
    try:
        text = unoctets(message.text.text(r.expr_scope()))
    except EvaluationError as error:
        _report(r, message, error, "AH00641", "Can't evaluate message expression: %s")
        text = NO_MESSAGE
    if r.log_level("log_debug") >= Level.DEBUG:
        LOG.info(r, "", "%s (%s hook, %s)", text, hook, message.location)
    else:
        LOG.info(r, "", "%s", text)


def _report(r: Request, message: Message, error: EvaluationError, log_id: str, sentence: str) -> None:
    LOG.error(r, "", "Evaluation of expression from %s failed: %s", message.location, error)
    LOG.error(r, log_id, sentence, error)
