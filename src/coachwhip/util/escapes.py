"""Writing untrusted text into URLs, HTML and log lines without its meaning anything there.

Each function covers one place of use; none of them is right for another. The character sets are Apache's, read off the
installed 2.4.71 byte by byte.
"""

from __future__ import annotations

import re

_ALNUM = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _percent_table(safe: bytes) -> tuple[bytes, ...]:
    return tuple(bytes((octet,)) if octet in safe else b"%%%02x" % octet for octet in range(256))


_OS_PATH = _percent_table(_ALNUM + b"!$&'()*+,-./:;=@_~")
_SEGMENT = _percent_table(_ALNUM + b"!$&'()*+,-.:=@_~")
_FORM = _percent_table(_ALNUM + b"*-._")
_UNSAFE_OS = re.compile(rb"[^A-Za-z0-9!$&'()*+,\-./:;=@_~]")


def escape_path(path: bytes, *, dot_slash: bool = False) -> bytes:
    """Return file-system *path* as a URL path: ``%xx`` in lower-case hexadecimal for what a path may not hold.

    dot_slash: *path* will stand alone as a relative reference, so put ``./`` before a first segment that holds a colon
        (RFC 3986 §4.2), which would read as a scheme.
    """
    prefix = b"./" if dot_slash and b":" in path.partition(b"/")[0] else b""
    if not _UNSAFE_OS.search(path):
        return prefix + path
    return prefix + b"".join([_OS_PATH[octet] for octet in path])


def escape_uri(path: bytes) -> bytes:
    """Return *path*, an absolute URL path, fit for a ``Location`` header or a link."""
    return escape_path(path)


def escape_path_segment(segment: bytes) -> bytes:
    """Return *segment* escaped as one URL path segment: slash and semicolon too."""
    return b"".join([_SEGMENT[octet] for octet in segment])


def escape_urlencoded(text: bytes) -> bytes:
    """Return *text* as ``application/x-www-form-urlencoded`` writes it: space is ``+``."""
    return b"".join([b"+" if octet == 0x20 else _FORM[octet] for octet in text])


_HTML = {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;", ord('"'): "&quot;"}


def escape_html(text: str) -> str:
    """Return *text* with ``< > & "`` as entities, for element content and double-quoted attributes."""
    return text.translate(_HTML)


_C_ESCAPES = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0D: "\\r", 0x5C: "\\\\"}


def _log_table(*, quote: bool) -> tuple[str, ...]:
    table = [chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}" for octet in range(256)]
    for octet, text in _C_ESCAPES.items():
        table[octet] = text
    if quote:
        table[0x22] = '\\"'
    return tuple(table)


_ACCESS_LOG = _log_table(quote=True)
_ERROR_LOG = _log_table(quote=False)
_PLAIN_ACCESS = re.compile(rb'[ !#-\[\]-~]*')
_PLAIN_ERROR = re.compile(rb"[ -\[\]-~]*")


def escape_logitem(item: bytes) -> str:
    r"""Return *item* for the access log: printable ASCII only, ``\xhh`` and C escapes, and ``\"`` for a quote."""
    if _PLAIN_ACCESS.fullmatch(item):
        return item.decode("ascii")
    return "".join([_ACCESS_LOG[octet] for octet in item])


def escape_errorlog_item(item: bytes) -> str:
    r"""Return *item* for the error log: as `escape_logitem`, but quotes stay as they are."""
    if _PLAIN_ERROR.fullmatch(item):
        return item.decode("ascii")
    return "".join([_ERROR_LOG[octet] for octet in item])
