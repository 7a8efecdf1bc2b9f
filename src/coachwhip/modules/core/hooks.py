"""core's own hooks: map a URL to the document root, walk the sections, answer OPTIONS and TRACE, and serve files.

These run last (or, for the walk's companions, in Apache's places); every other module has had its say by then.
"""

from __future__ import annotations

from coachwhip.api import (
    DECLINED,
    DIRECTORY,
    DONE,
    MISSING,
    OK,
    CoreDir,
    CoreServer,
    End,
    File,
    Order,
    Request,
    Result,
    Server,
    Settings,
    Stream,
    is_exhausted,
    phases,
)
from coachwhip.api.core import ETag
from coachwhip.expr import EvaluationError
from coachwhip.modules.core.core import MODULE
from coachwhip.protocol.http1 import REGISTERED_METHODS

LOG = MODULE.log
READ_METHODS = ("GET", "HEAD", "POST")
#: The largest body that TRACE sends back, in bytes.
TRACE_BODY = 64 << 10
#: The largest file, in bytes, that is read for its digest while other connections wait.
QUICK_DIGEST = 64 << 10
#: Fields that TRACE does not send back: a script could read there what it may not (RFC 9110 §9.3.8). Apache sends them.
TRACE_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})
#: What the default handler answers.
_METHODS = frozenset(("GET", "OPTIONS", "POST"))
#: `AcceptPathInfo` → `Request.used_path_info`.
_PATH_INFO = {"on": "accept", "off": "reject", "default": "default"}


@MODULE.hook(phases.translate_name, Order.REALLY_LAST, in_place=True)
def translate(r: Request) -> Result:
    """Document root plus URL path (core's translate_name)."""
    if r.filename is not None and r.main is not None and not r.uri:
        return OK
    path = r.uri
    if path[:1] != "/":
        if path != "*":
            LOG.error(r, "AH00126", "Invalid URI in request '%s' %s", r.the_request, path)
            return 400
        path = "/*"
    core = r.server.core
    if core.server_path and path.startswith(core.server_path):
        rest = path[len(core.server_path) :]
        if core.server_path.endswith("/") or not rest or rest.startswith("/"):
            path = rest if rest.startswith("/") else f"/{rest}"
    root = core.document_root
    r.filename = (root.rstrip("/") if root[-1:] == "/" else root) + path
    if "\0" in path:
        LOG.error(r, "AH00127", "Cannot map %s to file", r.the_request)
        return 403
    return OK


@MODULE.hook(phases.map_to_storage, Order.MIDDLE, by_extension=True, in_place=True)
def trace_and_options(r: Request) -> Result:
    """TRACE and `OPTIONS *` have no file, so nothing is looked for."""
    if r.method == "TRACE" or (r.method == "OPTIONS" and r.uri == "*"):
        return OK
    return DECLINED


@MODULE.hook(phases.handler, Order.REALLY_FIRST)
def trace_or_options(r: Request) -> Result:
    """TRACE and `OPTIONS *` are about the server, not about a file."""
    if r.method == "TRACE":
        return _trace(r)
    return _options_asterisk(r) if r.method == "OPTIONS" and r.uri == "*" else DECLINED


def _options_asterisk(r: Request) -> Result:
    """What the server can do in general, without a body."""
    r.headers_out.set("Content-Length", "0")
    r.send(End())
    return OK


def _trace(r: Request) -> Result:
    """TRACE echoes what arrived, as far as `TraceEnable` lets it (RFC 9110 §9.3.8)."""
    mode = r.server.config(CoreServer).trace_enable
    if mode == "off":
        r.notes["error-notes"] = "The configuration of this server does not allow TRACE."
        return 405
    if r.body is None:
        return _echo(r, b"")
    if mode != "extended":
        r.notes["error-notes"] = "TRACE with a request body is not allowed here."
        return 413
    return _echo_body(r)  # type: ignore[return-value]


async def _echo_body(r: Request) -> Result:
    """`TraceEnable extended`: the body is echoed too, up to a size that no honest test exceeds."""
    content = b""
    while r.body is not None and (piece := await r.body.next()):
        content += piece
        if len(content) > TRACE_BODY:
            r.notes["error-notes"] = "The body is too large to be sent back."
            return 413
    return _echo(r, content)


def _echo(r: Request, content: bytes) -> Result:
    fields = [f"{name}: {value}" for name, value in r.headers_in.items() if name.lower() not in TRACE_SECRETS]
    lines = [r.the_request, *fields, "", ""]
    r.content_type = "message/http"
    r.send(Stream(iter(["\r\n".join(lines).encode("latin-1") + content])), End())
    return DONE


@MODULE.hook(phases.map_to_storage, Order.REALLY_LAST, by_extension=True, in_place=True)
def walk(r: Request) -> Result:
    """`<Directory>` and `.htaccess` on the way to the file, then `<Files>`."""
    answer = r.engine.walks.walk_directories(r)
    if answer is OK and r.dir_settings.inner.files:
        r.engine.walks.walk_files(r)
    return answer


@MODULE.hook(phases.type_checker, Order.REALLY_LAST, by_extension=True, in_place=True)
def any_type(r: Request) -> Result:
    """Nobody has to know a type."""
    return OK


def _overrides(server: Server, settings: Settings) -> bool:
    conf = settings.get(CoreDir)
    return conf.force_type is not None or conf.set_handler is not None or conf.accept_path_info != "default"


@MODULE.hook(phases.fixups, Order.REALLY_FIRST, by_extension=True, acts=_overrides)
def override_type(r: Request) -> Result:
    """`ForceType`, `SetHandler` and `AcceptPathInfo`, over what the name of the file said (core_override_type)."""
    conf = r.core
    if conf.force_type is not None:
        kind = _text(r, conf.force_type)
        if kind and kind.lower() != "none":
            r.content_type = kind
    if conf.set_handler is not None:
        handler = _text(r, conf.set_handler)
        if handler and handler.lower() != "none":
            r.handler = handler.lower() if handler.isascii() else handler
    if r.used_path_info == "default":
        r.used_path_info = _PATH_INFO[conf.accept_path_info]
    return OK


def _text(r: Request, value: object) -> str:
    """A plain setting, or an expression evaluated for this request."""
    if isinstance(value, str):
        return value
    try:
        return str(value.text(r.expr_scope()))  # type: ignore[attr-defined]
    except EvaluationError as error:
        LOG.error(r, "AH03154", "Can't evaluate handler or type expression: %s", error)
        return ""


def _names_filters(server: Server, settings: Settings) -> bool:
    conf = settings.get(CoreDir)
    return bool(conf.output_filters or conf.input_filters)


@MODULE.hook(phases.insert_filter, Order.FIRST, acts=_names_filters)
def insert_filters(r: Request) -> Result:
    """`SetOutputFilter` and `SetInputFilter`."""
    conf = r.core
    for name in conf.output_filters:
        if not r.add_output_filter(name):
            LOG.warn(r, "", "an unknown output filter was not added: %s", name)
    for name in conf.input_filters:
        if not r.add_input_filter(name):
            LOG.warn(r, "", "an unknown input filter was not added: %s", name)
    return OK


@MODULE.hook(phases.handler, Order.REALLY_LAST)
def serve_file(r: Request) -> Result:
    """The default handler: send the file at `r.filename`."""
    r.allowed |= _METHODS
    if r.finfo.size > QUICK_DIGEST and (r.core.content_digest or r.core.file_etag.value & ETag.DIGEST):
        # Before the body is touched: on the thread the request begins again.
        r.engine.leave_loop(r)
    if r.body is not None:
        return _after_body(r)  # type: ignore[return-value]
    return _serve(r)


async def _after_body(r: Request) -> Result:
    """A request body means nothing to a file: read it away first, so that its faults are answered."""
    body = r.body
    while body is not None and await body.next():
        pass
    return _serve(r)


def _serve(r: Request) -> Result:
    conf = r.core
    if r.method == "OPTIONS":
        r.headers_out.set("Allow", r.allow_header())
        r.headers_out.set("Content-Length", "0")
        r.send(End())
        return OK
    if r.method not in READ_METHODS:
        if r.method.encode("latin-1") in REGISTERED_METHODS or r.method in r.server.config(CoreServer).registered_methods:
            return 405
        LOG.error(r, "AH00135", "Invalid method in request %s", r.the_request)
        return 501
    kind = r.finfo.kind
    if kind is MISSING:
        LOG.info(r, "AH00128", "File does not exist: %s", (r.filename or "") + r.path_info)
        return 404
    if kind is DIRECTORY:
        LOG.info(r, "AH00129", "Attempt to serve directory: %s", r.filename)
        return 404
    if r.used_path_info != "accept" and r.path_info:
        LOG.info(r, "AH00130", "File does not exist: %s", (r.filename or "") + r.path_info)
        return 404
    try:
        file = r.files.open(r.filename or "")
    except OSError as error:
        if is_exhausted(error):
            LOG.error(r, "", "too many open files to open %s", r.filename, error=error)
            return 503
        LOG.error(r, "AH00132", "file permissions deny server access: %s", r.filename, error=error)
        return 403
    # What is sent is what was opened, even if something else stands there by now.
    r.finfo = file.stat
    r.set_last_modified(r.finfo.mtime_ns)
    r.engine.set_validators(r, conf.file_etag.value)
    r.headers_out.set("Accept-Ranges", "none" if conf.max_ranges == 0 else "bytes")
    r.headers_out.set("Content-Length", str(file.size))
    if conf.content_digest:
        r.headers_out.set("Content-MD5", r.engine.md5_of(r, file))
    answer = r.meets_conditions()
    if isinstance(answer, int):
        # Sent with all that describes the file; a page of the server's would hide its validators.
        file.close()
        r.status = answer
        r.send(End())
        return OK
    r.send(File(file, 0, file.size), End())
    return OK
