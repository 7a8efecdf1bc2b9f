"""core's directives that hold for a directory, file or URL: the rows that set `CoreDir`, and how their values are checked.

Knows nothing of requests. Source: Apache manual, "Apache Core Features"; accepted words and sentences compared with 2.4.71.
"""

from __future__ import annotations

import re
from typing import Any

from coachwhip.api.core import CoreDir, CoreServer, ErrorDocument
from coachwhip.api.directives import Args, Directive, DirectiveContext, Repeat, Where
from coachwhip.api.log import Level
from coachwhip.api.values import choice, leading_int, number, refuse
from coachwhip.expr import ExprError, Expression, parse
from coachwhip.modules.core.bit_words import read_allow_override, read_allow_override_list, read_file_etag, read_options

__all__ = ["DIR_ROWS"]

ANYWHERE = Where.SERVER | Where.SECTION


def _default_charset(context: DirectiveContext, word: str) -> str | None:
    lower = word.lower()
    return None if lower == "off" else "iso-8859-1" if lower == "on" else word


def _default_type(context: DirectiveContext, word: str) -> None:
    if word.lower() != "none":
        context.warn(
            f"Ignoring deprecated use of DefaultType in line {context.location.line} of {context.location.file}.", "AH00117"
        )


def _canonical_name(context: DirectiveContext, word: str) -> str:
    return choice(("on", "off", "dns"), "parameter must be 'on', 'off', or 'dns'")(context, word)


def _on_off(context: DirectiveContext, word: str) -> bool:
    return choice(("on", "off"), "parameter must be 'on' or 'off'")(context, word) == "on"


_STATUSES = frozenset(
    (
        *range(100, 104),
        *range(200, 209),
        226,
        *range(300, 306),
        307,
        308,
        *range(400, 418),
        421,
        422,
        423,
        424,
        426,
        428,
        429,
        431,
        451,
    )
) | frozenset((*range(500, 509), 510, 511))
_URL = re.compile(r"[A-Za-z0-9+.\-]+://", re.ASCII)


def _error_document(context: DirectiveContext, status: str, what: str) -> dict[int, ErrorDocument]:
    if not re.fullmatch(r"[0-9]{3}", status, re.ASCII) or int(status) not in _STATUSES:
        raise refuse(f"Unsupported HTTP response code {status}")
    code = int(status)
    if what.lower() == "default":
        return {code: ErrorDocument()}
    # The whole is an expression's string: a backslash and `$1` mean something in it too.
    expr = _expression(what, "Cannot parse expression in ErrorDocument: ", context) if re.search(r"\\|%\{|\$", what) else None
    if " " in what:
        return {code: ErrorDocument(text=what, expr=expr)}
    if what.startswith("/"):
        return {code: ErrorDocument(path=what, expr=expr)}
    if not _URL.match(what):
        return {code: ErrorDocument(text=what, expr=expr)}
    if code == 401:
        place = f"{context.location.file}:{context.location.line}"
        context.warn(f"{place} cannot use a full URL in a 401 ErrorDocument directive --- ignoring!", "AH00113")
        return {}
    return {code: ErrorDocument(url=what, expr=expr)}


def _expression(text: str, error_prefix: str, context: DirectiveContext) -> Expression:
    try:
        return parse(text, string=True, restricted=context.in_htaccess)
    except ExprError as error:
        raise refuse(f"{error_prefix}{error.message}") from error


def _set_handler(context: DirectiveContext, word: str) -> Any:
    if word.lower() == "none":
        return ""
    return _expression(word, "Can't parse expression : ", context) if "%{" in word else word


def _force_type(context: DirectiveContext, word: str) -> str:
    return "" if word.lower() == "none" else word


def _filters(context: DirectiveContext, word: str) -> tuple[str, ...]:
    return tuple(name for name in word.split(";") if name)


def _body_limit(context: DirectiveContext, word: str) -> int:
    if not re.fullmatch(r"[0-9]+", word, re.ASCII):
        raise refuse(f"{context.directive} requires a non-negative integer.")
    if len(word) > 18:
        raise refuse(f"{context.directive} argument is not parsable.")
    return int(word)


def _xml_limit(context: DirectiveContext, word: str) -> int:
    value = leading_int(context.directive, word)
    if value < 0:
        raise refuse(f"{context.directive} requires a non-negative integer.")
    return value


def _range_limit(default: int) -> Any:
    words = {"none": 0, "unlimited": -1, "default": default}

    def read(context: DirectiveContext, word: str) -> int:
        lower = word.lower()
        if lower in words:
            return words[lower]
        if not re.fullmatch(r"[0-9]{1,9}", word, re.ASCII) or not int(word):
            raise refuse(f"{context.directive} requires 'none', 'default', 'unlimited' or a positive integer")
        return int(word)

    return read


def _cgi_var(context: DirectiveContext, name: str, rule: str) -> dict[str, str]:
    if name != "REQUEST_URI":
        raise refuse(f'Unrecognized CGI variable: "{name}"')
    if rule not in ("current-uri", "original-uri"):
        raise refuse("Valid rules for REQUEST_URI are 'current-uri' and 'original-uri'")
    return {name: rule}


_LEVELS = {level.name.lower(): int(level) for level in Level}
_LEVEL_WORDS = "Log level keyword must be one of emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8"


def log_levels(context: DirectiveContext, words: tuple[str, ...]) -> dict[str, int]:
    """Short module name, or "" for all others → level."""
    levels: dict[str, int] = {}
    for word in words:
        module, colon, level = word.rpartition(":")
        if not colon:
            levels = {"": _level(level, "")}
            continue
        if not level:
            raise refuse(f"Module specifier '{module}' must be followed by a log level keyword")
        value = _level(level, f"{word}: ")
        short = context.find_module(module)
        if short is None:
            raise refuse(f"Cannot find module {module}")
        levels[short] = value
    return levels


def _level(word: str, prefix: str) -> int:
    value = _LEVELS.get(word.lower())
    if value is None:
        raise refuse(prefix + _LEVEL_WORDS)
    return value


def _log_level(context: DirectiveContext, *words: str) -> None:
    config: type[Any] = CoreServer if context.at_server_level else CoreDir
    levels = log_levels(context, words)
    # A level for all others takes back what stood before it.
    before = {} if "" in levels else context.value_of(config, "log_levels") or {}
    context.set(config, "log_levels", {**before, **levels})


DIR_ROWS = (
    Directive(
        "Options", sets="options", value=read_options, args=Args.RAW, where=Where.OPTIONS, help="what is possible in a folder"
    ),
    Directive(
        "AllowOverride",
        sets="override",
        value=read_allow_override,
        args=Args.RAW,
        where=Where.SECTION,
        help="what .htaccess files may say",
    ),
    Directive(
        "AllowOverrideList",
        sets="override_list",
        value=read_allow_override_list,
        args=Args.ARGV,
        where=Where.SECTION,
        help="single directives that .htaccess files may have",
    ),
    Directive(
        "AcceptPathInfo",
        sets="accept_path_info",
        value=choice(("on", "off", "default"), "AcceptPathInfo must be set to on, off or default"),
        args=Args.ONE,
        where=Where.FILEINFO,
        help="whether a URL may go on behind a file",
    ),
    Directive(
        "AddDefaultCharset",
        sets="default_charset",
        value=_default_charset,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="charset for text types without one, or Off",
    ),
    Directive("DefaultType", value=_default_type, args=Args.ONE, where=Where.FILEINFO, help="ignored since Apache 2.4"),
    Directive("ContentDigest", sets="content_digest", args=Args.FLAG, where=Where.OPTIONS, help="whether Content-MD5 is sent"),
    Directive(
        "UseCanonicalName",
        sets="use_canonical_name",
        value=_canonical_name,
        args=Args.ONE,
        where=ANYWHERE,
        help="where the server's own name comes from",
    ),
    Directive(
        "UseCanonicalPhysicalPort",
        sets="use_canonical_physical_port",
        value=_on_off,
        args=Args.ONE,
        where=ANYWHERE,
        help="whether the real port is used in URLs",
    ),
    Directive(
        "HostnameLookups",
        sets="hostname_lookups",
        value=choice(("on", "off", "double"), "parameter must be 'on', 'off', or 'double'"),
        args=Args.ONE,
        where=ANYWHERE,
        help="whether clients' names are looked up",
    ),
    Directive(
        "ServerSignature",
        sets="server_signature",
        value=choice(("on", "off", "email"), "ServerSignature: use one of: off | on | email"),
        args=Args.ONE,
        where=Where.ALL,
        help="the footer of generated pages",
        differs="the footer names Coachwhip and its version",
    ),
    Directive(
        "ErrorDocument",
        sets="error_documents",
        value=_error_document,
        repeat=Repeat.UPDATE,
        args=Args.TWO,
        where=Where.FILEINFO,
        help="a status, and a text, path or URL to answer it with",
    ),
    Directive(
        "ForceType",
        sets="force_type",
        value=_force_type,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="a media type whatever the file",
    ),
    Directive(
        "SetHandler",
        sets="set_handler",
        value=_set_handler,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="a handler whatever the file",
    ),
    Directive(
        "SetOutputFilter",
        sets="output_filters",
        value=_filters,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="filters for answers, with ; between",
    ),
    Directive(
        "SetInputFilter",
        sets="input_filters",
        value=_filters,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="filters for request bodies, with ; between",
    ),
    Directive(
        "FileETag",
        sets="file_etag",
        value=read_file_etag,
        args=Args.RAW,
        where=Where.FILEINFO,
        help="what an entity tag is made of",
    ),
    Directive(
        "EnableMMAP",
        sets="enable_mmap",
        value=_on_off,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="whether files may be mapped into memory",
        differs="accepted; files are never mapped into memory",
    ),
    Directive(
        "EnableSendfile",
        sets="enable_sendfile",
        value=_on_off,
        args=Args.ONE,
        where=Where.FILEINFO,
        help="whether the system sends files itself",
        differs="accepted; large files that no filter changes go out by `sendfile` where the system has it, small ones from memory",
    ),
    Directive(
        "LimitRequestBody",
        sets="limit_request_body",
        value=_body_limit,
        args=Args.ONE,
        where=Where.ALL,
        help="largest request body in bytes, 0 for any",
    ),
    Directive(
        "LimitXMLRequestBody",
        sets="limit_xml_request_body",
        value=_xml_limit,
        args=Args.ONE,
        where=Where.ALL,
        help="largest XML request body in bytes",
        differs="accepted; nothing here reads a request body as XML",
    ),
    Directive("MaxRanges", sets="max_ranges", value=_range_limit(200), args=Args.ONE, where=ANYWHERE, help="ranges in one request"),
    Directive(
        "MaxRangeOverlaps",
        sets="max_range_overlaps",
        value=_range_limit(20),
        args=Args.ONE,
        where=ANYWHERE,
        help="overlapping ranges in one request",
    ),
    Directive(
        "MaxRangeReversals",
        sets="max_range_reversals",
        value=_range_limit(20),
        args=Args.ONE,
        where=ANYWHERE,
        help="ranges that go back in one request",
    ),
    Directive(
        "QualifyRedirectURL",
        sets="qualify_redirect_url",
        args=Args.FLAG,
        where=Where.FILEINFO,
        help="whether REDIRECT_URL has scheme and host",
        differs="accepted; no program is ever run for a request, so nothing asks for it",
    ),
    Directive(
        "CGIPassAuth",
        sets="cgi_pass_auth",
        args=Args.FLAG,
        where=Where.AUTHCONFIG,
        help="whether scripts see Authorization",
        differs="accepted; no program is ever run for a request, so nothing asks for it",
    ),
    Directive(
        "CGIVar",
        sets="cgi_vars",
        value=_cgi_var,
        repeat=Repeat.UPDATE,
        args=Args.TWO,
        where=Where.FILEINFO,
        help="how a CGI variable is made",
        differs="accepted; no program is ever run for a request, so nothing asks for it",
    ),
    Directive(
        "RLimitCPU",
        sets="rlimit_cpu",
        args=Args.ONE_OR_TWO,
        where=Where.ALL,
        value=lambda context, *words: words,
        help="CPU seconds of a script, soft and hard",
        differs="accepted; no program is ever run for a request, so there is nothing to limit",
    ),
    Directive(
        "RLimitMEM",
        sets="rlimit_mem",
        args=Args.ONE_OR_TWO,
        where=Where.ALL,
        value=lambda context, *words: words,
        help="memory of a script in bytes, soft and hard",
        differs="accepted; no program is ever run for a request, so there is nothing to limit",
    ),
    Directive(
        "RLimitNPROC",
        sets="rlimit_nproc",
        args=Args.ONE_OR_TWO,
        where=Where.ALL,
        value=lambda context, *words: words,
        help="processes of a script's user, soft and hard",
        differs="accepted; no program is ever run for a request, so there is nothing to limit",
    ),
    Directive(
        "ReadBufferSize",
        sets="read_buffer_size",
        value=number(0, 4294967295, "0", "(4294967295U))"),
        args=Args.ONE,
        where=ANYWHERE,
        help="bytes that are read from a file at once",
        differs="accepted; how much is read at once is this server's own choice",
    ),
    Directive(
        "LogLevel", value=_log_level, args=Args.WORDS, where=ANYWHERE, help="how much is logged, for all or for single modules"
    ),
)
