"""The names that `%{NAME}` may have, and what reading one means for the answer.

Source: Apache manual, expr.html, "Variables"; the list was checked against 2.4.71, which refuses any other name.
"""

from __future__ import annotations

#: Variables that are a request field under another name, and like `req()` count for `Vary`.
HEADER_VARIABLES = {
    "HTTP_ACCEPT": "Accept",
    "HTTP_COOKIE": "Cookie",
    "HTTP_FORWARDED": "Forwarded",
    "HTTP_HOST": "Host",
    "HTTP_PROXY_CONNECTION": "Proxy-Connection",
    "HTTP_REFERER": "Referer",
    "HTTP_USER_AGENT": "User-Agent",
}

REQUEST_VARIABLES = frozenset({
    "AUTH_TYPE", "CONTENT_TYPE", "CONTEXT_DOCUMENT_ROOT", "CONTEXT_PREFIX", "DOCUMENT_ROOT", "DOCUMENT_URI", "HANDLER",
    "IS_SUBREQ", "LAST_MODIFIED", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT",
    "REMOTE_USER", "REQUEST_FILENAME", "REQUEST_LOG_ID", "REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_STATUS",
    "REQUEST_URI", "SCRIPT_FILENAME", "SCRIPT_GROUP", "SCRIPT_USER", "SERVER_ADMIN", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "THE_REQUEST",
})  # fmt: skip

CONNECTION_VARIABLES = frozenset({"CONN_LOG_ID", "CONN_REMOTE_ADDR", "HTTP2", "HTTPS", "IPV6"})

CLOCK_VARIABLES = frozenset({
    "TIME", "TIME_DAY", "TIME_HOUR", "TIME_MIN", "TIME_MON", "TIME_SEC", "TIME_WDAY", "TIME_YEAR",
})  # fmt: skip

SERVER_VARIABLES = frozenset({"API_VERSION", "SERVER_SOFTWARE"})

#: All that a scope must answer. `HEADER_VARIABLES` are not among them: they are asked for as fields.
VARIABLES = REQUEST_VARIABLES | CONNECTION_VARIABLES | CLOCK_VARIABLES | SERVER_VARIABLES

#: Their value differs from one request to the next even if nothing about the request does.
VOLATILE_VARIABLES = CLOCK_VARIABLES | {"CONN_LOG_ID", "REMOTE_PORT", "REQUEST_LOG_ID"}
