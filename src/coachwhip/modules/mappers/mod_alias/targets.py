"""Where a redirect leads: an expanded target becomes a URL that may stand in `Location`.

Pure bytes. Only what comes before the query is escaped, and it is taken apart and put together as Apache's library does it,
which drops a default port and hides a password. Source: Apache manual, mod_alias, "Redirect"; RFC 3986 §3.
"""

from __future__ import annotations

import re

from coachwhip.util.escapes import escape_path

__all__ = ["escape_target", "is_url"]

_URL = re.compile(rb"[A-Za-z0-9+.\-]+:")
_SCHEME = re.compile(rb"([^:/?#]*):")
_ALPHA = re.compile(rb"[A-Za-z]")
_PATH = re.compile(rb"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_HOST = re.compile(rb"//([^/?#]*)")
_PORT = re.compile(rb"[ \t\n\v\f\r]*([+-]?[0-9]{1,18})")
_DEFAULT_PORTS = {
    b"http": 80, b"ftp": 21, b"https": 443, b"gopher": 70, b"ldap": 389, b"nntp": 119, b"snews": 563, b"imap": 143,
    b"pop": 110, b"sip": 5060, b"rtsp": 554, b"wais": 210, b"z39.50r": 210, b"z39.50s": 210, b"prospero": 191,
    b"nfs": 2049, b"tip": 3372, b"acap": 674, b"telnet": 23, b"ssh": 22,
}  # fmt: skip


def is_url(target: bytes) -> bool:
    """Whether it begins with a scheme."""
    return _URL.match(target) is not None


def escape_target(target: bytes) -> bytes:
    """`target` with everything but its query and fragment escaped; b"" for what is no URL at all."""
    scheme, authority, rest = b"", b"", target
    found = None if target.startswith(b"/") else _SCHEME.match(target)
    if found is not None:
        if not _ALPHA.match(found[1]):
            return b""
        scheme, rest = found[0], target[found.end() :]
        host = _HOST.match(rest)
        if host is not None:
            written = _authority(host[1], found[1].lower())
            # What stands behind an unreadable authority is lost.
            authority, rest = written[0], rest[host.end() :] if written[1] else b""
    parts = _PATH.fullmatch(rest)
    path, query, fragment = parts.groups() if parts else (rest, None, None)
    out: bytes = escape_path(scheme + authority + path)
    if query is not None:
        out += b"?" + query
    if fragment is not None:
        out += b"#" + fragment
    return out


def _authority(text: bytes, scheme: bytes) -> tuple[bytes, bool]:
    """User, host and port as they are written out, with the slashes, and whether all of it could be read."""
    user, at, place = text.rpartition(b"@")
    name, colon, _ = user.partition(b":")
    written = b"//" + name + (b":XXXXXXXX" if colon else b"") + at
    if place.startswith(b"["):
        host, bracket, behind = place.partition(b"]")
        if not bracket or (behind and not behind.startswith(b":")):
            return b"", False
        written, port = written + host + bracket, behind[1:]
    else:
        host, _, port = place.partition(b":")
        written += host
    if not port:
        return written, True
    number = _PORT.fullmatch(port)
    if number is None:
        return written, False
    value = int(number[1]) & 0xFFFF
    is_default = value in (0, _DEFAULT_PORTS.get(scheme))
    return written if is_default else written + b":" + port, True
