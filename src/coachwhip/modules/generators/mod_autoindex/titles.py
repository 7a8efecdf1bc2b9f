"""`ScanHTMLTitles`: the title of an HTML file, as its description."""

from __future__ import annotations

from coachwhip.api import Request

__all__ = ["find_title", "is_html", "title_in"]

#: Bytes of a file that are searched for a title.
_SEARCHED = 8191
_HTML_TYPES = ("text/html", "application/xhtml+xml", "text/x-server-parsed-html")


def is_html(content_type: str | None) -> bool:
    """Whether a content type, parameters left aside, is one of HTML."""
    return content_type is not None and content_type.partition(";")[0].rstrip(" \t").lower() in _HTML_TYPES


def find_title(found: Request) -> str | None:
    """The title of the HTML file that a sub-request found; None for other files and for those without one."""
    if found.status != 200 or not is_html(found.content_type) or found.content_encodings or found.filename is None:
        return None
    try:
        file = found.files.open(found.filename)
    except OSError:
        return None
    try:
        return title_in(file.read_at(0, _SEARCHED))
    except OSError:
        return None
    finally:
        file.close()


def title_in(data: bytes) -> str | None:
    """The text between the first `<title>` and the next `<`, line ends as blanks, one character per byte."""
    text = data.partition(b"\0")[0].decode("latin-1")
    start = text.lower().find("<title>") if text.isascii() else _ascii_lower(text).find("<title>")
    if start < 0:
        return None
    title = text[start + len("<title>") :].partition("<")[0]
    return title.lstrip("\r\n").replace("\r", " ").replace("\n", " ")


def _ascii_lower(text: str) -> str:
    return text.encode("latin-1").lower().decode("latin-1")
