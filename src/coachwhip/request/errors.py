"""What a client is told when a request fails: the built-in page, and the choice between it and an `ErrorDocument`.

The pages are one small template and one sentence per status. Whatever comes from the client is escaped. Headers of the failed
answer are dropped except those in `err_headers_out`, a redirect's `Location`, and `Allow` where RFC 9110 wants it.
"""

from __future__ import annotations

from coachwhip.api.buckets import Data, End, Stream
from coachwhip.api.core import ErrorDocument
from coachwhip.api.request import Request
from coachwhip.protocol.status import REASONS, status_line
from coachwhip.util.paths import escape_html

__all__ = ["DROPS_CONNECTION", "document_for", "page", "send_error", "signature"]

#: After these the connection is closed: the framing is in doubt or the body was not read (ap_status_drops_connection).
DROPS_CONNECTION = frozenset({400, 408, 411, 413, 414, 500, 501, 503})

#: One sentence per status, in our own words. `{uri}` and `{method}` are filled in, escaped.
SENTENCES: dict[int, str] = {
    300: "More than one version of this document fits.",
    301: 'This address has moved for good: <a href="{location}">{location}</a>.',
    302: 'This address can be found for now at <a href="{location}">{location}</a>.',
    303: 'The answer to this request is at <a href="{location}">{location}</a>.',
    305: "This address is only reachable through a proxy.",
    307: 'This address can be found for now at <a href="{location}">{location}</a>; send the same request there.',
    308: 'This address has moved for good: <a href="{location}">{location}</a>; send the same request there.',
    400: "The request was not well-formed, so this server did not act on it.",
    401: "This address asks for a user name and a password, and what was sent did not open it.",
    402: "Payment is required.",
    403: "This server is not willing to hand out this address.",
    404: "There is nothing at this address.",
    405: "The method {method} cannot be used on this address.",
    406: "No version of this document fits what the request accepts.",
    407: "The proxy asks for a user name and a password.",
    408: "The request did not arrive in time.",
    409: "The request clashes with the present state of this address.",
    410: "What was at this address is gone, and it will not come back.",
    411: "A request with this method needs a Content-Length.",
    412: "A condition that the request stated does not hold.",
    413: "The body of the request is larger than this server takes.",
    414: "The address is longer than this server reads.",
    415: "The body of the request has a type that is not taken here.",
    416: "The range that was asked for lies outside the document.",
    417: "The expectation stated in the request cannot be met.",
    421: "This connection is not the right one for the host that was asked for.",
    422: "The request was understood, but what it says cannot be done.",
    423: "This address is locked.",
    424: "A request that this one depends on failed.",
    425: "The request came too early to be acted on safely.",
    426: "This address can only be had over an upgraded connection.",
    428: "The request must state a condition.",
    429: "Too many requests came in too short a time.",
    431: "The header fields of the request are larger than this server reads.",
    451: "This address is withheld for legal reasons.",
    500: "Something went wrong inside the server; its error log says what.",
    501: "This server does not know the method {method}.",
    502: "The server behind this one gave no usable answer.",
    503: "This server cannot answer at the moment; it should be able to later.",
    504: "The server behind this one did not answer in time.",
    505: "This version of HTTP is not spoken here.",
    506: "Choosing a version of this document led back to a choice.",
    507: "There is no room left to store this.",
    508: "Answering this request led in a circle.",
    510: "The request lacks an extension that is needed here.",
    511: "Log in to the network first.",
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body>
<h1>{heading}</h1>
<p>{text}</p>
{more}</body>
</html>
"""


def document_for(r: Request, status: int) -> ErrorDocument | None:
    """The `ErrorDocument` in force for a status, or None for the built-in page."""
    found = r.core.error_documents.get(status)
    if found is None or (found.text is None and found.path is None and found.url is None):
        return None
    return found


def signature(r: Request, software: str) -> str:
    """The line of `ServerSignature`, or ""."""
    mode = r.core.server_signature
    if mode == "off":
        return ""
    name = escape_html(r.server_name())
    if mode == "email":
        admin = escape_html(r.server.core.server_admin)
        name = f'<a href="mailto:{admin}">{name}</a>'
    return f"<address>{escape_html(software)} Server at {name} Port {r.server_port()}</address>\n"


def page(r: Request, status: int, software: str) -> bytes:
    """The built-in page for a status."""
    title = status_line(status) if status in REASONS else r.status_line or str(status)
    location = escape_html(r.headers_out.get("Location") or "")
    sentence = SENTENCES.get(status, "The request could not be answered.")
    if status < 400 and not location:
        sentence = SENTENCES[300] if status == 300 else "This address has moved."
    text = sentence.format(location=location, method=escape_html(r.method))
    notes = r.notes.get("error-notes")
    more = f"<p>{notes}</p>\n" if notes else ""
    listed = r.notes.get("variant-list")
    if listed:
        more += listed
    first = r.prev
    if first is not None and first.status != 200 and first.status != status:
        more += f"<p>While the page for this was looked for, {escape_html(status_line(first.status))} came up too.</p>\n"
    body = PAGE.format(title=escape_html(title), heading=escape_html(title[4:]), text=text, more=more + signature(r, software))
    return body.encode("latin-1", "xmlcharrefreplace")


def send_error(r: Request, status: int, software: str, text: str | None = None) -> None:
    """Turn `r` into the error answer `status`: drop what belonged to the failed answer, put the page (or `text`) in its place."""
    r.status = status
    if status in (204, 304):
        r.output = [End()]
        return
    location = r.headers_out.get("Location") or r.err_headers_out.get("Location")
    r.headers_out, r.err_headers_out = r.err_headers_out, r.headers_out
    r.err_headers_out.clear()
    if location and (300 <= status < 400 or status == 201):
        r.headers_out.set("Location", location)
    r.content_encodings = []
    r.content_languages = []
    r.mtime = None
    r.content_type = "text/html; charset=iso-8859-1"
    if r.env.get("suppress-error-charset") is not None:
        r.content_type = "text/html"
    if status in (405, 501):
        r.headers_out.set("Allow", r.allow_header())
    if r.header_only:
        r.output = [End()]
        return
    body = page(r, status, software) if text is None else text.encode("latin-1", "replace")
    # A 416 is found out when the head is due; Apache sends its page in chunks, and so do we.
    r.output = [Stream(iter((body,))) if status == 416 else Data(body), End()]
