"""The settings of `core`, which the pipeline and many modules read: per directory (`CoreDir`) and per server (`CoreServer`).

Only the records are here; the directives that set them are in `modules/core/`. Times are seconds, sizes bytes.
Source: Apache manual, "Apache Core Features".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any

from coachwhip.api.directives import Location, Where
from coachwhip.api.files import Links
from coachwhip.api.settings import overlay, setting

__all__ = [
    "UNSAID",
    "CoreDir",
    "CoreServer",
    "ETag",
    "ErrorDocument",
    "OptionSet",
    "Options",
    "Override",
    "fold_etag",
    "fold_options",
]


class Options(Flag):
    """The bits of `Options`."""

    NONE = 0
    INDEXES = auto()
    INCLUDES = auto()
    #: `#exec` allowed in server-side includes (Includes, but not IncludesNOEXEC).
    INCLUDES_EXEC = auto()
    FOLLOW_SYM_LINKS = auto()
    SYM_LINKS_IF_OWNER_MATCH = auto()
    EXEC_CGI = auto()
    MULTI_VIEWS = auto()
    ALL = INDEXES | INCLUDES | INCLUDES_EXEC | FOLLOW_SYM_LINKS | EXEC_CGI


@dataclass(frozen=True, slots=True)
class OptionSet:
    """What `Options` lines of one section say: an absolute set, or additions and removals, or the outcome of folding."""

    base: Options | None = None
    add: Options = Options.NONE
    remove: Options = Options.NONE
    #: The bits in force; Apache's default is FollowSymLinks.
    value: Options = field(init=False, compare=False)
    #: What they say about symbolic links.
    links: Links = field(init=False, compare=False)

    def __post_init__(self) -> None:
        base = Options.FOLLOW_SYM_LINKS if self.base is None else self.base
        value = (base & ~self.remove) | self.add
        object.__setattr__(self, "value", value)
        links = Links.BY_OWNER if Options.SYM_LINKS_IF_OWNER_MATCH in value else Links.NEVER
        object.__setattr__(self, "links", Links.FOLLOW if Options.FOLLOW_SYM_LINKS in value else links)


def fold_options(outer: OptionSet, inner: OptionSet) -> OptionSet:
    """An absolute inner set replaces; a relative one changes the outer."""
    if inner.base is not None:
        return inner
    return OptionSet(
        outer.base, (outer.add & ~inner.remove) | inner.add, (outer.remove & ~inner.add) | inner.remove
    )


@dataclass(frozen=True, slots=True)
class Override:
    """What a `.htaccess` may say below a section: `AllowOverride` and its `Options=` and `Nonfatal=` parts."""

    classes: Where = Where(0)
    #: Which options `Options` may set; None for all.
    options: Options | None = None
    #: Directives that fail are skipped: "unknown", "override", "all", or "".
    nonfatal: str = ""


#: No `AllowOverride` holds: files are looked for, and whatever they say is refused. (`AllowOverride None` looks for none.)
UNSAID = Override()


class ETag(Flag):
    """The parts of `FileETag`."""

    NONE = 0
    INODE = auto()
    MTIME = auto()
    SIZE = auto()
    DIGEST = auto()

    #: There is one of each combination; Enum's own hash, of the name, is slow.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class ETagSet:
    """`FileETag` of one section: absolute, or + and -."""

    base: ETag | None = None
    add: ETag = ETag.NONE
    remove: ETag = ETag.NONE
    #: The parts in force; Apache's default is MTime Size.
    value: ETag = field(init=False, compare=False)

    def __post_init__(self) -> None:
        base = ETag.MTIME | ETag.SIZE if self.base is None else self.base
        object.__setattr__(self, "value", (base & ~self.remove) | self.add)


def fold_etag(outer: ETagSet, inner: ETagSet) -> ETagSet:
    """As `fold_options`."""
    if inner.base is not None:
        return inner
    return ETagSet(outer.base, (outer.add & ~inner.remove) | inner.add, (outer.remove & ~inner.add) | inner.remove)


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """One `ErrorDocument`: exactly one of the three is set, none for `default`."""

    text: str | None = None
    #: Local path: answered by an internal redirect. An expression (`%{…}`) is kept compiled in `path_expr`.
    path: str | None = None
    url: str | None = None
    #: Compiled expression for whichever is set, if it has one.
    expr: Any = None


@dataclass(frozen=True, slots=True)
class CoreDir:
    """What this directory says, after all enclosing sections were folded together."""

    options: OptionSet = setting(OptionSet(), fold=fold_options)
    override: Override = UNSAID
    override_list: frozenset[str] = frozenset()
    accept_path_info: str = "default"
    #: None: off.
    default_charset: str | None = None
    content_digest: bool = False
    use_canonical_name: str = "off"
    use_canonical_physical_port: bool = False
    hostname_lookups: str = "off"
    server_signature: str = "off"
    error_documents: Mapping[int, ErrorDocument] = setting({}, fold=overlay)
    #: A string, a compiled expression, or None; "none" was turned into "" (take back an enclosing one).
    force_type: Any = None
    set_handler: Any = None
    output_filters: tuple[str, ...] = ()
    input_filters: tuple[str, ...] = ()
    file_etag: ETagSet = setting(ETagSet(), fold=fold_etag)
    enable_mmap: bool = True
    enable_sendfile: bool = False
    #: Largest request body, 0 for no limit.
    limit_request_body: int = 1 << 30
    limit_xml_request_body: int = 1_000_000
    #: -1: no limit, 0: ranges are ignored.
    max_ranges: int = 200
    max_range_overlaps: int = 20
    max_range_reversals: int = 20
    qualify_redirect_url: bool = False
    cgi_pass_auth: bool = False
    cgi_vars: Mapping[str, str] = setting({}, fold=overlay)
    rlimit_cpu: tuple[str, ...] = ()
    rlimit_mem: tuple[str, ...] = ()
    rlimit_nproc: tuple[str, ...] = ()
    read_buffer_size: int = 8192
    #: Short module name, or "" for all others → level.
    log_levels: Mapping[str, int] = setting({}, fold=overlay)


@dataclass(frozen=True, slots=True)
class CoreServer:
    """What a server or virtual host says, folded over the main server."""

    server_admin: str = "[no address given]"
    #: Host part of `ServerName`; None: found out from the machine's name.
    server_name: str | None = None
    #: Port and scheme of `ServerName`, if it has them.
    server_port: int | None = None
    server_scheme: str | None = None
    #: `ServerAlias` names without and with wildcards; only what stands in the virtual host itself.
    aliases: tuple[str, ...] = ()
    wild_aliases: tuple[str, ...] = ()
    server_path: str | None = None
    document_root: str = "/usr/local/apache2/htdocs"
    access_file_names: tuple[str, ...] = (".htaccess",)
    allow_encoded_slashes: str = "off"
    keep_alive: bool = True
    keep_alive_timeout: float = 5.0
    max_keep_alive_requests: int = 100
    timeout: float = 60.0
    limit_request_line: int = 8190
    limit_request_fields: int = 100
    limit_request_field_size: int = 8190
    limit_internal_redirects: int = 10
    limit_internal_subrequests: int = 10
    trace_enable: str = "on"
    server_tokens: str = "full"
    error_log: str = "logs/error_log"
    #: Formats of `ErrorLogFormat`: "" the line's, "request" and "connection" for the once-lines.
    error_log_formats: Mapping[str, tuple[str, ...]] = setting({}, fold=overlay)
    log_levels: Mapping[str, int] = setting({}, fold=overlay)
    strict: bool = True
    lenient_methods: bool = True
    allow_09: bool = True
    registered_methods: frozenset[str] = frozenset()
    merge_slashes: bool = True
    merge_trailers: bool = False
    strict_host_check: bool = False
    protocols: tuple[str, ...] = ("http/1.1",)
    protocols_honor_order: bool = True
    protocol: str | None = None
    accept_filters: Mapping[str, str] = setting({}, fold=overlay)
    extended_status: bool | None = None
    see_request_tail: bool = False
    flush_max_threshold: int = 65535
    flush_max_pipelined: int = 5
    mutexes: Mapping[str, str] = setting({}, fold=overlay)
    regex_options: tuple[str, ...] = ()
    #: Where the server or virtual host was defined.
    location: Location | None = None
