"""The map of the server: every phase, in the order in which it runs, with what it is for.

A phase is a declaration; `coachwhip.hooks` sorts and freezes the functions that modules hang on it. The order inside a
phase is decided by `Order`, then by each hook's `after` and `before`, then by load order, as in Apache.
Source: "Request Processing in the Apache HTTP Server 2.x" and "Module hook ordering" of the manual's developer pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

__all__ = ["CONNECTION", "REQUEST", "STARTUP", "Order", "Phase", "RunMode"]


class RunMode(Enum):
    """How the functions of a phase are called."""

    #: Until one answers something other than OK or DECLINED.
    ALL = "run all"
    #: Until one answers something other than DECLINED.
    FIRST = "run first"
    #: Every one; answers are not looked at.
    EACH = "each"


class Order(IntEnum):
    """Where in its phase a hook runs; Apache's numbers."""

    REALLY_FIRST = -10
    FIRST = 0
    MIDDLE = 10
    LAST = 20
    REALLY_LAST = 30


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """One phase: its name (Apache's hook name), run mode, and what a hook in it may rely on."""

    name: str
    mode: RunMode
    purpose: str


pre_config = Phase("pre_config", RunMode.ALL, "before the configuration is read: hook(startup)")
check_config = Phase("check_config", RunMode.ALL, "the configuration was read; correct or refuse it: hook(startup)")
test_config = Phase("test_config", RunMode.EACH, "after `-t` found no error; print what was asked for: hook(startup)")
open_logs = Phase("open_logs", RunMode.ALL, "open log files and pipes while still privileged: hook(startup)")
post_config = Phase("post_config", RunMode.ALL, "all is read and open; last chance to refuse; also in a trial: hook(startup)")
child_init = Phase("child_init", RunMode.EACH, "once in every worker, before its first connection: hook(startup)")
child_exit = Phase("child_exit", RunMode.EACH, "once in every worker, after its last connection: hook(startup)")

#: Phases of a start, each hook is called with the `Startup` record.
STARTUP = (pre_config, check_config, test_config, open_logs, post_config, child_init, child_exit)

pre_connection = Phase("pre_connection", RunMode.ALL, "a connection was accepted, nothing was read: hook(connection)")

#: Phases of a connection, each hook is called with the `Connection` record.
CONNECTION = (pre_connection,)

create_request = Phase("create_request", RunMode.ALL, "the record exists, nothing is in it: hook(r)")
post_read_request = Phase("post_read_request", RunMode.ALL, "the head was read and the virtual host chosen: hook(r)")
quick_handler = Phase("quick_handler", RunMode.FIRST, "answer before the URL is mapped at all: hook(r)")
pre_translate_name = Phase("pre_translate_name", RunMode.FIRST, "look at r.uri while it is still encoded: hook(r)")
translate_name = Phase("translate_name", RunMode.FIRST, "map r.uri to r.filename: hook(r)")
map_to_storage = Phase("map_to_storage", RunMode.FIRST, "stat r.filename and walk <Directory> and <Files>: hook(r)")
header_parser = Phase("header_parser", RunMode.ALL, "all sections are merged; look at the headers: hook(r)")
access_checker = Phase("access_checker", RunMode.ALL, "refuse by address and the like, whoever the user is: hook(r)")
access_checker_ex = Phase("access_checker_ex", RunMode.FIRST, "grant without knowing the user: hook(r)")
check_user_id = Phase("check_user_id", RunMode.FIRST, "find out who the user is (sets r.user): hook(r)")
note_auth_failure = Phase("note_auth_failure", RunMode.FIRST, "write the challenge for r.auth_type: hook(r)")
auth_checker = Phase("auth_checker", RunMode.FIRST, "is this user allowed here: hook(r)")
type_checker = Phase("type_checker", RunMode.FIRST, "set r.content_type, r.handler and their kin: hook(r)")
fixups = Phase("fixups", RunMode.ALL, "last changes before the handler: hook(r)")
insert_filter = Phase("insert_filter", RunMode.EACH, "add filters for what will be sent: hook(r)")
handler = Phase("handler", RunMode.FIRST, "produce the answer; sees r.handler: hook(r), may be `async def`")
insert_error_filter = Phase("insert_error_filter", RunMode.EACH, "add filters for an error answer: hook(r)")
log_transaction = Phase("log_transaction", RunMode.ALL, "the answer went out (or was cut): write logs: hook(r)")

#: Phases of a request, in run order.
REQUEST = (
    create_request,
    post_read_request,
    quick_handler,
    pre_translate_name,
    translate_name,
    map_to_storage,
    header_parser,
    access_checker,
    access_checker_ex,
    check_user_id,
    note_auth_failure,
    auth_checker,
    type_checker,
    fixups,
    insert_filter,
    handler,
    insert_error_filter,
    log_transaction,
)
