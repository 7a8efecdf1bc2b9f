"""From a parsed head to a request record: host, virtual host, framing and the checks that need no phase.

Everything here is decided before the first hook sees the request. Source: RFC 9110 §7.2, RFC 9112 §3.2, §6; Apache manual, "Apache
Core Features" (`HttpProtocolOptions`, `StrictHostCheck`, `ServerPath`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coachwhip.api import phases
from coachwhip.api.headers import HeadersIn
from coachwhip.api.log import ModuleLog
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.api.traffic import Traffic
from coachwhip.protocol.errors import BadRequest
from coachwhip.protocol.framing import Framing, decide_framing
from coachwhip.protocol.http1 import RequestHead
from coachwhip.protocol.targets import TargetForm, parse_host
from coachwhip.request.files import RecordedFiles

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["begin", "begin_broken"]

LOG = ModuleLog("core")
HTTP_09 = 9
_ABSOLUTE = TargetForm.ABSOLUTE
_PROTOCOLS = {HTTP_09: "HTTP/0.9", 1000: "HTTP/1.0", 1001: "HTTP/1.1"}
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_TARGET = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*)?(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?")


def _new(pipeline: Pipeline, connection: Connection, started: float) -> Request:
    record = Record()
    server = connection.base_server
    plan = pipeline.walks.plan_of(server)
    r = Request(pipeline, connection, server, RecordedFiles(record), record, Traffic(started), plan.settings)
    r.sections = plan.base
    return r


def begin_broken(pipeline: Pipeline, connection: Connection, error: BadRequest, line: bytes, started: float) -> Request:
    """A record for bytes that are no request, so that the refusal can be answered and logged."""
    r = _new(pipeline, connection, started)
    r.headers_in = HeadersIn((), r.record)
    # Only the logs read these: as much of the line as can be made out.
    r.the_request = line[: (r.server.core.limit_request_line or 8190) + 1].decode("latin-1")
    r.protocol = "HTTP/1.0"
    r.method = "-"
    if error.status != 414:
        method, _, rest = line.partition(b" ")
        target, _, protocol = rest.rpartition(b" ")
        r.method = method.decode("latin-1")
        r.header_only = method == b"HEAD"
        if _VERSION.fullmatch(protocol):
            r.protocol = protocol.decode("latin-1")
        found = _TARGET.fullmatch(target)
        if found is not None:
            r.uri = found["path"].decode("utf-8", "surrogateescape")
            r.args = found["query"].decode("latin-1") if found["query"] is not None else None
    r.keepalive = False
    _refuse(r, error)
    return r


def _refuse(r: Request, error: BadRequest) -> None:
    detail = f": {error.detail!r}" if error.detail else ""
    level = LOG.info if error.status == 417 else LOG.debug
    level(r, error.log_id, "%s%s", error.reason, detail)
    if error.notes:
        r.notes["error-notes"] = error.notes
    if error.close:
        r.keepalive = False


def begin(pipeline: Pipeline, connection: Connection, head: RequestHead, started: float) -> tuple[Request, Framing | None, int]:
    """The record of a request, how its body is framed, and 200 or the status with which it is refused.

    `started` is the wall-clock second at which the request began.
    """
    r = _new(pipeline, connection, started)
    uri, version = head.uri, head.version
    target = head.target.decode("latin-1")
    method = head.method.decode("latin-1")
    protocol = _PROTOCOLS.get(version) or f"HTTP/{version // 1000}.{version % 1000}"
    r.method = method
    r.header_only = method == "HEAD"
    r.protocol_number = version
    r.is_http09 = version == HTTP_09
    r.protocol = protocol
    r.the_request = f"{method} {target}" if r.is_http09 else f"{method} {target} {protocol}"
    r.unparsed_uri = target
    r.uri = uri.path.decode("utf-8", "surrogateescape") or "/"
    r.args = uri.query.decode("latin-1") if uri.query is not None else None
    r.raw_headers = head.headers
    r.headers_in = HeadersIn.from_wire(head.headers, r.record)
    if (asked := head.by_name.get(b"connection")) is not None:
        r.traffic.connection = b",".join(asked).decode("latin-1")
    try:
        _choose_host(pipeline, r, head)
        framing = decide_framing(head, strict=connection.base_server.core.strict)
    except BadRequest as error:
        _refuse(r, error)
        r.keepalive = False
        return r, None, error.status
    r.expecting_100 = framing.expect_continue
    if framing.must_close:
        r.keepalive = False
    if framing.objection is not None:
        _refuse(r, framing.objection)
        return r, framing, framing.objection.status
    if uri.scheme is not None and uri.scheme not in (b"http", b"https"):
        # A scheme that only a proxy could follow.
        return r, framing, 400
    return r, framing, 200


def _choose_host(pipeline: Pipeline, r: Request, head: RequestHead) -> None:
    """`r.hostname` from the target or `Host`, then the virtual host by it."""
    strict = r.server.core.strict
    uri = head.uri
    host: str | None = None
    port: int | None = None
    if uri.form is _ABSOLUTE and uri.host is not None and uri.scheme == (b"https" if r.is_tls else b"http"):
        literal = uri.host if uri.port is None else b"%b:%d" % (uri.host, uri.port)
        host, port = parse_host(literal, strict)
    else:
        given = head.by_name.get(b"host")
        if given and given[0]:
            host, port = parse_host(given[0], strict)
    connection = r.connection
    if host is not None:
        r.hostname = f"[{host}]" if ":" in host else host
        if port is not None:
            r.host_port = port
        found = pipeline.hosts.by_name(connection.local_ip, connection.local_port, host)
        if found is not None:
            r.server = found
        elif r.server.core.strict_host_check and not pipeline.hosts.knows(r.server, host):
            raise BadRequest(400, f"Hostname {host} does not match any of the server's names", "AH10157", close=True)
    else:
        found = pipeline.hosts.by_path(connection.local_ip, connection.local_port, r.uri)
        if found is not None:
            r.server = found
    if r.server is not connection.base_server:
        pipeline.walks.reset(r, pipeline.walks.plan_of(r.server))
    connection.server = r.server
    if pipeline.hooks.sees_new:
        pipeline.hooks.run(phases.create_request, r)
