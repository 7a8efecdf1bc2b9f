r"""The `%` codes of access-log formats: one row each, with what it reads and whether it may differ from replay to replay.

Text that a client or a file name may have chosen is escaped, so that it can neither end a line nor a quoted item. Readers run
after the answer went out, when the record of its inputs is closed. Source: Apache manual, mod_log_config, "Custom Log Formats".
"""

from __future__ import annotations

from collections.abc import Callable

from coachwhip.api import Request
from coachwhip.api.log import LogCode
from coachwhip.expr import octets
from coachwhip.util.dates import clf_time
from coachwhip.util.escapes import escape_logitem
from coachwhip.util.strftime import strftime

__all__ = ["CODES"]

Reader = Callable[[Request], str]


def _escape(text: str | None) -> str:
    """Latin-1 text, escaped; "-" for None."""
    if text is None:
        return "-"
    return escape_logitem(text.encode("latin-1", "replace"))


def _escape_path(text: str | None) -> str:
    """UTF-8 text with surrogateescape, escaped; "-" for None."""
    return _escape(None if text is None else octets(text))


def _plain(read: Reader) -> Callable[[str], Reader]:
    """A code without an argument; one that is given does not matter."""
    return lambda argument: read


# -- the connection


def _client(argument: str) -> Reader:
    if argument == "c":
        return lambda r: r.connection.client_ip
    return lambda r: r.scratch.get("client_ip") or r.connection.client_ip


def _remote_host(argument: str) -> Reader:
    if argument == "c":
        return lambda r: r.connection.client_ip
    return lambda r: r.connection.client_ip if r.core.hostname_lookups == "off" else _escape(r.remote_host())


def _port(argument: str) -> Reader:
    if argument == "local":
        return lambda r: str(r.local_port)
    if argument == "remote":
        return lambda r: str(r.connection.client_port)
    return lambda r: str(r.server_port())


def _connection_state(r: Request) -> str:
    if r.connection.aborted:
        return "X"
    return "+" if r.scratch.get("kept_alive") else "-"


def _keepalives(r: Request) -> str:
    return str(r.connection.keepalives)


def _process(argument: str) -> Reader:
    if argument == "tid":
        return lambda r: str(r.engine.startup.logs.thread_id())
    if argument == "hextid":
        return lambda r: f"{r.engine.startup.logs.thread_id():x}"
    return lambda r: str(r.engine.startup.logs.process_id())


def _log_id(argument: str) -> Reader:
    if argument == "c":
        return lambda r: str(r.connection.notes.get("log_id", "-"))
    return lambda r: r.first.notes.get("log-id", "-")


# -- the request


def _request_line(r: Request) -> str:
    return _escape(r.the_request or None)


def _user(r: Request) -> str:
    return '""' if r.user == "" else _escape(r.user)


def _query(r: Request) -> str:
    return "" if r.args is None else "?" + _escape(r.args)


def _header_in(name: str) -> Reader:
    return lambda r: _escape(r.headers_in.get(name))


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
    if name.lower() == "content-type":
        return lambda r: _escape(r.content_type)

    def read(r: Request) -> str:
        found = r.headers_out.get_all(name) or r.err_headers_out.get_all(name)
        return _escape(", ".join(found)) if found else "-"

    return read


def _trailer_out(name: str) -> Reader:
    return lambda r: _escape(r.trailers_out.get(name))


# -- time


def _started(r: Request) -> float:
    return float(r.first.scratch["started"])


def _finished(r: Request) -> float:
    found = r.first.scratch.get("finished")
    return r.engine.startup.logs.now() if found is None else float(found)


_FRACTIONS: dict[str, Callable[[float], str]] = {
    "sec": lambda t: str(int(t)),
    "msec": lambda t: str(int(t * 1000)),
    "usec": lambda t: str(int(t * 1_000_000)),
    "msec_frac": lambda t: f"{int(t * 1000) % 1000:03d}",
    "usec_frac": lambda t: f"{int(t * 1_000_000) % 1_000_000:06d}",
}


def _time(argument: str) -> Reader:
    when = _finished if argument.startswith("end:") else _started
    shape = argument.removeprefix("end:") if when is _finished else argument.removeprefix("begin:")
    if not shape:
        return lambda r: f"[{clf_time(when(r))}]"
    fraction = _FRACTIONS.get(shape)
    if fraction is not None:
        return lambda r: fraction(when(r))
    return lambda r: strftime(shape, when(r))


_UNITS = {"": 1, "s": 1, "ms": 1000, "us": 1_000_000}


def _duration(argument: str) -> Reader:
    unit = _UNITS.get(argument, 1)
    return lambda r: str(int((_finished(r) - _started(r)) * unit))


#: Code → what it reads. Those of three characters begin with `^`.
CODES: dict[str, LogCode] = {
    "a": LogCode(_client, volatile=True),
    "A": LogCode(_plain(lambda r: r.local_ip)),
    "b": LogCode(_plain(lambda r: str(r.bytes_sent) if r.bytes_sent else "-"), volatile=True),
    "B": LogCode(_plain(lambda r: str(r.bytes_sent)), volatile=True),
    "C": LogCode(_cookie, volatile=True),
    "D": LogCode(lambda argument: _duration("us"), original=True, volatile=True),
    "e": LogCode(_named(lambda r: r.env), volatile=True),
    "f": LogCode(_plain(lambda r: _escape_path(r.filename))),
    "h": LogCode(_remote_host, volatile=True),
    "H": LogCode(_plain(lambda r: _escape(r.protocol))),
    "i": LogCode(_header_in, volatile=True),
    "k": LogCode(_plain(_keepalives), volatile=True),
    "l": LogCode(_plain(lambda r: "-")),
    "L": LogCode(_log_id, original=True, volatile=True),
    "m": LogCode(_plain(lambda r: _escape(r.method))),
    "n": LogCode(_named(lambda r: r.notes), volatile=True),
    "o": LogCode(_header_out, volatile=True),
    "p": LogCode(_port, volatile=True),
    "P": LogCode(_process, volatile=True),
    "q": LogCode(_plain(_query)),
    "r": LogCode(_plain(_request_line), original=True),
    "R": LogCode(_plain(lambda r: _escape(r.handler))),
    "s": LogCode(_plain(lambda r: str(r.status)), original=True),
    "t": LogCode(_time, volatile=True),
    "T": LogCode(_duration, original=True, volatile=True),
    "u": LogCode(_plain(_user), volatile=True),
    "U": LogCode(_plain(lambda r: _escape_path(r.uri)), original=True),
    "v": LogCode(_plain(lambda r: _escape(r.server.name))),
    "V": LogCode(_plain(lambda r: _escape(r.server_name()))),
    "X": LogCode(_plain(_connection_state), volatile=True),
    "^ti": LogCode(_trailer_in, volatile=True),
    "^to": LogCode(_trailer_out, volatile=True),
}
