"""What an expression sees of a request: `expr.Scope` over the record, every look going through the recorded windows.

Source: Apache manual, expr.html, "Variables"; one small function per name.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from coachwhip.api.files import FileKind, FileStat
from coachwhip.api.record import Look
from coachwhip.api.request import Request
from coachwhip.expr.scope import octets
from coachwhip.hooks import NeedsThread

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["RequestScope"]

#: API_VERSION: the major part of the module magic number.
API_VERSION = "20120211"


class RequestScope:
    """Implements `expr.Scope` for one request."""

    __slots__ = ("_pipeline", "_r")

    def __init__(self, pipeline: Pipeline, r: Request) -> None:
        self._pipeline = pipeline
        self._r = r

    def variable(self, name: str) -> str:
        """See `Scope`."""
        if name.startswith("TIME"):
            return self._time(name)
        read = _VARIABLES.get(name)
        return read(self._r) if read is not None else ""

    def _time(self, name: str) -> str:
        fields = time.localtime(self._r.now())
        return time.strftime(_TIMES[name], fields)

    def header_in(self, name: str, *, vary: bool) -> str | None:
        """See `Scope`."""
        if vary and name.lower() not in [v.strip(" ").lower() for v in (self._r.headers_out.get("Vary") or "").split(",")]:
            self._r.headers_out.merge("Vary", name)
        return self._r.headers_in.get(name)

    def header_out(self, name: str) -> str | None:
        """See `Scope`."""
        found = self._r.headers_out.get(name)
        return self._r.err_headers_out.get(name) if found is None else found

    def note(self, name: str) -> str | None:
        """See `Scope`."""
        note: str | None = self._r.notes.get(name)
        return note

    def reqenv(self, name: str) -> str | None:
        """See `Scope`."""
        value: str | None = self._r.env.get(name)
        return value

    def osenv(self, name: str) -> str | None:
        """See `Scope`."""
        return self._r.os_environ(name)

    def file_stat(self, path: str, *, follow: bool = True) -> FileStat | None:
        """See `Scope`."""
        try:
            found = self._r.files.stat(path) if follow else self._r.files.lstat(path)
        except OSError:
            return None
        _note_times(self._r, path, found)
        return None if found.kind is FileKind.MISSING else found

    def read_file(self, path: str) -> bytes:
        """See `Scope`."""
        return self._r.files.read_configured(path, 10 << 20)

    def lookup_file(self, path: str) -> bool:
        """See `Scope`."""
        sub = self._r.lookup_file(path)
        return sub.status == 200 and sub.finfo.kind is not FileKind.MISSING

    def lookup_uri(self, uri: str) -> bool:
        """See `Scope`."""
        return self._r.lookup_uri(uri).status < 400

    def client_address(self) -> str:
        """See `Scope`."""
        return self._r.client_ip

    def resolve(self, host: str) -> str | None:
        """See `Scope`; after the answer nothing is found any more."""
        if self._r.is_answered:
            return None
        self._r.record.make_volatile("host name look-up")
        if not self._r.may_block:
            raise NeedsThread
        try:
            return str(socket.getaddrinfo(host, None)[0][4][0])
        except OSError:
            return None

    def captures(self) -> tuple[str, ...]:
        """See `Scope`."""
        return self._r.captures

    def set_captures(self, values: tuple[str, ...]) -> None:
        """See `Scope`."""
        self._r.captures = values


def _file(r: Request) -> str:
    return octets(r.filename or "")


def _note_times(r: Request, path: str, found: FileStat) -> None:
    """The times of a folder are looked at, which change with the names in it."""
    if found.kind is FileKind.DIRECTORY:
        r.record.files[path, Look.LIST] = found


def _last_modified(r: Request) -> str:
    _note_times(r, r.filename or "", r.finfo)
    return time.strftime("%Y%m%d%H%M%S", time.localtime(r.finfo.mtime_ns / 1e9))


def _query(r: Request) -> str:
    return r.args or ""


def _document_root(r: Request) -> str:
    return octets(r.context_document_root or r.server.core.document_root)


def _volatile(r: Request, value: str, why: str) -> str:
    r.record.make_volatile(why)
    return value


def _owner(r: Request, *, group: bool) -> str:
    import grp
    import pwd

    if r.finfo.kind is FileKind.MISSING:
        return ""
    r.record.make_volatile("data base of users")
    try:
        return grp.getgrgid(r.finfo.gid).gr_name if group else pwd.getpwuid(r.finfo.uid).pw_name
    except KeyError:
        return ""


_VARIABLES: dict[str, Callable[[Request], str]] = {
    "AUTH_TYPE": lambda r: r.auth_type or "",
    "CONTENT_TYPE": lambda r: r.content_type or "",
    "CONTEXT_DOCUMENT_ROOT": _document_root,
    "CONTEXT_PREFIX": lambda r: octets(r.context_prefix),
    "DOCUMENT_ROOT": lambda r: octets(r.server.core.document_root),
    "DOCUMENT_URI": lambda r: octets(r.uri),
    "HANDLER": lambda r: r.handler or "",
    "IS_SUBREQ": lambda r: "true" if r.main is not None else "false",
    "LAST_MODIFIED": _last_modified,
    "PATH_INFO": lambda r: octets(r.path_info),
    "QUERY_STRING": _query,
    "REMOTE_ADDR": lambda r: r.client_ip,
    "REMOTE_HOST": lambda r: r.remote_host(),
    "REMOTE_IDENT": lambda r: "",
    "REMOTE_PORT": lambda r: str(r.client_port),
    "REMOTE_USER": lambda r: r.user or "",
    "REQUEST_FILENAME": _file,
    "REQUEST_LOG_ID": lambda r: _volatile(r, r.notes.get("log-id", ""), "log id"),
    "REQUEST_METHOD": lambda r: r.method,
    "REQUEST_SCHEME": lambda r: r.scheme,
    "REQUEST_STATUS": lambda r: str(r.status) if r.status else "",
    "REQUEST_URI": lambda r: octets(r.uri),
    "SCRIPT_FILENAME": _file,
    "SCRIPT_GROUP": lambda r: _owner(r, group=True),
    "SCRIPT_USER": lambda r: _owner(r, group=False),
    "SERVER_ADMIN": lambda r: r.server.core.server_admin,
    "SERVER_NAME": lambda r: r.server_name(),
    "SERVER_PORT": lambda r: str(r.server_port()),
    "SERVER_PROTOCOL": lambda r: r.protocol,
    "THE_REQUEST": lambda r: r.the_request,
    "CONN_LOG_ID": lambda r: _volatile(r, "", "log id"),
    "CONN_REMOTE_ADDR": lambda r: str(r.record.fact("client_ip", r.connection.client_ip)),
    "HTTP2": lambda r: "off",
    "HTTPS": lambda r: "on" if r.is_tls else "off",
    "IPV6": lambda r: "on" if ":" in r.client_ip else "off",
    "API_VERSION": lambda r: API_VERSION,
    "SERVER_SOFTWARE": lambda r: str(getattr(r.engine, "software", "")),
}

_TIMES = {
    "TIME": "%Y%m%d%H%M%S",
    "TIME_DAY": "%d",
    "TIME_HOUR": "%H",
    "TIME_MIN": "%M",
    "TIME_MON": "%m",
    "TIME_SEC": "%S",
    "TIME_WDAY": "%w",
    "TIME_YEAR": "%Y",
}
