"""What stands above and below the list: the page's head or a `HeaderName` file, a `ReadmeName` file or the signature.

Both files are asked for as sub-requests: HTML goes out as any request for it would, other text is shown preformatted.
"""

from __future__ import annotations

from coachwhip.api import FileKind, Outcome, Request, Stream
from coachwhip.api.identity import signature
from coachwhip.modules.generators.mod_autoindex.render import heading, preamble
from coachwhip.modules.generators.mod_autoindex.settings import AutoindexDir, IndexOption
from coachwhip.modules.generators.mod_autoindex.titles import is_html
from coachwhip.util.escapes import escape_html

__all__ = ["foot", "write_head"]

#: Text files above this many bytes are not shown.
_LARGEST_TEXT = 1 << 26


def write_head(r: Request, conf: AutoindexDir, options: IndexOption, title: str) -> bytes:
    """What stands above the list, as far as it is not sent already: an HTML header file is sent as soon as it is run.

    `title` is escaped.
    """
    opening = preamble(conf, options, title).encode("latin-1")
    found = _look_up(r, conf.header_name)
    if found is not None and is_html(found.content_type):
        if not options & IndexOption.SUPPRESS_HTML_PREAMBLE:
            r.send(Stream(iter((opening,))))
            opening = b""
        if r.engine.run(found) is Outcome.OK:
            return b""
    elif (text := _plain_text(found)) is not None:
        return opening + text
    return opening + heading(conf, title).encode("latin-1")


def foot(r: Request, conf: AutoindexDir, options: IndexOption) -> tuple[Request | None, bytes]:
    """What stands below the list: an HTML readme file to run first, if there is one, and the bytes after it."""
    found = _look_up(r, conf.readme_name)
    if found is not None and is_html(found.content_type):
        return found, b"" if options & IndexOption.SUPPRESS_HTML_PREAMBLE else _CLOSING
    text = _plain_text(found)
    return None, (signature(r).encode("latin-1", "replace") if text is None else text) + _CLOSING


_CLOSING = b"</body></html>\n"


def _look_up(r: Request, name: str | None) -> Request | None:
    """The sub-request for a header or readme file, if there is one to show. It must not be negotiated by the client's wishes."""
    if name is None:
        return None
    wishes = [(field, r.headers_in.get(field)) for field in ("Accept", "Accept-Encoding")]
    r.headers_in.set("Accept", "text/html, text/plain")
    r.headers_in.unset("Accept-Encoding")
    found = r.lookup_uri(name)
    for field, value in wishes:
        if value is None:
            r.headers_in.unset(field)
        else:
            r.headers_in.set(field, value)
    if found.status != 200 or found.filename is None or found.finfo.kind is not FileKind.REGULAR:
        return None
    return found


def _plain_text(found: Request | None) -> bytes | None:
    """A text file between `<pre>` tags; None if it is no text or cannot be read."""
    if found is None or found.filename is None or not (found.content_type or "").lower().startswith("text/"):
        return None
    try:
        data = found.files.read(found.filename, _LARGEST_TEXT)
    except OSError:
        return None
    return b"<pre>\n" + escape_html(data.decode("latin-1")).encode("latin-1") + b"</pre>\n"
