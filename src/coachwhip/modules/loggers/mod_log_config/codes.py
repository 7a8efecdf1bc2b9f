r"""The `%` codes of access-log formats: one row each, with what it reads and whether it may differ from replay to replay.

Text that a client or a file name may have chosen is escaped, so that it can neither end a line nor a quoted item. Readers run
after the answer went out, when the record of its inputs is closed. Source: Apache manual, mod_log_config, "Custom Log Formats".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from coachwhip.api import Request
from coachwhip.api.log import LogCode, LogKind
from coachwhip.expr import octets
from coachwhip.util.dates import clf_time
from coachwhip.util.escapes import escape_logitem
from coachwhip.util.remember import remember
from coachwhip.util.strftime import strftime

__all__ = ["CODES"]

Reader = Callable[[Request], str]


def _escape(text: str | None) -> str:
    """Latin-1 text, escaped; "-" for None."""
    if text is None:
        return "-"
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return escape_logitem(text.encode("latin-1", "replace"))


def _escape_path(text: str | None) -> str:
    """UTF-8 text with surrogateescape, escaped; "-" for None."""
    return _escape(None if text is None else octets(text))


def _plain(read: Reader) -> Callable[[str], Reader]:
    """A code without an argument; one that is given does not matter."""
    return lambda argument: read


# -- the connection


def _client(argument: str) -> Reader:
    return lambda r: r.connection.client_ip


def _remote_host(argument: str) -> Reader:
    if argument == "c":
        return lambda r: r.connection.client_ip
    return lambda r: r.connection.client_ip if r.core.hostname_lookups == "off" else _escape(r.found_host())


def _verbatim(argument: str) -> Reader:
    """Apache writes an argument that it does not know."""
    return lambda r: argument


def _canonical_port(r: Request) -> str:
    return str(r.server.core.server_port or (443 if r.connection.is_tls else 80))


_PORTS: dict[str, Reader] = {
    "": _canonical_port,
    "canonical": _canonical_port,
    "local": lambda r: str(r.connection.local_port),
    "remote": lambda r: str(r.connection.client_port),
}


def _port(argument: str) -> Reader:
    return _PORTS.get(argument.lower()) or _verbatim(argument)


def _connection_state(r: Request) -> str:
    if r.connection.aborted:
        return "X"
    return "+" if r.traffic.kept_alive else "-"


def _keepalives(r: Request) -> str:
    """Answers after which the connection stayed open, this one among them, without the first."""
    return str(max(r.connection.keepalives + (1 if r.traffic.kept_alive else 0) - 1, 0))


_PROCESS: dict[str, Reader] = {
    "": lambda r: str(r.engine.startup.logs.process_id()),
    "pid": lambda r: str(r.engine.startup.logs.process_id()),
    "tid": lambda r: str(r.engine.startup.logs.thread_id()),
    "hextid": lambda r: f"{r.engine.startup.logs.thread_id():x}",
}


def _process(argument: str) -> Reader:
    return _PROCESS.get(argument.lower()) or _verbatim(argument)


def _log_id(argument: str) -> Reader:
    if argument == "c":
        return lambda r: str(r.connection.notes.get("log_id", "-"))
    return lambda r: r.first.notes.get("log-id", "-")


# -- the request


_PASSWORD = re.compile(r"([^ ]* [^ :/?#]*://[^ :/?#@]*:)[^ /?#@]*(@.*)", re.DOTALL)


def _request_line(r: Request) -> str:
    found = _PASSWORD.fullmatch(r.the_request) if "@" in r.the_request else None
    return _escape(f"{found[1]}XXXXXXXX{found[2]}" if found else r.the_request or None)


def _handler(r: Request) -> str:
    return "-" if r.is_handler_implied else _escape(r.handler)


def _user(r: Request) -> str:
    return "-" if r.user is None else _escape(r.user) or '""'


def _query(r: Request) -> str:
    return "" if r.args is None else "?" + _escape(r.args)


def _header_in(name: str) -> Reader:
    def read(r: Request) -> str:
        value = r.headers_in.get(name)
        return "-" if value is None else _escape(value)

    return read


def _cookie(name: str) -> Reader:
    def read(r: Request) -> str:
        for pair in (r.headers_in.get("Cookie") or "").split(";"):
            key, separator, value = pair.partition("=")
            if separator and key.strip(" \t").lower() == name.lower():
                return _escape(value.strip(" \t"))
        return "-"

    return read


def _trailer_in(name: str) -> Reader:
    key = name.lower()
    return lambda r: _escape(next((value for n, value in r.trailers_in if n.lower() == key), None))


def _named(table: Callable[[Request], dict[str, str]]) -> Callable[[str], Reader]:
    """A table whose names are equal in any case."""

    def make(name: str) -> Reader:
        key = name.lower()

        def read(r: Request) -> str:
            found = table(r)
            value = found.get(name)
            if value is None:
                value = next((v for n, v in found.items() if n.lower() == key), None)
            return _escape_path(value)

        return read

    return make


# -- the answer


def _header_out(name: str) -> Reader:
    key = name.lower()
    if key == "content-type":
        return lambda r: "-" if r.status == 304 else _escape(r.content_type and r.content_type.partition(";")[0].rstrip(" \t"))
    if key in _NEVER_LOGGED:
        return lambda r: "-"

    def read(r: Request) -> str:
        if r.status == 304 and key == "content-length":
            return "-"
        sent = r.fields_sent
        found = sent.get_all(name) if sent is not None else r.err_headers_out.get_all(name) + r.headers_out.get_all(name)
        return _escape(", ".join(found) if key == "set-cookie" else found[0]) if found else "-"

    return read


#: Fields that are written when the head goes out, and that no hook ever sees.
_NEVER_LOGGED = frozenset(("date", "server"))


def _trailer_out(name: str) -> Reader:
    return lambda r: _escape(r.trailers_out.get(name))


# -- time


def _started(r: Request) -> float:
    return r.traffic.started


def _finished(r: Request) -> float:
    found = r.traffic.finished
    return r.engine.startup.logs.now() if found is None else found


_FRACTIONS: dict[str, Callable[[float], str]] = {
    "sec": lambda t: str(int(t)),
    "msec": lambda t: str(int(t * 1000)),
    "usec": lambda t: str(int(t * 1_000_000)),
    "msec_frac": lambda t: f"{int(t * 1000) % 1000:03d}",
    "usec_frac": lambda t: f"{int(t * 1_000_000) % 1_000_000:06d}",
}


@remember(most=16)
def _clf(seconds: int) -> str:
    return f"[{clf_time(seconds)}]"


def _time(argument: str) -> Reader:
    when = _finished if argument.startswith("end:") else _started
    shape = argument.removeprefix("end:") if when is _finished else argument.removeprefix("begin:")
    if not shape:
        return (lambda r: _clf(int(r.traffic.started))) if when is _started else lambda r: _clf(int(when(r)))
    fraction = _FRACTIONS.get(shape)
    if fraction is not None:
        return lambda r: fraction(when(r))
    return lambda r: strftime(shape, when(r))


_UNITS = {"": 1, "s": 1, "ms": 1000, "us": 1_000_000}


def _duration(argument: str) -> Reader:
    unit = _UNITS.get(argument)
    if unit is None:
        return _verbatim(argument)
    # The wall clock may have been put back meanwhile.
    return lambda r: str(max(int((_finished(r) - _started(r)) * unit), 0))


def _always(kind: LogKind) -> Callable[[str], LogKind]:
    return lambda argument: kind


def _time_kind(argument: str) -> LogKind:
    return LogKind.READ if argument.removeprefix("begin:") else LogKind.SECOND


_READ, _CLIENT = _always(LogKind.READ), _always(LogKind.CLIENT)

#: Code → what it reads. Those of three characters begin with `^`.
CODES: dict[str, LogCode] = {
    "a": LogCode(_client, kind=_CLIENT),
    "A": LogCode(_plain(lambda r: r.local_ip)),
    "b": LogCode(_plain(lambda r: str(r.bytes_sent) if r.bytes_sent else "-")),
    "B": LogCode(_plain(lambda r: str(r.bytes_sent))),
    "C": LogCode(_cookie, kind=_READ, field="cookie"),
    "D": LogCode(lambda argument: _duration("us"), original=True, kind=_READ),
    "e": LogCode(_named(lambda r: r.env)),
    "f": LogCode(_plain(lambda r: _escape_path(r.filename))),
    "h": LogCode(_remote_host, kind=_CLIENT),
    "H": LogCode(_plain(lambda r: _escape(r.protocol))),
    "i": LogCode(_header_in, kind=_always(LogKind.FIELD)),
    "k": LogCode(_plain(_keepalives), kind=_READ),
    "l": LogCode(_plain(lambda r: "-")),
    "L": LogCode(_log_id, original=True, kind=_READ),
    "m": LogCode(_plain(lambda r: _escape(r.method))),
    "n": LogCode(_named(lambda r: r.notes)),
    "o": LogCode(_header_out, kind=_READ),
    "p": LogCode(_port, kind=lambda argument: LogKind.READ if argument == "remote" else LogKind.SAME),
    "P": LogCode(_process),
    "q": LogCode(_plain(_query)),
    "r": LogCode(_plain(_request_line), original=True),
    "R": LogCode(_plain(_handler), original=True),
    "s": LogCode(_plain(lambda r: str(r.status)), original=True),
    "t": LogCode(_time, kind=_time_kind),
    "T": LogCode(_duration, original=True, kind=_READ),
    "u": LogCode(_plain(_user)),
    "U": LogCode(_plain(lambda r: _escape_path(r.uri)), original=True),
    "v": LogCode(_plain(lambda r: _escape(r.server.name))),
    "V": LogCode(_plain(lambda r: _escape(r.server_name(may_wait=False)))),
    # An answer that is given again whole stays or closes as that one did; others of it are logged by their own request.
    "X": LogCode(_plain(_connection_state)),
    "^ti": LogCode(_trailer_in, kind=_READ),
    "^to": LogCode(_trailer_out, kind=_READ),
}
