"""Error logs: where a server's messages go, and the line they become.

Each server has an `ErrorLog`; those that name the same target share it. Sits between `api.log.ModuleLog`, which decides by
level, and a target. Every line is written at once. Source: Apache manual, "Apache Core Features" (`ErrorLog`,
`ErrorLogFormat`), "Log Files".
"""

from __future__ import annotations

import base64
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from coachwhip.api import log as api_log
from coachwhip.api import request as api_request
from coachwhip.api import server as api_server
from coachwhip.api.core import CoreServer
from coachwhip.api.log import Level, LogTargetError, reason_text
from coachwhip.api.server import Connection, Server, Startup
from coachwhip.logs.formats import BadErrorFormat, Entry, ErrorFormat, default_line, parse_error_format
from coachwhip.logs.syslog import Syslog, parse_syslog
from coachwhip.logs.targets import LogRoom
from coachwhip.logs.writer import Writer
from coachwhip.util.escapes import escape_errorlog_item
from coachwhip.util.notes import asked_at, notes_of, with_notes

__all__ = ["ErrorLog", "open_error_logs"]

#: The longest line in bytes, its end included.
LINE_LIMIT = 8191
#: The files through which a message comes here; the first other one is where it was said.
_PASSED = frozenset(module.__file__ for module in (api_log, api_request, api_server))
_counter = itertools.count(1)
_MASK = (1 << 64) - 1

#: Takes a level and a finished line without its end.
Put = Callable[[int, str], None]


#: What `formats.default_line` takes.
_DEFAULT_FIELDS = frozenset(("referer",))


class ErrorLog:
    """The error log of one server; implements `api.server.ErrorSink`."""

    __slots__ = ("_connection_lines", "_format", "_put", "_request_lines", "_server", "_stamped", "field_names")

    def __init__(self, server: Server, put: Put, *, stamped: bool = True) -> None:
        """`stamped` False: the target writes the time itself.

        Raises:
            BadErrorFormat: an `ErrorLogFormat` cannot be used.
        """
        formats = server.config(CoreServer).error_log_formats
        self._server = server
        self._put = put
        self._stamped = stamped
        main = formats.get("", ())
        self._format = parse_error_format(main[-1], is_main=True) if main else None
        self._request_lines = tuple(parse_error_format(text, is_main=False) for text in formats.get("request", ()))
        self._connection_lines = tuple(parse_error_format(text, is_main=False) for text in formats.get("connection", ()))
        own = _DEFAULT_FIELDS if self._format is None else self._format.field_names
        #: Lower-case names of the request fields that lines take.
        self.field_names = own.union(*[form.field_names for form in self._request_lines])

    def write(
        self, level: int, module: str, log_id: str, message: str, *, connection: Connection | None, request: Any, error: str = ""
    ) -> None:
        """Format and write one line, with the once-lines before it. Never raises."""
        if not self._stamped and connection is None and level > self._server.log_level(module):
            # Files get every notice about a server; the system's logger gets what `LogLevel` lets through.
            return
        text = f"{log_id}: {message}" if log_id else message
        entry = Entry(
            server=self._server,
            now=time.time(),
            process_id=os.getpid(),
            thread_id=threading.get_native_id(),
            level=level,
            module=module,
            message=escape_errorlog_item(text.encode("utf-8", "surrogateescape")),
            error=error,
            source=_speaker() if level >= Level.DEBUG or self._format is not None else "",
            connection=connection,
            request=request,
        )
        self._begin(entry)
        line = default_line(entry, stamped=self._stamped) if self._format is None else self._format.line(entry)
        if line is not None:
            self._put(level, line)

    def _begin(self, entry: Entry) -> None:
        """The first line about a connection or request gives it an id, and writes its once-lines."""
        if entry.connection is not None and "log_id" not in entry.connection.notes:
            entry.connection.notes["log_id"] = _new_id()
            self._once(entry, self._connection_lines)
        if entry.request is not None and "log-id" not in entry.request.first.notes:
            entry.request.first.notes["log-id"] = _new_id()
            self._once(entry, self._request_lines)

    def _once(self, entry: Entry, formats: tuple[ErrorFormat, ...]) -> None:
        about_connection = formats is self._connection_lines
        for form in formats:
            line = form.line(
                Entry(
                    server=entry.server,
                    now=entry.now,
                    process_id=entry.process_id,
                    thread_id=entry.thread_id,
                    connection=entry.connection,
                    request=None if about_connection else entry.request,
                )
            )
            if line:
                self._put(Level.INFO if entry.level is None else entry.level, line)


def _new_id() -> str:
    """Eleven characters of base64 that no other line of any process has at this moment."""
    number = (int(time.time() * 1e6) ^ (os.getpid() << 40) ^ (next(_counter) << 20)) & _MASK
    return base64.b64encode(number.to_bytes(8, "little"))[:11].decode("ascii")


def _speaker() -> str:
    """File and line of the code that logs, as "mod_x.py(12)"."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename in _PASSED:
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}({frame.f_lineno})" if frame is not None else ""


def open_error_logs(startup: Startup, room: LogRoom) -> None:
    """Open the `ErrorLog` of every server, in the room in which the other logs will be opened.

    Raises:
        LogTargetError: a file cannot be opened, a program cannot be started, or an `ErrorLogFormat` cannot be used;
            the line that names a target is noted.
    """
    startup.logs = room
    opened: dict[str, tuple[Put, bool]] = {}
    try:
        for server in [startup.main, *startup.servers]:
            target = server.config(CoreServer).error_log
            if target not in opened:
                with asked_at(server.settings.sources(CoreServer, "error_log")):
                    opened[target] = _open(room, target)
            put, stamped = opened[target]
            server.errors = ErrorLog(server, put, stamped=stamped)
    except (LogTargetError, BadErrorFormat) as error:
        room.close()
        raise with_notes(LogTargetError(str(error)), notes_of(error)) from error
    room.on_loss = lambda writer, lines: _report_loss(startup.main, writer, lines)
    room.on_failure = lambda writer, error: _report_failure(startup.main, writer, error)


def _open(room: LogRoom, target: str) -> tuple[Put, bool]:
    """What takes the lines of a target, and whether they carry their own time."""
    if target[:6].lower() == "syslog":
        logger = Syslog(*parse_syslog(target, "coachwhip"))
        room.syslogs.append(logger)
        return _to_syslog(logger), False
    if target.startswith("|"):
        try:
            return _to_writer(room.open_error_program(target)), True
        except LogTargetError as error:
            reason = f"{reason_text(error.__cause__)}: " if isinstance(error.__cause__, OSError) else ""
            raise LogTargetError(f"{reason}AH00089: Couldn't start ErrorLog process '{target[1:]}'.") from error
    path = os.path.join(room.server_root, target)
    try:
        return _to_writer(room.open_error_file(path)), True
    except OSError as error:
        raise LogTargetError(f"{reason_text(error)}: AH00091: httpd: could not open error log file {path}.") from error


def _to_writer(writer: Writer) -> Put:
    def put(level: int, line: str) -> None:
        writer.write(line.encode("utf-8", "surrogateescape")[: LINE_LIMIT - 1] + b"\n")

    return put


def _to_syslog(logger: Syslog) -> Put:
    def put(level: int, line: str) -> None:
        logger.write(min(level, Level.DEBUG), line[: LINE_LIMIT - 1])

    return put


def _report_loss(main: Server, writer: Writer, lines: int) -> None:
    main.log_line(Level.ERROR, "core", "", f"{lines} log lines were lost: {writer.name} did not take them")


def _report_failure(main: Server, writer: Writer, error: OSError) -> None:
    main.log_line(Level.WARN, "log_config", "AH00646", f"Error writing to {writer.name}", reason_text(error))
