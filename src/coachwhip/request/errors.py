"""What a client is told when a request fails: an `ErrorDocument`, or the built-in page (httpd's ap_die).

The pages are one small template and one sentence per status. Whatever comes from the client is escaped. Headers of the failed
answer are dropped except those in `err_headers_out`, a redirect's `Location`, and `Allow` where RFC 9110 wants it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.api import phases
from coachwhip.api.buckets import Data, End, Stream
from coachwhip.api.core import ErrorDocument
from coachwhip.api.identity import signature
from coachwhip.api.log import ModuleLog
from coachwhip.api.outcome import Result
from coachwhip.api.request import Request
from coachwhip.expr import EvaluationError
from coachwhip.protocol.status import status_line
from coachwhip.request import subrequests
from coachwhip.util.paths import escape_html

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["DROPS_CONNECTION", "document_for", "page", "send_error", "settle"]

LOG = ModuleLog("core")

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


def settle(pipeline: Pipeline, r: Request, result: Result) -> Request | None:
    """End a request with an error or a redirect status. Returns the request whose answer goes out, with the page in it.

    None if a local `ErrorDocument` answers: `r.next` is to be run. A document that fails itself is not tried again; the
    failure that it was to explain is answered then, by the built-in page.
    """
    status = result if isinstance(result, int) and 100 <= result <= 599 else 500
    failed = r
    document = None
    if r.status == 200:
        document = document_for(r, status)
    else:
        while failed.prev is not None and failed.prev.status != 200:
            failed = failed.prev
    also, r.status = (status if failed is not r else 0), status
    if r.status_line is not None and not r.status_line.startswith(str(status)):
        r.status_line = None
    if status in DROPS_CONNECTION:
        failed.keepalive = False
    if document is not None and document.path is not None:
        if subrequests.redirect_to_error_document(pipeline, r, _expanded(pipeline, r, document, document.path)) is not None:
            return None
        r.status, also = status, 500
    elif document is not None and document.url is not None:
        r.headers_out.set("Location", _expanded(pipeline, r, document, document.url))
        r.status = 302
    send_error(pipeline, failed, document, also)
    return failed


def _expanded(pipeline: Pipeline, r: Request, document: ErrorDocument, plain: str) -> str:
    if document.expr is None:
        return plain
    try:
        return str(document.expr.text(pipeline.expr_scope(r)))
    except EvaluationError as error:
        LOG.error(r, "AH10454", "Failed to evaluate an expression of ErrorDocument: %s", error)
        return plain


def page(r: Request, also: int = 0) -> bytes:
    """The built-in page for `r.status`. `also`: the status with which the `ErrorDocument` for it failed, 0 for none."""
    status = r.status
    title = r.status_line or status_line(status)
    location = escape_html(r.headers_out.get("Location") or "")
    sentence = SENTENCES.get(status, SENTENCES[500])
    if status < 400 and not location:
        sentence = SENTENCES[300] if status == 300 else "This address has moved."
    text = sentence.format(location=location, method=escape_html(r.method))
    more = "".join(f"<p>{text}</p>\n" for text in (r.notes.get("error-notes"),) if text)
    more += r.notes.get("variant-list") or ""
    if also:
        more += f"<p>While the page for this was looked for, {escape_html(status_line(also))} came up too.</p>\n"
    body = PAGE.format(title=escape_html(title), heading=escape_html(title[4:]), text=text, more=more + signature(r))
    return body.encode("latin-1", "xmlcharrefreplace")


def send_error(pipeline: Pipeline, r: Request, document: ErrorDocument | None = None, also: int = 0) -> None:
    """Turn `r` into the error answer `r.status`: drop what belonged to the failed answer, put the page in its place.

    The page is the text of `document`, if it is one, else the built-in one; `also` as for `page`.

    An error found out while bodies were moved has its page sent without a length, as Apache does (`r.streams_page`).
    """
    status = r.status
    r.output_filters = []
    pipeline.run_phase(phases.insert_error_filter, r)
    if status in (204, 304):
        r.output = [End()]
        return
    location = r.headers_out.get("Location") or r.err_headers_out.get("Location")
    r.headers_out, r.err_headers_out = r.err_headers_out, r.headers_out
    r.err_headers_out.clear()
    if r.streams_page:
        # The head was as good as written, and `err_headers_out` had become part of it.
        r.headers_out.clear()
    if location and (300 <= status < 400 or status == 201):
        r.headers_out.set("Location", location)
    r.content_encodings = []
    r.content_languages = []
    r.mtime = None
    r.content_type = "text/html; charset=iso-8859-1" if "suppress-error-charset" not in r.env else "text/html"
    if status in (405, 501):
        r.headers_out.set("Allow", r.allow_header())
    if r.header_only:
        r.output = [End()]
        return
    if document is not None and document.text is not None:
        body = _expanded(pipeline, r, document, document.text).encode("latin-1", "replace")
    else:
        body = page(r, also)
    r.output = [Stream(iter((body,))) if r.streams_page else Data(body), End()]
