"""What stands above and below the list: the page's head or a `HeaderName` file, a `ReadmeName` file or the signature.

Both files are asked for as sub-requests: HTML goes out as any request for it would, other text is shown preformatted.
"""

from __future__ import annotations

from coachwhip.api import Data, FileKind, Outcome, Request
from coachwhip.modules.generators.mod_autoindex.render import heading, preamble
from coachwhip.modules.generators.mod_autoindex.settings import AutoindexDir, IndexOption
from coachwhip.modules.generators.mod_autoindex.titles import is_html
from coachwhip.util.escapes import escape_html

__all__ = ["write_foot", "write_head"]

#: Text files above this many bytes are not shown.
_LARGEST_TEXT = 1 << 26


def write_head(r: Request, conf: AutoindexDir, options: IndexOption, title: str) -> None:
    """Everything above the list. `title` is escaped; an HTML header file may bring its own page head."""
    opening = preamble(conf, options, title).encode("latin-1")
    found = _look_up(r, conf.header_name)
    if found is not None and is_html(found.content_type):
        suppressed = bool(options & IndexOption.SUPPRESS_HTML_PREAMBLE)
        if not suppressed:
            r.send(Data(opening))
        if r.engine.run(found) is Outcome.OK:
            return
        if suppressed:
            r.send(Data(opening))
    else:
        r.send(Data(opening))
        text = _plain_text(found)
        if text is not None:
            r.send(Data(text))
            return
    r.send(Data(heading(conf, title).encode("latin-1")))


def write_foot(r: Request, conf: AutoindexDir, options: IndexOption) -> None:
    """Everything below the list."""
    found = _look_up(r, conf.readme_name)
    if found is not None and is_html(found.content_type):
        if r.engine.run(found) is Outcome.OK:
            if not options & IndexOption.SUPPRESS_HTML_PREAMBLE:
                r.send(Data(_CLOSING))
            return
    else:
        text = _plain_text(found)
        if text is not None:
            r.send(Data(text + _CLOSING))
            return
    r.send(Data(r.signature("").encode("latin-1", "replace") + _CLOSING))


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
