"""The request record `r`: what is known, what was decided, and the recorded windows through which a hook looks further.

URL path (`uri`), file path (`filename`), `handler` and `content_type` are four fields, none derived from another. Reading a request
header, a connection fact, the clock, chance or a file is recorded, so that the answer can be replayed as long as nothing
that was read has changed. Names are httpd's request_rec's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from coachwhip.api.buckets import Brigade, Bucket, OpenFile
from coachwhip.api.core import CoreDir, ETag
from coachwhip.api.files import MISSING, DirEntry, Files, FileStat
from coachwhip.api.headers import Headers, HeadersIn
from coachwhip.api.outcome import OK, Outcome, Result
from coachwhip.api.record import LogLine, Record
from coachwhip.api.table import Table
from coachwhip.api.traffic import Traffic
from coachwhip.util.networks import parse_address

if TYPE_CHECKING:
    from coachwhip.api.filters import InputFilter, OutputFilter, RegisteredFilter
    from coachwhip.api.module import SortedHooks
    from coachwhip.api.phases import Phase
    from coachwhip.api.server import Connection, Server, Settings, Startup

__all__ = ["Body", "BodyError", "Engine", "Request"]

C = TypeVar("C")

_UNKNOWN = FileStat(MISSING)
#: The order of methods in `Allow`.
ALLOW_ORDER = ("HEAD", "GET", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


class SectionWalks(Protocol):
    """The walks that core's map_to_storage hook runs."""

    def walk_directories(self, r: Request) -> Result:
        """`<Directory>` and `.htaccess` along `r.filename`."""

    def walk_files(self, r: Request) -> None:
        """`<Files>` for the last part of `r.filename`."""


class Engine(Protocol):
    """What a request asks of the pipeline that runs it (in `request/`)."""

    startup: Startup

    @property
    def hooks(self) -> SortedHooks:
        """What hangs on the phases."""

    @property
    def walks(self) -> SectionWalks:
        """The walks over this configuration's sections."""

    def run_phase(self, phase: Phase, r: Request) -> Result:
        """Run the hooks of a phase on a request."""

    def settings_with(self, r: Request, section: Any) -> Settings:
        """The request's settings with one more section laid over them."""

    def set_validators(self, r: Request, parts: ETag) -> None:
        """Set `Last-Modified` from `r.mtime` and `ETag` from the file at hand (`FileETag` parts)."""

    def md5_of(self, r: Request, file: OpenFile) -> str:
        """The value of `Content-MD5` for a file."""

    def lookup_uri(self, r: Request, uri: str, method: str) -> Request:
        """A sub-request for a URL path, run through the phases up to, not including, the handler."""

    def lookup_file(self, r: Request, path: str) -> Request:
        """A sub-request for a file; a plain name is looked up beside `r.filename`."""

    def lookup_entries(self, r: Request, folder: str, entries: Iterable[DirEntry]) -> Iterator[tuple[DirEntry, Request]]:
        """A sub-request for each name in a folder that was listed, good until the next is asked for."""

    def run(self, sub: Request) -> Result:
        """Run a sub-request's handler; its output is spliced into the main request's."""

    def internal_redirect(self, r: Request, uri: str) -> Result:
        """Answer another URL in place of this one (`r.prev` links them)."""

    def fast_redirect(self, r: Request, sub: Request) -> None:
        """Let `r` become `sub`, whose phases have run."""

    def meets_conditions(self, r: Request) -> Result:
        """RFC 9110 §13: OK, 304 or 412."""

    def now(self) -> float:
        """Wall clock, seconds since 1970."""

    def random_bytes(self, count: int) -> bytes:
        """From the system's generator."""

    def os_environ(self, name: str) -> str | None:
        """A variable of the server's own environment."""

    def leave_loop(self, r: Request) -> None:
        """Return only where blocking is allowed; elsewhere the request starts again on a worker thread."""

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """The addresses of a host name, () if it has none; blocking."""

    def resolve(self, ip: str) -> str | None:
        """Reverse look-up of an address; blocking."""

    def expr_scope(self, r: Request) -> Any:
        """The `expr.Scope` of this request, for evaluating expressions."""


class BodyError(Exception):
    """A request body cannot be read to its end; `status` says how the request is to be answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Body(Protocol):
    """A request body as a handler reads it, decoded by framing and input filters."""

    #: The most bytes that are read of it (`LimitRequestBody`), 0 for no limit.
    limit: int
    #: Somebody has asked for it.
    started: bool

    def filter_by(self, filters: Iterable[InputFilter]) -> None:
        """Let these decode what is read, in this order; the pipeline does it."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, b"" at the end. Only where blocking is allowed (`blocking=True` hooks).

        Raises:
            BodyError: broken framing, a limit, a time-out or a lost client.
        """

    async def next(self) -> bytes:
        """The next piece, b"" at the end; for `async def` handlers. Raises as `read`."""

    @property
    def length(self) -> int | None:
        """Content-Length, 0 without a body, None for chunked."""


#: Stands in until a request's fields are known.
NO_FIELDS = HeadersIn((), Record())


class Request:
    """One request, sub-request, or stage of an internally redirected request."""

    __slots__ = (
        "_trailers_out",
        "allowed", "args", "auth_type", "body", "bytes_sent", "captures", "chunked", "connection", "content_encodings",
        "content_languages", "content_range", "content_type", "context_document_root", "context_prefix", "core",
        "dir_settings", "engine", "env", "err_headers_out", "expecting_100", "fields_sent", "filename", "files", "finfo",
        "handler", "header_only", "headers_in", "headers_out", "host_port", "hostname", "input_filters",
        "is_handler_implied", "is_http09", "is_type_trusted", "keepalive", "main", "may_block", "method", "mtime", "next",
        "no_cache", "no_local_copy", "notes", "output", "output_filters", "path_info", "prev", "protocol",
        "protocol_number", "raw_headers", "record", "sections", "server", "state", "status", "status_line", "streams_page",
        "the_request", "traffic", "trailers_in", "unparsed_uri", "uri", "used_path_info", "user",
        "vlist_validator", "walked",
    )  # fmt: skip

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        server: Server,
        files: Files,
        record: Record,
        traffic: Traffic | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`settings`: those to begin with, if not the server's own."""
        self.engine = engine
        self.connection = connection
        self.server = server
        self.record = record
        self.traffic = traffic or Traffic()
        #: The recorded window onto the file system.
        self.files = files
        #: The request line as it came, Latin-1.
        self.the_request = ""
        self.method = "GET"
        #: "HTTP/1.1" and 1001.
        self.protocol = "HTTP/1.1"
        self.protocol_number = 1001
        #: The target as it came (Latin-1); `uri` is its path, decoded and normalised, as UTF-8 with surrogateescape like every
        #: path; `args` is what follows "?" (Latin-1), or None.
        self.unparsed_uri = "/"
        self.uri = "/"
        self.args: str | None = None
        #: Host of the target or the `Host` field, lower case, without port; None if there was none.
        self.hostname: str | None = None
        #: File path, what follows it in the URL, and what stands at it.
        self.filename: str | None = None
        self.path_info = ""
        self.finfo = _UNKNOWN
        self.handler: str | None = None
        self.content_type: str | None = None
        self.content_encodings: list[str] = []
        self.content_languages: list[str] = []
        self.headers_in = NO_FIELDS
        #: The fields as they came, for logs and for replay.
        self.raw_headers: Sequence[tuple[bytes, bytes]] = ()
        self.headers_out = Headers()
        #: Sent with errors and internal redirects too ("always").
        self.err_headers_out = Headers()
        self.trailers_in: tuple[tuple[str, str], ...] = ()
        self._trailers_out: Headers | None = None
        #: CGI-like environment (`subprocess_env`) and notes between modules; keys in any case.
        self.env = Table()
        self.notes = Table()
        self.user: str | None = None
        self.auth_type: str | None = None
        #: The request that this sub-request belongs to; that redirected here; that this one was redirected to.
        self.main: Request | None = None
        self.prev: Request | None = None
        self.next: Request | None = None
        self.status = 200
        self.status_line: str | None = None
        #: Methods for `Allow`, filled by handlers and `<Limit>`.
        self.allowed: set[str] = set()
        #: The folded per-directory settings of all modules, and core's among them; `use` sets both.
        self.dir_settings: Settings = settings or server.settings
        self.core: CoreDir = self.dir_settings.core
        #: The sections that were merged, in order (config.Section); owned by the walks.
        self.sections: tuple[Any, ...] = ()
        self.walked: dict[Any, Any] = {}
        self.output: Brigade = []
        self.body: Body | None = None
        self.output_filters: list[tuple[RegisteredFilter, OutputFilter | None]] = []
        self.input_filters: list[RegisteredFilter] = []
        #: True on a worker thread, where hooks declared `blocking=True` may run.
        self.may_block = False
        self.header_only = False
        self.is_http09 = False
        self.expecting_100 = False
        self.no_cache = False
        #: True: conditions are not to be met from this answer (a negotiated error, a listing being refused).
        self.no_local_copy = False
        self.chunked = False
        self.keepalive = True
        #: `AcceptPathInfo`: "default", "accept" or "reject", after the handler's own wish.
        self.used_path_info = "default"
        #: Last-Modified in seconds, or None.
        self.mtime: float | None = None
        #: Names the list of variants that this answer was chosen from; its `ETag` ends in `;` and this. "" for no choice.
        self.vlist_validator = ""
        self.bytes_sent = 0
        #: What a module keeps for this request, by module source name.
        self.state: dict[str, Any] = {}
        #: The port that came with `hostname`.
        self.host_port: int | None = None
        #: What the latest match of an expression caught ($0, $1, …).
        self.captures: tuple[str, ...] = ()
        #: CONTEXT_PREFIX, and CONTEXT_DOCUMENT_ROOT where it is not the document root.
        self.context_prefix = ""
        self.context_document_root = ""
        #: False after an internal redirect: a type then names no handler.
        self.is_type_trusted = True
        #: Nobody named the handler; it was chosen by type, or as the default.
        self.is_handler_implied = False
        #: An error was found while bodies were moved: its page is sent without a length.
        self.streams_page = False
        #: The one range that is sent of the content; "" if all of it is, or several.
        self.content_range = ""
        #: The fields of the answer as they were sent.
        self.fields_sent: Headers | None = None

    def config(self, config: type[C]) -> C:
        """The folded per-directory settings of one module."""
        return self.dir_settings.get(config)

    def use(self, settings: Settings) -> None:
        """Let other settings count from now on."""
        self.dir_settings = settings
        self.core = settings.core

    @property
    def trailers_out(self) -> Headers:
        """Fields that follow a body in chunks; few answers have any."""
        if self._trailers_out is None:
            self._trailers_out = Headers()
        return self._trailers_out

    @property
    def first(self) -> Request:
        """The request at the start of this chain of sub-requests and redirects."""
        r = self
        while (outer := r.main or r.prev) is not None:
            r = outer
        return r

    @property
    def is_initial(self) -> bool:
        """True for the client's own request: no sub-request, no internal redirect."""
        return self.main is None and self.prev is None

    @property
    def client_ip(self) -> str:
        """The client's address; recorded."""
        return str(self.record.fact("client_ip", self.connection.client_ip))

    @property
    def client_port(self) -> int:
        """The client's port; every connection has another one, so the answer is not replayed."""
        self.record.make_volatile("client port")
        return self.connection.client_port

    @property
    def local_ip(self) -> str:
        """The address the client connected to; part of every replay key."""
        return self.connection.local_ip

    @property
    def local_port(self) -> int:
        """The port the client connected to; part of every replay key."""
        return self.connection.local_port

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted; part of every replay key."""
        return self.connection.is_tls

    @property
    def keepalives(self) -> int:
        """Requests answered before on this connection; makes the answer volatile."""
        self.record.make_volatile("keep-alive count")
        return self.connection.keepalives

    @property
    def is_answered(self) -> bool:
        """The answer is out, or was cut: what is left is to log it, and that waits for nobody."""
        return self.traffic.finished is not None

    def remote_host(self) -> str:
        """The client's name if `HostnameLookups` is on and it has one, else its address; recorded, looked up once per connection.

        Once the answer is out it is `found_host`.
        """
        mode, ip = self.core.hostname_lookups, self.client_ip
        if mode == "off":
            return ip
        if self.is_answered:
            return self.found_host()
        self.record.make_volatile("host name look-up")
        if (mode, ip) not in self._host_names():
            self.engine.leave_loop(self)
            name = self.engine.resolve(ip)
            # `Double`: a name counts only if it leads back to the address; whoever owns the address can give it any name.
            self._host_names()[mode, ip] = name if name and (mode != "double" or self._leads_back(name)) else ip
        return self._host_names()[mode, ip]

    def found_host(self) -> str:
        """`remote_host` if it was looked up before, else the address: a log waits for nobody."""
        return self._host_names().get((self.core.hostname_lookups, self.client_ip), self.client_ip)

    def _host_names(self) -> dict[tuple[str, str], str]:
        """(mode, address) to name, as far as this connection has asked."""
        names: dict[tuple[str, str], str] = self.connection.notes.setdefault("host_names", {})
        return names

    def _leads_back(self, name: str) -> bool:
        address = parse_address(self.client_ip)
        return address is not None and address in [parse_address(one) for one in self.engine.addresses_of(name)]

    def now(self) -> float:
        """Wall clock in seconds; makes the answer volatile."""
        self.record.make_volatile("clock")
        return self.engine.now()

    def random_bytes(self, count: int) -> bytes:
        """Chance; makes the answer volatile."""
        self.record.make_volatile("random")
        return self.engine.random_bytes(count)

    def os_environ(self, name: str) -> str | None:
        """A variable of the server's environment, which does not change while it runs."""
        return self.engine.os_environ(name)

    def send(self, *buckets: Bucket) -> None:
        """Append to the response body; the handler's output goes through the filters when the handler has returned."""
        self.output.extend(buckets)

    def set_last_modified(self, mtime_ns: int) -> None:
        """Note a modification time (nanoseconds); the latest of several counts."""
        seconds = mtime_ns / 1e9
        if self.mtime is None or seconds > self.mtime:
            self.mtime = seconds

    def set_content_type(self, value: str | None) -> None:
        """Set `content_type` (parameters included)."""
        self.content_type = value

    def server_name(self, *, may_wait: bool = True) -> str:
        """The host for self-referential URLs, by `UseCanonicalName`. `may_wait` False: what is known without a look-up (`DNS`)."""
        mode = self.core.use_canonical_name
        if mode == "off" and self.hostname:
            return self.hostname
        return self._local_name(may_wait) if mode == "dns" else self.server.name

    def _local_name(self, may_wait: bool) -> str:
        """The name of the address that the client connected to, else the server's; looked up once per connection."""
        self.record.make_volatile("host name look-up")
        names, key = self._host_names(), ("local", self.local_ip)
        if key not in names and may_wait:
            self.engine.leave_loop(self)
            names[key] = self.engine.resolve(self.local_ip) or self.server.name
        return names.get(key, self.server.name)

    def server_port(self) -> int:
        """The port for self-referential URLs, by `UseCanonicalName` and `UseCanonicalPhysicalPort`."""
        core = self.core
        default = 443 if self.is_tls else 80
        asked = self.host_port
        configured = self.server.core.server_port
        physical = self.local_port
        if core.use_canonical_name != "on":
            if asked is not None:
                return asked
            return physical if core.use_canonical_physical_port else configured or default
        if configured:
            return configured
        return physical if core.use_canonical_physical_port else default

    @property
    def scheme(self) -> str:
        """ "https" or "http"."""
        return self.server.core.server_scheme or ("https" if self.is_tls else "http")

    def construct_url(self, path: str) -> str:
        """Scheme, host and port before a URL path (ap_construct_url)."""
        port = self.server_port()
        host = self.server_name()
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}{path}" if port == default else f"{self.scheme}://{host}:{port}{path}"

    def redirect(self, status: int, location: str) -> int:
        """Answer `status` with `Location`; returns the status for the hook to return."""
        self.headers_out.set("Location", location)
        return status

    def allow_header(self) -> str:
        """The value of `Allow` (RFC 9110 §10.2.1) for `allowed`, in the order in which Apache lists methods."""
        methods = set(self.allowed)
        if "GET" in methods:
            methods.add("HEAD")
        if self.server.core.trace_enable != "off":
            methods.add("TRACE")
        return ",".join([m for m in ALLOW_ORDER if m in methods] + sorted(methods.difference(ALLOW_ORDER)))

    def lookup_uri(self, uri: str, method: str = "GET") -> Request:
        """A sub-request for a URL path (absolute, or relative to this request's)."""
        return self.engine.lookup_uri(self, uri, method)

    def lookup_file(self, path: str) -> Request:
        """A sub-request for a file."""
        return self.engine.lookup_file(self, path)

    def lookup_entries(self, folder: str, entries: Iterable[DirEntry]) -> Iterator[tuple[DirEntry, Request]]:
        """A sub-request for each of the entries that `files` found in `folder`, which ends with a slash.

        Each is good until the next is asked for: what is kept of it is copied.
        """
        return self.engine.lookup_entries(self, folder, entries)

    def becomes(self, sub: Request) -> Outcome:
        """Go on as `sub`, whose phases have run (ap_internal_fast_redirect)."""
        self.engine.fast_redirect(self, sub)
        return OK

    def internal_redirect(self, uri: str) -> Result:
        """Answer another URL in place of this one."""
        return self.engine.internal_redirect(self, uri)

    def meets_conditions(self) -> Result:
        """RFC 9110 §13: OK, 304 or 412, from `ETag`, `mtime` and the request's fields."""
        return self.engine.meets_conditions(self)

    def add_output_filter(self, name: str) -> bool:
        """Insert a registered output filter at its place; False if there is none of that name."""
        found = self.engine.startup.filters.get(name.lower())
        if found is None or found.make_output is None:
            return False
        at = len(self.output_filters)
        while at and self.output_filters[at - 1][0].type > found.type:
            at -= 1
        self.output_filters.insert(at, (found, None))
        return True

    def add_input_filter(self, name: str) -> bool:
        """Insert a registered input filter; False if there is none of that name."""
        found = self.engine.startup.filters.get(name.lower())
        if found is None or found.make_input is None:
            return False
        self.input_filters.append(found)
        return True

    def remove_output_filter(self, name: str) -> None:
        """Take a filter out before anything was sent through it."""
        key = name.lower()
        self.output_filters = [f for f in self.output_filters if f[0].name.lower() != key]

    def expr_scope(self) -> Any:
        """The scope in which expressions about this request are evaluated."""
        return self.engine.expr_scope(self)

    def log_level(self, module: str) -> int:
        """The level in force here for a module: the directory's, else the server's."""
        levels = self.core.log_levels
        if levels:
            found = levels.get(module, levels.get(""))
            if found is not None:
                return found
        return self.server.log_level(module)

    def log_line(self, level: int, module: str, log_id: str, message: str, error: str = "") -> None:
        """Write to the error log, and remember the line as part of the answer."""
        self.record.log.append(LogLine(level, module, log_id, message, error))
        if self.server.errors is not None and len(self.record.log) > self.record.said:
            self.server.errors.write(level, module, log_id, message, connection=self.connection, request=self, error=error)


#: A request hook.
RequestHook = Callable[[Request], Result]
