r"""`ErrorLogFormat`: a format becomes a tuple of items, once; a line is made of the fields that have something to say.

A plain space, or `% `, begins a field. An item without a value drops its whole field, unless a `-` makes it a hyphen; a `+`
drops the whole line. `%7F` speaks from that level on. Source: Apache manual, "Apache Core Features", `ErrorLogFormat`; every
rule was tried on 2.4.71, the odd ones too: an item that fails behind `%M` in the same field takes the message with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api.log import Level
from coachwhip.api.request import Request
from coachwhip.api.server import Connection, Server
from coachwhip.util.dates import DAYS, MONTHS
from coachwhip.util.escapes import escape_errorlog_item

__all__ = ["DEFAULT", "BadErrorFormat", "Entry", "ErrorFormat", "default_line", "parse_error_format"]

#: The manual's spelling of the default line.
DEFAULT = r"[%{u}t] [%-m:%-l] [pid %P:tid %{g}T] %7F: %E: [client\ %a] %M% ,\ referer:\ %{Referer}i"
_LEVELS = tuple(level.name.lower() for level in Level)


class BadErrorFormat(ValueError):
    """A format that Apache would refuse; the text is Apache's."""


@dataclass(slots=True)
class Entry:
    """Something to be logged. Absent in the lines that are written once per request or connection: level, module, message."""

    server: Server
    #: Seconds since 1970.
    now: float
    process_id: int
    thread_id: int
    #: A `Level`; None in a once-line.
    level: int | None = None
    module: str = ""
    #: Number and text, already escaped.
    message: str = ""
    #: "mod_x.py(12)".
    source: str = ""
    connection: Connection | None = None
    request: Request | None = None
    #: What the system said: "(2)No such file or directory".
    error: str = ""


Reader = Callable[[Entry], str]


@dataclass(frozen=True, slots=True)
class Item:
    """One item; `read` answers "" for nothing."""

    read: Reader
    begins_field: bool = False
    is_message: bool = False
    #: The entry must be of this level or a less severe one; 0: always.
    least_level: int = 0
    hyphen: bool = False
    required: bool = False
    #: Lower-case name of the request field that is read, "" for none.
    field: str = ""


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """A compiled format."""

    items: tuple[Item, ...]

    @property
    def field_names(self) -> frozenset[str]:
        """Lower-case names of the request fields that its lines take."""
        return frozenset(item.field for item in self.items if item.field)

    def line(self, entry: Entry) -> str | None:
        """The line without its end; None if a required item has no value."""
        done: list[str] = []
        field: list[str] = []
        is_dropped = False
        for item in self.items:
            if item.begins_field and is_dropped:
                # What is left of a dropped field, a message, belongs to the next one.
                is_dropped = False
            elif item.begins_field:
                done += field
                field = []
            if is_dropped and not item.is_message:
                continue
            text = item.read(entry) if not item.least_level or (entry.level or 0) >= item.least_level else None
            if item.is_message or text:
                field.append(text or "")
            elif not text and text is not None and item.required:
                return None
            elif not text and text is not None and item.hyphen:
                field.append("-")
            elif not text and not item.begins_field:
                field = []
                is_dropped = True
        return "".join(done + field)


_ITEM = re.compile(r"%(?P<flags>[-+0-9]*)(?:\{(?P<argument>[^}]*)\})?(?P<more>[-+0-9]*)(?P<letter>.)?", re.DOTALL)
_FLAG = re.compile(r"[-+]|[0-9]+")


def parse_error_format(text: str, *, is_main: bool) -> ErrorFormat:
    """Read a format. `is_main`: the format of every line, which must hold `%M`.

    Raises:
        BadErrorFormat: unknown or cut items, or flags that have no place here.
    """
    items: list[Item] = []
    at = 0
    while at < len(text):
        if text[at] != "%":
            item, at = _parse_literal(text, at)
        else:
            found = _ITEM.match(text, at)
            if found is None or found["letter"] is None:
                raise BadErrorFormat("Ran off end of error log format parsing args to some directive")
            item, at = _item(found, is_main), found.end()
        items.append(item)
    if is_main and not any(item.is_message for item in items):
        raise BadErrorFormat("main ErrorLogFormat must contain message format string '%M'")
    return ErrorFormat(tuple(items))


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def _parse_literal(text: str, at: int) -> tuple[Item, int]:
    """Up to the next item or field."""
    begins_field = text[at] == " "
    pieces = [" "] if begins_field else []
    at += begins_field
    while at < len(text) and text[at] not in "% ":
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
            pieces.append(_ESCAPES.get(text[at], text[at]))
        else:
            pieces.append(text[at])
        at += 1
    return Item(_constant("".join(pieces)), begins_field), at


def _constant(text: str) -> Reader:
    return lambda entry: text


def _item(found: re.Match[str], is_main: bool) -> Item:
    letter, argument = found["letter"], found["argument"] or ""
    flags = _FLAG.findall(found["flags"] + " " + found["more"])
    if is_main and "+" in flags:
        raise BadErrorFormat("The '+' flag cannot be used in the main error log format")
    if letter == " ":
        return Item(_constant(""), begins_field=True)
    if letter == "%":
        return Item(_constant("%"))
    make = _READERS.get(letter)
    if make is None:
        raise BadErrorFormat(f"Unrecognized error log format directive %{letter}")
    numbers = [int(flag[:4]) for flag in flags if flag not in "-+"]
    return Item(
        make(argument),
        is_message=letter == "M",
        least_level=numbers[-1] if numbers else 0,
        hyphen="-" in flags,
        required="+" in flags,
        field=argument.lower() if letter == "i" else "",
    )


# -- what items read


def _escape(text: str | None) -> str:
    """Latin-1 text from a client."""
    return escape_errorlog_item(text.encode("latin-1", "replace")) if text else ""


def _client(argument: str) -> Reader:
    def read(entry: Entry) -> str:
        c = entry.connection
        return f"{c.client_ip}:{c.client_port}" if c is not None else ""

    return read


def _local(argument: str) -> Reader:
    def read(entry: Entry) -> str:
        c = entry.connection
        return f"{c.local_ip}:{c.local_port}" if c is not None else ""

    return read


def _environment(name: str) -> Reader:
    return lambda entry: _escape(entry.request.env.get(name)) if entry.request is not None else ""


def _note(name: str) -> Reader:
    return lambda entry: _escape(entry.request.notes.get(name)) if entry.request is not None else ""


def _header(name: str) -> Reader:
    return lambda entry: _escape(header_of(entry.request, name)) if entry.request is not None else ""


def header_of(r: Request, name: str) -> str | None:
    """A request field as it came; looking at it for a log makes it no input of the answer."""
    key = name.lower().encode("latin-1", "replace")
    found = [value for n, value in r.raw_headers if n.lower() == key]
    return b", ".join(found).decode("latin-1") if found else None


def _log_id(argument: str) -> Reader:
    def of_request(entry: Entry) -> str:
        return entry.request.first.notes.get("log-id", "") if entry.request is not None else ""

    def of_connection(entry: Entry) -> str:
        return str(entry.connection.notes.get("log_id", "")) if entry.connection is not None else ""

    def without_request(entry: Entry) -> str:
        return of_connection(entry) if entry.request is None else ""

    return {"c": of_connection, "C": without_request}.get(argument, of_request)


def _module(argument: str) -> Reader:
    return lambda entry: entry.module


def _level(argument: str) -> Reader:
    return lambda entry: "" if entry.level is None else _LEVELS[entry.level]


def _keepalives(argument: str) -> Reader:
    return lambda entry: str(entry.connection.keepalives) if entry.connection is not None else ""


def _thread(argument: str) -> Reader:
    return lambda entry: str(entry.thread_id)


def _time(options: str) -> Reader:
    """`u` microseconds, `m` milliseconds, `c` the compact ISO 8601 form."""
    compact = "c" in options
    digits = 6 if "u" in options else 3 if "m" in options else 0
    return lambda entry: stamp(entry.now, digits=digits, compact=compact)


def _server_name(argument: str) -> Reader:
    return lambda entry: _escape(entry.server.name)


def _asked_name(argument: str) -> Reader:
    return lambda entry: _escape(entry.request.server_name()) if entry.request is not None else ""


_READERS: dict[str, Callable[[str], Reader]] = {
    "a": _client,
    "A": _local,
    "e": _environment,
    "E": lambda argument: lambda entry: entry.error,
    "F": lambda argument: lambda entry: entry.source,
    "i": _header,
    "k": _keepalives,
    "l": _level,
    "L": _log_id,
    "m": _module,
    "M": lambda argument: lambda entry: entry.message,
    "n": _note,
    "P": lambda argument: lambda entry: str(entry.process_id),
    "t": _time,
    "T": _thread,
    "v": _server_name,
    "V": _asked_name,
}


def stamp(seconds: float, *, digits: int, compact: bool) -> str:
    """Local time as error logs write it, with `digits` (0, 3 or 6) of the fraction."""
    t = time.localtime(int(seconds // 1))
    clock = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    if digits:
        clock += f".{int(seconds % 1 * 10**digits):0{digits}d}"
    if compact:
        return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d} {clock}"
    return f"{DAYS[t.tm_wday]} {MONTHS[t.tm_mon - 1]} {t.tm_mday:02d} {clock} {t.tm_year:04d}"


def default_line(entry: Entry, *, stamped: bool = True) -> str:
    """The line of a server without `ErrorLogFormat`. `stamped` False: syslog has a clock of its own."""
    level = Level.NOTICE if entry.level is None else entry.level
    text = f"[{stamp(entry.now, digits=6, compact=False)}] " if stamped else ""
    text += f"[{entry.module}:{_LEVELS[level]}] [pid {entry.process_id}:tid {entry.thread_id}] "
    if level >= Level.DEBUG and entry.source:
        text += f"{entry.source}: "
    if entry.error:
        text += f"{entry.error}: "
    c = entry.connection
    if c is not None:
        text += f"[client {c.client_ip}:{c.client_port}] "
    text += entry.message
    referer = header_of(entry.request, "referer") if entry.request is not None else None
    return f"{text}, referer: {_escape(referer)}" if referer else text
