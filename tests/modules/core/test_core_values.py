"""What each directive of core, http_core, mod_unixd and the MPMs sets: the line, the field, the value.

Which lines are refused, and in what words, is in `tests/unit/config/recorded/`.
"""

from pathlib import Path

import pytest

from coachwhip.api import CoreDir, CoreServer, ErrorDocument, Options, Where
from coachwhip.api.core import ETag, ETagSet, OptionSet, Override
from coachwhip.api.mpm import Listener, ServerMpm
from coachwhip.config import ConfigError, Folded, Loaded, LoadOptions, load

ROOT = "/srv/server-root"
FILE = f"{ROOT}/httpd.conf"


def read(text: str, mpm: str = "event") -> Loaded:
    source = f"LoadModule mpm_{mpm}_module modules/mod_mpm_{mpm}.so\n{text}\n".encode()
    return load(LoadOptions(ROOT, FILE, texts={FILE: source}, environment={}, check_document_root=False))


def set_by(lines: str, config: type, field: str, mpm: str = "event") -> object:
    """What the main server's own section sets."""
    (base,) = read(lines, mpm).main.sections.base
    return base.get(config, field)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ServerAdmin a@b", "server_admin", "a@b"),
        ("ServerName a.example", "server_name", "a.example"),
        ("ServerName a.example:8080", "server_port", 8080),
        ("ServerName a.example", "server_port", None),
        ("ServerName https://a.example:8443", "server_scheme", "https"),
        ("ServerName https://a.example/", "server_name", "a.example"),
        ("ServerPath /x", "server_path", "/x"),
        ("DocumentRoot htdocs", "document_root", f"{ROOT}/htdocs"),
        ("DocumentRoot /a/../b/", "document_root", "/b/"),
        ("AccessFileName .a .b", "access_file_names", (".a", ".b")),
        ("AllowEncodedSlashes NoDecode", "allow_encoded_slashes", "nodecode"),
        ("KeepAlive Off", "keep_alive", False),
        ("KeepAliveTimeout 7", "keep_alive_timeout", 7.0),
        ("KeepAliveTimeout 500ms", "keep_alive_timeout", 0.5),
        ("MaxKeepAliveRequests 0", "max_keep_alive_requests", 0),
        ("Timeout 60seconds", "timeout", 60.0),
        ("LimitRequestLine 100", "limit_request_line", 100),
        ("LimitRequestFields 0", "limit_request_fields", 0),
        ("LimitRequestFieldSize 4k", "limit_request_field_size", 4),
        ("LimitInternalRecursion 5", "limit_internal_subrequests", 5),
        ("LimitInternalRecursion 5 7", "limit_internal_subrequests", 7),
        ("LimitInternalRecursion 5 7", "limit_internal_redirects", 5),
        ("TraceEnable Extended", "trace_enable", "extended"),
        ("ServerTokens ProductOnly", "server_tokens", "prod"),
        ("ServerTokens Min", "server_tokens", "minimal"),
        ("ErrorLog logs/x", "error_log", f"{ROOT}/logs/x"),
        ('ErrorLog "|/bin/x -a"', "error_log", "|/bin/x -a"),
        ("ErrorLog syslog:local7", "error_log", "syslog:local7"),
        ('ErrorLogFormat "a %M"\nErrorLogFormat "b %M"', "error_log_formats", {"": ("b %M",)}),
        (
            'ErrorLogFormat request "a"\nErrorLogFormat request "b"\nErrorLogFormat connection "c"',
            "error_log_formats",
            {"request": ("a", "b"), "connection": ("c",)},
        ),
        ("LogLevel debug", "log_levels", {"": 7}),
        ("LogLevel info core:trace8 unixd_module:crit mod_so.c:emerg", "log_levels", {"": 6, "core": 15, "unixd": 2, "so": 0}),
        ("LogLevel core:debug\nLogLevel so:debug", "log_levels", {"core": 7, "so": 7}),
        ("LogLevel core:debug\nLogLevel warn", "log_levels", {"": 4}),
        ("HttpProtocolOptions Unsafe", "strict", False),
        ("HttpProtocolOptions RegisteredMethods Require1.0", "lenient_methods", False),
        ("HttpProtocolOptions RegisteredMethods Require1.0", "allow_09", False),
        ("RegisterHttpMethod A B\nRegisterHttpMethod C", "registered_methods", frozenset("ABC")),
        ("<Directory />\n<Limit GET MYOWN>\n</Limit>\n</Directory>", "registered_methods", frozenset(["MYOWN"])),
        ("MergeSlashes Off", "merge_slashes", False),
        ("MergeTrailers Off", "merge_trailers", False),
        ("StrictHostCheck On", "strict_host_check", True),
        ("Protocols H2 http/1.1", "protocols", ("h2", "http/1.1")),
        ("ProtocolsHonorOrder Off", "protocols_honor_order", False),
        ("AcceptFilter http none\nAcceptFilter https data", "accept_filters", {"http": "none", "https": "data"}),
        ("ExtendedStatus On", "extended_status", True),
        ("SeeRequestTail On", "see_request_tail", True),
        ("FlushMaxPipelined -1", "flush_max_pipelined", -1),
        ("Mutex sem\nMutex none watchdog-callback", "mutexes", {"default": "sem", "watchdog-callback": "none"}),
        ("RegexDefaultOptions none +dotall DOLLAR_ENDONLY", "regex_options", ("dollar_endonly", "dotall")),
    ],
)
def test_server_settings(line: str, field: str, value: object) -> None:
    assert set_by(line, CoreServer, field) == value


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("AcceptPathInfo On", "accept_path_info", "on"),
        ("AddDefaultCharset On", "default_charset", "iso-8859-1"),
        ("AddDefaultCharset Off", "default_charset", None),
        ("AddDefaultCharset UTF-8", "default_charset", "UTF-8"),
        ("ContentDigest On", "content_digest", True),
        ("UseCanonicalName On", "use_canonical_name", "on"),
        ("UseCanonicalPhysicalPort On", "use_canonical_physical_port", True),
        ("HostnameLookups Double", "hostname_lookups", "double"),
        ("ServerSignature EMail", "server_signature", "email"),
        (
            "ErrorDocument 404 /x\nErrorDocument 500 default",
            "error_documents",
            {404: ErrorDocument(path="/x"), 500: ErrorDocument()},
        ),
        ('ErrorDocument 404 "not here"', "error_documents", {404: ErrorDocument(text="not here")}),
        ("ErrorDocument 404 gone", "error_documents", {404: ErrorDocument(text="gone")}),
        ('ErrorDocument 404 "/not here"', "error_documents", {404: ErrorDocument(text="/not here")}),
        ("ErrorDocument 404 http://h/x", "error_documents", {404: ErrorDocument(url="http://h/x")}),
        ("ErrorDocument 401 http://h/x", "error_documents", {}),
        ("ForceType text/x", "force_type", "text/x"),
        ("ForceType None", "force_type", ""),
        ("SetHandler server-status", "set_handler", "server-status"),
        ("SetHandler none", "set_handler", ""),
        ("SetOutputFilter A;B", "output_filters", ("A", "B")),
        ("SetInputFilter A", "input_filters", ("A",)),
        ("EnableMMAP Off", "enable_mmap", False),
        ("EnableSendfile On", "enable_sendfile", True),
        ("LimitRequestBody 0", "limit_request_body", 0),
        ("LimitXMLRequestBody 5", "limit_xml_request_body", 5),
        ("MaxRanges none", "max_ranges", 0),
        ("MaxRanges unlimited", "max_ranges", -1),
        ("MaxRanges default", "max_ranges", 200),
        ("MaxRangeOverlaps default", "max_range_overlaps", 20),
        ("MaxRangeReversals 5", "max_range_reversals", 5),
        ("QualifyRedirectURL On", "qualify_redirect_url", True),
        ("CGIVar REQUEST_URI current-uri", "cgi_vars", {"REQUEST_URI": "current-uri"}),
        ("RLimitCPU 5 max", "rlimit_cpu", ("5", "max")),
        ("RLimitNPROC 5", "rlimit_nproc", ("5",)),
        ("ReadBufferSize 16384", "read_buffer_size", 16384),
    ],
)
def test_directory_settings(line: str, field: str, value: object) -> None:
    assert set_by(line, CoreDir, field) == value


EXEC = Options.INCLUDES_EXEC


@pytest.mark.parametrize(
    ("lines", "inner", "value"),
    [
        ("", "", Options.FOLLOW_SYM_LINKS),
        ("Options None", "", Options.NONE),
        ("Options All", "", Options.ALL),
        ("Options Indexes MultiViews", "", Options.INDEXES | Options.MULTI_VIEWS),
        ("Options +Indexes", "", Options.INDEXES | Options.FOLLOW_SYM_LINKS),
        ("Options -FollowSymLinks", "", Options.NONE),
        ("Options Indexes\nOptions +ExecCGI", "", Options.INDEXES | Options.EXEC_CGI),
        ("Options Indexes\nOptions ExecCGI", "", Options.EXEC_CGI),
        ("Options All", "Options -Indexes", Options.ALL & ~Options.INDEXES),
        ("Options Indexes", "Options +Includes", Options.INDEXES | Options.INCLUDES | EXEC),
        # Without exec means without, whatever the enclosing section says.
        ("Options Includes", "Options +IncludesNOEXEC", Options.INCLUDES),
        ("Options Includes", "Options IncludesNOEXEC", Options.INCLUDES),
        ("Options Indexes", "Options FollowSymLinks", Options.FOLLOW_SYM_LINKS),
    ],
)
def test_options_of_a_section_in_a_section(lines: str, inner: str, value: Options) -> None:
    loaded = read(f"{lines}\n<Directory />\n{inner}\n</Directory>")
    sections = (*loaded.main.sections.base, *loaded.main.sections.directories)
    assert Folded(sections).get(CoreDir).options.value == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("FileETag None", ETag.NONE),
        ("FileETag All", ETag.INODE | ETag.MTIME | ETag.SIZE),
        ("FileETag MTime", ETag.MTIME),
        ("FileETag +INode", ETag.MTIME | ETag.SIZE | ETag.INODE),
        ("FileETag -MTime", ETag.SIZE),
        ("FileETag All -Size", ETag.INODE | ETag.MTIME),
        ("FileETag None Size", ETag.SIZE),
        ("FileETag Digest", ETag.DIGEST),
        ("FileETag", ETag.MTIME | ETag.SIZE),
    ],
)
def test_file_etag(line: str, value: ETag) -> None:
    etag = set_by(line, CoreDir, "file_etag")
    assert isinstance(etag, ETagSet) and etag.value == value


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("AllowOverride None", Override()),
        ("AllowOverride All", Override(Where.ALL)),
        ("AllowOverride AuthConfig Indexes", Override(Where.AUTHCONFIG | Where.INDEXES)),
        ("AllowOverride Options=Indexes,MultiViews", Override(Where.OPTIONS, Options.INDEXES | Options.MULTI_VIEWS)),
        ("AllowOverride Options", Override(Where.OPTIONS)),
        ("AllowOverride FileInfo Nonfatal=Unknown", Override(Where.FILEINFO, None, "unknown")),
    ],
)
def test_allow_override(line: str, value: Override) -> None:
    (section,) = read(f"<Directory />\n{line}\n</Directory>").main.sections.directories
    assert section.get(CoreDir, "override") == value


def test_allow_override_list_keeps_the_names_that_may_stand_in_htaccess() -> None:
    (section,) = read("<Directory />\nAllowOverrideList ErrorDocument ForceType\n</Directory>").main.sections.directories
    assert section.get(CoreDir, "override_list") == {"errordocument", "forcetype"}


def test_expressions_are_compiled_where_they_may_stand() -> None:
    handler = set_by('SetHandler "%{reqenv:X}"', CoreDir, "set_handler")
    documents = set_by('ErrorDocument 404 "/%{HTTP_HOST}"', CoreDir, "error_documents")
    assert handler.is_string
    assert documents[404].path == "/%{HTTP_HOST}" and documents[404].expr.variables == {"HTTP_HOST"}


@pytest.mark.parametrize("text", [r"a \\\\ b", "a $1 b", "a %{HTTP_HOST} b"])
def test_an_error_documents_text_is_an_expressions_string(text: str) -> None:
    documents = set_by(f'ErrorDocument 404 "{text}"', CoreDir, "error_documents")
    assert documents[404].text is not None and documents[404].expr.is_string


@pytest.mark.parametrize("text", ["a b", "100 % sure", '\\"quoted\\" text'])
def test_a_plain_text_needs_no_expression(text: str) -> None:
    documents = set_by(f'ErrorDocument 404 "{text}"', CoreDir, "error_documents")
    assert documents[404].expr is None


def test_log_levels_of_a_section_stay_in_it() -> None:
    loaded = read("<Directory />\nLogLevel core:debug\n</Directory>")
    assert loaded.main.core.log_levels == {}
    assert loaded.main.sections.directories[0].get(CoreDir, "log_levels") == {"core": 7}


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("ListenBacklog 5", "listen_backlog", 5),
        ("ListenBackLog 5", "listen_backlog", 5),
        ("SendBufferSize 0", "send_buffer_size", 0),
        ("ReceiveBufferSize 4096", "receive_buffer_size", 4096),
        ("StartServers 3", "start_servers", 3),
        ("ServerLimit 3", "server_limit", 3),
        ("MaxRequestWorkers 30", "max_request_workers", 30),
        ("MaxClients 30", "max_request_workers", 30),
        ("ThreadsPerChild 30", "threads_per_child", 30),
        ("ThreadLimit 30", "thread_limit", 30),
        ("MinSpareThreads 30", "min_spare_threads", 30),
        ("MaxSpareThreads 30", "max_spare_threads", 30),
        ("AsyncRequestWorkerFactor 1.5", "async_request_worker_factor", 1.5),
        ("MaxConnectionsPerChild 30", "max_connections_per_child", 30),
        ("MaxRequestsPerChild 30", "max_connections_per_child", 30),
        ("GracefulShutdownTimeout 3", "graceful_shutdown_timeout", 3),
        ("PidFile run/pid", "pid_file", f"{ROOT}/run/pid"),
        ("User www-data", "user", "www-data"),
        ("Group #33", "group", "#33"),
        ("Listen 80", "listeners", 80),
    ],
)
def test_process_settings(line: str, field: str, value: object) -> None:
    found = set_by(line, ServerMpm, field)
    if field == "listeners":
        (listener,) = found
        assert isinstance(listener, Listener)
        found = listener.port
    assert found == value


def test_prefork_has_directives_of_its_own() -> None:
    assert set_by("MinSpareServers 3", ServerMpm, "min_spare_servers", "prefork") == 3
    with pytest.raises(ConfigError, match="Invalid command 'ThreadsPerChild'"):
        read("ThreadsPerChild 3", "prefork")
    with pytest.raises(ConfigError, match="Invalid command 'MinSpareServers'"):
        read("MinSpareServers 3", "worker")


@pytest.mark.parametrize("user", ["root", "#0", "#", "#x", "# 0"])
def test_workers_never_run_as_root(user: str) -> None:
    with pytest.raises(ConfigError, match="User must not be root"):
        read(f'User "{user}"')


def test_a_document_root_must_exist_unless_it_is_not_checked(tmp_path: Path) -> None:
    text = f"DocumentRoot {tmp_path}/nope\n".encode()
    with pytest.raises(ConfigError, match="is not a directory, or is not readable"):
        load(LoadOptions(ROOT, FILE, texts={FILE: text}))
    assert load(LoadOptions(ROOT, FILE, texts={FILE: text}, check_document_root=False)).main.core.document_root


def test_options_set_directly_replaces_signs_before_it() -> None:
    assert set_by("Options +Indexes\nOptions None", CoreDir, "options") == OptionSet(Options.NONE)


@pytest.mark.parametrize("line", ["MergeTrailers On", "Suexec On"])
def test_what_we_cannot_do_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"not supported yet|isn.t supported"):
        read(line)
