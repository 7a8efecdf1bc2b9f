"""core's directives that hold for a server or virtual host: the rows that set `CoreServer`, and how their values are checked.

Source: Apache manual, "Apache Core Features"; accepted words and sentences compared with 2.4.71.
"""

from __future__ import annotations

import re
from typing import Any

from coachwhip.api.core import CoreServer
from coachwhip.api.directives import Args, Directive, DirectiveContext, Repeat, Where
from coachwhip.api.values import choice, leading_int, number, refuse

__all__ = ["SERVER_ROWS"]


def _server_name(context: DirectiveContext, word: str) -> None:
    if re.search(r"[*?\[]", word) or (" " in word and word.startswith("[")):
        raise refuse(f'Invalid ServerName "{word}" use ServerAlias to set multiple server names.')
    scheme, separator, host = word.rpartition("://")
    # Whatever stands before a scheme's slashes is taken for the scheme, and a final slash is not part of the name.
    host = host.partition("/")[0] if separator else word
    name, colon, port = host.partition(":")
    if colon and not (re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and 1 <= int(port) <= 65535):
        raise refuse(f'The port number "{word}" is outside the appropriate range (i.e., 1..65535).')
    context.set(CoreServer, "server_name", name)
    context.set(CoreServer, "server_scheme", scheme if separator else None)
    context.set(CoreServer, "server_port", int(port) if port else None)


def _server_alias(context: DirectiveContext, raw: str) -> None:
    if not context.in_virtual_host:
        raise refuse("ServerAlias only used in <VirtualHost>")
    names = context.words(raw)
    plain: tuple[str, ...] = context.value_of(CoreServer, "aliases") or ()
    wild: tuple[str, ...] = context.value_of(CoreServer, "wild_aliases") or ()
    context.set(CoreServer, "aliases", (*plain, *[name for name in names if not re.search(r"[*?]", name)]))
    context.set(CoreServer, "wild_aliases", (*wild, *[name for name in names if re.search(r"[*?]", name)]))


def _document_root(context: DirectiveContext, word: str) -> str:
    path = context.server_path(word)
    if context.checks_document_root and not context.is_directory(path):
        if context.in_virtual_host:
            context.warn(f"Warning: DocumentRoot [{path}] does not exist", "AH00112")
            return path
        raise refuse(f"DocumentRoot '{path}' is not a directory, or is not readable")
    return path


def _access_file_names(context: DirectiveContext, raw: str) -> tuple[str, ...]:
    return tuple(context.words(raw))


def _timeout(context: DirectiveContext, word: str) -> float:
    return float(leading_int(context.directive, word))


def _limit(sentence: str) -> Any:
    def read(context: DirectiveContext, word: str) -> int:
        value = leading_int(context.directive, word)
        if value < 0:
            raise refuse(f'{context.directive} "{word}" must be a non-negative integer{sentence}')
        return value

    return read


def _recursion(context: DirectiveContext, redirects: str, subrequests: str | None = None) -> None:
    depth = _depth(context, redirects)
    if depth < 2:
        context.warn("Limiting internal redirects to very low numbers may cause normal requests to fail.", "AH00119")
    context.set(CoreServer, "limit_internal_redirects", depth)
    context.set(CoreServer, "limit_internal_subrequests", _depth(context, subrequests) if subrequests else depth)


def _depth(context: DirectiveContext, word: str) -> int:
    found = re.match(r"\s*([+-]?[0-9]{1,9})", word, re.ASCII)
    if found is None or int(found[1]) <= 0:
        raise refuse("The recursion limit must be greater than zero.")
    return int(found[1])


_TOKENS = {
    "os": "os",
    "min": "minimal",
    "minimal": "minimal",
    "major": "major",
    "minor": "minor",
    "prod": "prod",
    "productonly": "prod",
    "full": "full",
}


def _server_tokens(context: DirectiveContext, word: str) -> str:
    found = _TOKENS.get(word.lower())
    if found is None:
        raise refuse("ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or 'Full'")
    return found


_PROTOCOL_OPTIONS: dict[str, tuple[str, bool]] = {
    "strict": ("strict", True),
    "unsafe": ("strict", False),
    "registeredmethods": ("lenient_methods", False),
    "lenientmethods": ("lenient_methods", True),
    "allow0.9": ("allow_09", True),
    "require1.0": ("allow_09", False),
}
_OPPOSITE = {
    "strict": "'Strict' and 'Unsafe'",
    "lenient_methods": "'RegisteredMethods' and 'LenientMethods'",
    "allow_09": "'Allow0.9' and 'Require1.0'",
}


def _protocol_options(context: DirectiveContext, *words: str) -> None:
    for word in words:
        found = _PROTOCOL_OPTIONS.get(word.lower())
        if found is None:
            raise refuse(
                "HttpProtocolOptions accepts 'Unsafe' or 'Strict' (default), 'RegisteredMethods' or 'LenientMethods' (default), "
                "and 'Require1.0' or 'Allow0.9' (default)"
            )
        field, value = found
        before = context.value_of(CoreServer, field)
        if before is not None and before is not value:
            raise refuse(f"HttpProtocolOptions {_OPPOSITE[field]} are mutually exclusive")
        context.set(CoreServer, field, value)


def _methods(context: DirectiveContext, *words: str) -> frozenset[str]:
    return (context.value_of(CoreServer, "registered_methods") or frozenset()) | set(words)


def _protocols(context: DirectiveContext, *words: str) -> tuple[str, ...]:
    before: tuple[str, ...] = context.value_of(CoreServer, "protocols") or ()
    return tuple(dict.fromkeys((*before, *[word.lower() for word in words])))


def _honor_order(context: DirectiveContext, word: str) -> bool:
    return choice(("on", "off"), "ProtocolsHonorOrder must be 'on' or 'off'")(context, word) == "on"


def _merge_trailers(context: DirectiveContext, wanted: bool) -> bool:
    if wanted:
        raise refuse("MergeTrailers On is not supported yet: trailer fields stay apart from the header")
    return wanted


def _accept_filter(context: DirectiveContext, protocol: str, kind: str) -> dict[str, str]:
    return {protocol: kind}


def _error_log(context: DirectiveContext, word: str) -> str:
    if word.startswith("|") or word.lower().startswith("syslog"):
        return word
    return context.server_path(word)


def _error_log_format(context: DirectiveContext, first: str, second: str | None = None) -> None:
    kind = "" if second is None else first.lower()
    if kind not in ("", "request", "connection"):
        raise refuse("ErrorLogFormat type must be one of request, connection")
    text = first if second is None else second
    _check_error_format(text, is_main=not kind)
    formats: dict[str, tuple[str, ...]] = dict(context.value_of(CoreServer, "error_log_formats") or {})
    # Lines that are written once per request or connection add up; a new main format begins anew.
    formats[kind] = (*formats.get(kind, ()), text) if kind else (text,)
    context.set(CoreServer, "error_log_formats", formats)


#: An escaped character, or an item: flags, argument, flags, letter.
_ERROR_ITEM = re.compile(r"\\.|%(?P<flags>[-+0-9]*)(?:\{[^}]*\})?(?P<more>[-+0-9]*)(?P<letter>[^{])?", re.DOTALL)
#: As `logs/formats.py` reads them.
_ERROR_LETTERS = frozenset("aAeEFiklLmMnPtTvV% ")


def _check_error_format(text: str, *, is_main: bool) -> None:
    letters = set()
    for found in _ERROR_ITEM.finditer(text):
        letter = found["letter"]
        if found[0].startswith("\\"):
            continue
        if letter is None:
            raise refuse("Ran off end of error log format parsing args to some directive")
        if is_main and "+" in found["flags"] + found["more"]:
            raise refuse("The '+' flag cannot be used in the main error log format")
        if letter not in _ERROR_LETTERS:
            raise refuse(f"Unrecognized error log format directive %{letter}")
        letters.add(letter)
    if is_main and "M" not in letters:
        raise refuse("main ErrorLogFormat must contain message format string '%M'")


_MUTEX_MECHANISMS = ("none", "default", "flock", "fcntl", "file", "pthread", "sysvsem", "posixsem", "sem")
_MUTEX_HELP = (
    "Mutex mechanisms are: 'none', 'default', 'flock:/path/to/file', 'fcntl:/path/to/file', 'file:/path/to/file', "
    "'pthread', 'sysvsem', 'posixsem', 'sem'"
)
#: Mutex names, and the module that brings each ("": always there).
_MUTEX_TYPES = {
    "default": "",
    "watchdog-callback": "",
    "mpm-accept": "mpm_prefork_module",
    "authdigest-client": "auth_digest_module",
    "authdigest-opaque": "auth_digest_module",
    "authn-socache": "authn_socache_module",
    "cache-socache": "cache_socache_module",
    "ldap-cache": "ldap_module",
    "rewrite-map": "rewrite_module",
    "ssl-cache": "ssl_module",
    "ssl-stapling": "ssl_module",
    "ssl-stapling-refresh": "ssl_module",
}


def _mutex(context: DirectiveContext, raw: str) -> dict[str, str]:
    words = context.words(raw)
    if not words:
        raise refuse(f"Mutex requires at least a mechanism argument ({_MUTEX_HELP})")
    mechanism, colon, folder = words[0].partition(":")
    if mechanism.lower() not in _MUTEX_MECHANISMS:
        raise refuse(f"Invalid Mutex argument {words[0]} ({_MUTEX_HELP})")
    if colon and not context.is_directory(context.server_path(folder)):
        raise refuse(f"Invalid Mutex directory in argument {words[0]}")
    types = [word for word in words[1:] if word.lower() != "omitpid"] or ["default"]
    for name in reversed(types):
        module = _MUTEX_TYPES.get(name.lower())
        if module is None or (module and not context.has_module(module)):
            raise refuse(f"Mutex type {name} is not valid")
    return {name.lower(): words[0] for name in types}


_REGEX_OPTIONS = frozenset(("icase", "dotall", "dollar_endonly", "no_default"))
#: Apache's defaults since 2.4, and the only options that our patterns are compiled with.
_REGEX_DEFAULTS = frozenset(("dotall", "dollar_endonly"))


def _regex_options(context: DirectiveContext, raw: str) -> tuple[str, ...]:
    options = set(_REGEX_DEFAULTS)
    for word in context.words(raw):
        sign, name = (word[0], word[1:].lower()) if word[0] in "+-" else ("", word.lower())
        if name == "none":
            options.clear()
        elif name not in _REGEX_OPTIONS:
            raise refuse(f"RegexDefaultOptions: option '{word[len(sign) :]}' unknown")
        elif sign == "-":
            options.discard(name)
        else:
            options.add(name)
    if options != _REGEX_DEFAULTS:
        raise refuse("RegexDefaultOptions other than DOTALL and DOLLAR_ENDONLY together are not supported yet")
    return tuple(sorted(options))


def _name_virtual_host(context: DirectiveContext, word: str) -> None:
    context.warn(
        f"NameVirtualHost has no effect and will be removed in the next release {context.location.file}:{context.location.line}",
        "AH00548",
    )


def _port(context: DirectiveContext, word: str) -> None:
    raise refuse("Port was replaced with Listen in Apache 2.0")


def _error(context: DirectiveContext, raw: str) -> None:
    if not raw:
        raise refuse("The Error directive was used with no message.")
    is_quoted = raw[0] in "\"'" and raw[-1] == raw[0]
    raise refuse(raw[1:-1] if is_quoted else raw)


def _row(
    name: str,
    args: Args,
    sets: str | None = None,
    value: Any = None,
    *,
    help: str,
    repeat: Repeat = Repeat.REPLACE,
    global_only: bool = False,
    differs: str = "",
    where: Where = Where.SERVER,
) -> Directive:
    return Directive(
        name, args=args, where=where, sets=sets, value=value, repeat=repeat, global_only=global_only, help=help, differs=differs
    )


SERVER_ROWS = (
    _row("ServerName", Args.ONE, value=_server_name, help="the server's host name, with scheme and port if wanted"),
    _row("ServerAlias", Args.RAW, value=_server_alias, help="other names of a virtual host"),
    _row("ServerPath", Args.ONE, "server_path", help="a URL path that stands for a virtual host where clients send no name"),
    _row("ServerAdmin", Args.ONE, "server_admin", help="whom to write to"),
    _row("DocumentRoot", Args.ONE, "document_root", _document_root, help="the folder of the site"),
    _row("AccessFileName", Args.RAW, "access_file_names", _access_file_names, help="names of the per-folder configuration files"),
    _row("ErrorLog", Args.ONE, "error_log", _error_log, help="file, |program or syslog"),
    _row("ErrorLogFormat", Args.ONE_OR_TWO, value=_error_log_format, help="format of error log lines"),
    _row("Timeout", Args.ONE, "timeout", _timeout, help="seconds to wait for a client"),
    _row("LimitRequestLine", Args.ONE, "limit_request_line", _limit(""), help="longest request line in bytes"),
    _row("LimitRequestFieldsize", Args.ONE, "limit_request_field_size", _limit(""), help="longest request header field in bytes"),
    _row(
        "LimitRequestFields",
        Args.ONE,
        "limit_request_fields",
        _limit(" (0 = no limit)"),
        help="request header fields, 0 for any number",
    ),
    _row(
        "LimitInternalRecursion", Args.ONE_OR_TWO, value=_recursion, help="internal redirects and sub-requests inside one another"
    ),
    _row(
        "ServerTokens",
        Args.ONE,
        "server_tokens",
        _server_tokens,
        global_only=True,
        help="how much the Server header tells",
        differs="the product is Coachwhip, with its own version",
    ),
    _row(
        "AllowEncodedSlashes",
        Args.ONE,
        "allow_encoded_slashes",
        choice(("on", "off", "nodecode"), "AllowEncodedSlashes must be On, Off, or NoDecode"),
        help="whether %2F may stand in a path",
    ),
    _row(
        "TraceEnable",
        Args.ONE,
        "trace_enable",
        choice(("on", "off", "extended"), "TraceEnable must be one of 'on', 'off', or 'extended'"),
        help="whether TRACE is answered",
    ),
    _row("MergeSlashes", Args.FLAG, "merge_slashes", help="whether // in a path is one slash"),
    _row(
        "MergeTrailers",
        Args.FLAG,
        "merge_trailers",
        _merge_trailers,
        help="whether trailer fields become header fields",
        differs="On is refused",
    ),
    _row("StrictHostCheck", Args.FLAG, "strict_host_check", help="whether a request for an unknown host is refused"),
    _row("HttpProtocolOptions", Args.WORDS, value=_protocol_options, help="how strictly requests are read"),
    _row(
        "RegisterHttpMethod", Args.WORDS, "registered_methods", _methods, global_only=True, help="methods beside the standard ones"
    ),
    _row(
        "Protocols",
        Args.WORDS,
        "protocols",
        _protocols,
        help="protocols that are spoken",
        differs="accepted; HTTP/1.1 is spoken whatever is named, as in an Apache without mod_http2",
    ),
    _row(
        "ProtocolsHonorOrder",
        Args.ONE,
        "protocols_honor_order",
        _honor_order,
        help="whether the server's order of protocols counts",
        differs="accepted; there is only HTTP/1.1 to choose",
    ),
    _row("Protocol", Args.ONE, "protocol", help="the protocol of this server", differs="accepted; it chooses nothing here"),
    _row(
        "AcceptFilter",
        Args.TWO,
        "accept_filters",
        _accept_filter,
        repeat=Repeat.UPDATE,
        global_only=True,
        help="what the system waits for before it hands over a connection",
        differs="the line for `http` counts for every listener; all kinds but `none` wait for the first bytes",
    ),
    _row("ExtendedStatus", Args.FLAG, "extended_status", help="whether the status page shows requests"),
    _row("SeeRequestTail", Args.FLAG, "see_request_tail", help="whether the status page shows the end of long request lines"),
    _row(
        "FlushMaxThreshold",
        Args.ONE,
        "flush_max_threshold",
        number(0, 4294967295, "0", "(4294967295U))"),
        help="pending bytes before a flush",
        differs="accepted; when bytes are sent is this server's own choice",
    ),
    _row(
        "FlushMaxPipelined",
        Args.ONE,
        "flush_max_pipelined",
        number(-1, 2147483647),
        help="pending answers before a flush",
        differs="accepted; when answers are sent is this server's own choice",
    ),
    _row(
        "Mutex",
        Args.RAW,
        "mutexes",
        _mutex,
        repeat=Repeat.UPDATE,
        global_only=True,
        help="how processes take turns",
        differs="accepted; nothing here needs the mutexes that it names",
    ),
    _row(
        "RegexDefaultOptions",
        Args.RAW,
        "regex_options",
        _regex_options,
        global_only=True,
        help="options of all regular expressions",
        differs="only the default options are accepted",
    ),
    _row("NameVirtualHost", Args.ONE, value=_name_virtual_host, help="has no effect since Apache 2.4"),
    _row("Port", Args.ONE, value=_port, help="replaced by Listen"),
    _row("Error", Args.RAW, value=_error, where=Where.ALL, help="a message to stop with"),
)
