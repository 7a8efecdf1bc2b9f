"""Sub-requests and internal redirects: other requests run through the same phases on behalf of one.

A sub-request (`r.main`) asks "what would this name be?" and may be run into its main request's body; an internal redirect
(`r.prev`, `r.next`) answers another URL in place of the first. Source: Apache manual, developer pages, "Request Processing".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from coachwhip.api import phases
from coachwhip.api.buckets import End
from coachwhip.api.files import DIRECTORY, REGULAR, DirEntry
from coachwhip.api.log import ModuleLog
from coachwhip.api.outcome import OK, Outcome, Result
from coachwhip.api.request import Request
from coachwhip.api.table import Table
from coachwhip.filters.chain import run_whole
from coachwhip.protocol.status import status_line
from coachwhip.request.files import RecordedFiles
from coachwhip.util.paths import escape_path

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["become", "enter_index", "lookup_entries", "lookup_file", "lookup_uri", "redirect", "redirect_to_error_document", "run"]

LOG = ModuleLog("core")
#: Fields about the body and the conditions of the request as a whole.
_NOT_FOR_SUBREQUESTS = frozenset((
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-type",
    "content-range",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
    "transfer-encoding",
))  # fmt: skip


def _twin(pipeline: Pipeline, r: Request) -> Request:
    """A new request on the same connection, with the same inputs and the same record."""
    plan = pipeline.walks.plan_of(r.server)
    twin = Request(pipeline, r.connection, r.server, RecordedFiles(r.record), r.record, r.traffic, plan.settings)
    twin.sections = plan.base
    twin.the_request = r.the_request
    twin.protocol = r.protocol
    twin.protocol_number = r.protocol_number
    twin.hostname = r.hostname
    twin.host_port = r.host_port
    twin.may_block = r.may_block
    twin.is_http09 = r.is_http09
    twin.method = r.method
    twin.headers_in = r.headers_in
    twin.raw_headers = r.raw_headers
    return twin


def _sub(pipeline: Pipeline, r: Request, method: str) -> Request:
    sub = _twin(pipeline, r)
    sub.main = r
    sub.method = method
    sub.header_only = r.header_only
    sub.headers_in = r.headers_in.view(r.record, without=_NOT_FOR_SUBREQUESTS)
    if r.env:
        sub.env = r.env.copy()
    sub.user, sub.auth_type = r.user, r.auth_type
    pipeline.hooks.run_on(phases.create_request, sub)
    return sub


def _too_deep(r: Request) -> bool:
    """`LimitInternalRecursion`: whether `r` may not redirect or ask any further, because it came too far that way itself."""
    core = r.server.core
    redirects = subrequests = 0
    outer: Request | None = r
    while outer is not None:
        if outer.prev is not None:
            redirects += 1
        elif outer.main is not None:
            subrequests += 1
        outer = outer.prev or outer.main
    if redirects > core.limit_internal_redirects:
        LOG.error(r, "AH00124", _TOO_DEEP, core.limit_internal_redirects, "internal redirects")
    elif subrequests > core.limit_internal_subrequests:
        LOG.error(r, "AH00125", _TOO_DEEP, core.limit_internal_subrequests, "subrequest nesting levels")
    else:
        return False
    return True


_TOO_DEEP = "Request exceeded the limit of %d %s; probably the configuration leads in a circle (LimitInternalRecursion)."


def lookup_uri(pipeline: Pipeline, r: Request, uri: str, method: str) -> Request:
    """A sub-request for an encoded URL path, relative to the request's own if it does not begin with a slash.

    Its `status` says how the phases ended: 200, or the status that they answered.
    """
    sub = _sub(pipeline, r, method)
    if not uri.startswith("/"):
        folder = r.uri.rpartition("/")[0]
        uri = f"{escape_uri_text(folder) if folder else ''}/{uri}"
    path, question, args = uri.partition("?")
    sub.unparsed_uri = uri
    sub.uri = path
    sub.args = args if question else None
    return _prepared(pipeline, sub)


def lookup_file(pipeline: Pipeline, r: Request, path: str) -> Request:
    """A sub-request for a file: a name beside `r.filename` (then it has a URL too), or an absolute path (then it has none)."""
    sub = _sub(pipeline, r, "GET")
    if path.startswith("/"):
        sub.filename = path
        sub.uri = ""
    else:
        folder = (r.filename or "/").rpartition("/")[0]
        if r.finfo.kind is DIRECTORY and r.filename:
            folder = r.filename.rstrip("/")
        sub.filename = f"{folder}/{path}"
        sub.uri = f"{r.uri.rpartition('/')[0]}/{path}" if not r.uri.endswith("/") else r.uri + path
    sub.unparsed_uri = escape_uri_text(sub.uri)
    return _prepared(pipeline, sub)


def lookup_entry(pipeline: Pipeline, r: Request, folder: str, entry: DirEntry) -> Request:
    """A sub-request for a name that was listed (ap_sub_req_lookup_dirent): as `lookup_file` for its path.

    The walk takes what the listing saw of a file or folder; where a link leads, and whether it may, it finds out itself.
    """
    sub = _sub(pipeline, r, "GET")
    sub.filename = folder + entry.name
    sub.uri = ""
    if not entry.is_link:
        sub.finfo = entry.stat
    return _prepared(pipeline, sub)


def lookup_entries(pipeline: Pipeline, r: Request, folder: str, entries: Iterable[DirEntry]) -> Iterator[tuple[DirEntry, Request]]:
    """A sub-request for each name that was listed; each is good until the next is asked for.

    Files whose names have the same extensions share one, where nothing else about a name is looked at: then all phases of
    another would come to the same.
    """
    alike: dict[str, Request] = {}
    by_extension = all(hook.by_extension for phase in _LOOKUP_PHASES for hook in pipeline.hooks.hooks(phase))
    for entry in entries:
        kind = extensions_of(entry.name) if entry.stat.kind is REGULAR and not entry.is_link and by_extension else None
        sub = alike.get(kind) if kind is not None else None
        if sub is not None and not pipeline.walks.speaks_of(sub, entry.name):
            sub.filename, sub.finfo = folder + entry.name, entry.stat
        else:
            sub = lookup_entry(pipeline, r, folder, entry)
            if kind is not None and pipeline.walks.is_told_by_folder(sub):
                alike[kind] = sub
        yield entry, sub


#: The phases in which the name of a file that is only looked up may take part; access is the same where the sections are.
_LOOKUP_PHASES = (phases.create_request, phases.map_to_storage, phases.type_checker, phases.fixups)


def extensions_of(name: str) -> str:
    """What follows the first dot of a name; leading dots belong to the name."""
    return name.lstrip(".").partition(".")[2]


def escape_uri_text(path: str) -> str:
    """A decoded path, percent-encoded again."""
    return escape_path(path.encode("utf-8", "surrogateescape")).decode("ascii")


def _prepared(pipeline: Pipeline, sub: Request) -> Request:
    if sub.main is not None and _too_deep(sub.main):
        sub.status = 500
        return sub
    sub.record.step("sub-request", sub.unparsed_uri or sub.filename or "")
    answer = pipeline.prepare(sub)
    if isinstance(answer, int):
        sub.status = answer
    elif answer is not OK:
        sub.status = 500
    return sub


def run(pipeline: Pipeline, sub: Request) -> Result:
    """Run a prepared sub-request's handler; its body, through its own filters, is appended to its main request's."""
    answer: Result = pipeline.invoke_handler(sub)
    if not isinstance(answer, (Outcome, int)):
        raise TypeError("a sub-request was answered by an `async def` handler")
    if answer is OK and sub.main is not None:
        sub.main.output.extend(bucket for bucket in run_whole(sub, sub.output) if not isinstance(bucket, End))
    return answer


def redirect(pipeline: Pipeline, r: Request, uri: str) -> Request | None:
    """Make the request that answers `uri` (encoded, with query) in place of `r`; the pipeline runs it.

    None, with a line in the log, where redirects lead in a circle.
    """
    if _too_deep(r):
        return None
    new = _twin(pipeline, r)
    new.prev, r.next = r, new
    path, question, args = uri.partition("?")
    if not path.startswith("/"):
        path = escape_uri_text(r.uri.rpartition("/")[0]) + "/" + path
    new.unparsed_uri = uri
    new.uri = path
    new.args = args if question else None
    r.record.step("redirect", f"{uri} in place of {r.unparsed_uri}")
    new.header_only = r.header_only
    new.main = r.main
    new.allowed = r.allowed
    new.body = r.body
    new.err_headers_out = r.err_headers_out
    new.trailers_in = r.trailers_in
    new.expecting_100 = r.expecting_100
    new.keepalive = r.keepalive
    new.no_cache = r.no_cache
    new.no_local_copy = r.no_local_copy
    new.vlist_validator = r.vlist_validator
    new.status = r.status
    new.is_type_trusted = False
    new.env = Table((f"REDIRECT_{key}", value) for key, value in r.env.items())
    new.env["REDIRECT_STATUS"] = str(r.status)
    location = r.headers_out.get("Location")
    if location and 300 <= r.status < 400:
        new.headers_out.set("Location", location)
    pipeline.hooks.run_on(phases.create_request, new)
    return new


def redirect_to_error_document(pipeline: Pipeline, r: Request, path: str) -> Request | None:
    """Answer an error with a local document: the same status, asked for by GET; None as `redirect`."""
    r.no_local_copy = True
    notes = r.notes.get("error-notes")
    if notes:
        r.env["ERROR_NOTES"] = notes
    r.env["REQUEST_METHOD"] = r.method
    new = redirect(pipeline, r, path)
    if new is not None:
        new.method = "GET"
        LOG.trace(2, r, "", "error page for %s: %s", status_line(r.status), path)
    return new


#: Names that stand in a URL as they are.
_PLAIN = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]*")


def enter_index(pipeline: Pipeline, r: Request) -> None:
    """Let `r`, which may come into its folder, become the index file, if that is there and it takes no sub-request to tell what it is.

    Where all hooks that would act on the sub-request may be asked on `r` itself, nothing is left of it but a look at the file.
    """
    derived = r.dir_settings.derived
    try:
        name: str = derived[enter_index]
    except KeyError:
        name = derived[enter_index] = _plain_index(pipeline, r)
    folder = r.filename or ""
    files: RecordedFiles = r.files  # type: ignore[assignment]
    if not name or folder[-1:] != "/" or r.uri[-1:] != "/" or r.path_info or r.handler is not None or files.links:
        return
    if r.method != "GET" or r.main is not None or r.prev is not None or r.record.steps is not None:
        return
    path = folder + name
    found = files.open_early(path)
    if found is not None:
        r.filename, r.uri, r.finfo, r.content_type = path, r.uri + name, found, None


def _plain_index(pipeline: Pipeline, r: Request) -> str:
    """The name of the index file of all folders with the settings of `r`; "" if it takes a sub-request to tell what that is.

    It takes none where no section speaks of the name, and all hooks are `in_place`.
    """
    walks, hooks, settings = pipeline.walks, pipeline.hooks, r.dir_settings
    first_index = pipeline.startup.providers.get("index", "dir")
    name: str | None = first_index(settings) if first_index is not None else None
    if name is None or _PLAIN.fullmatch(name) is None or r.server.core.server_path is not None or hooks.sees_raw_paths:
        return ""
    plan = walks.plan_of(r.server)
    if plan.regexes or settings.inner.ifs or walks.speaks_of(r, name) or walks.speaks_of(r, ""):
        return ""
    if any(one.regex is not None or one.is_glob or one.pattern.rpartition("/")[2] == name for one in plan.locations):
        return ""
    # What a sub-request would begin with: the sections that its URL alone tells are the folder's, for none of them names the file.
    by_url = pipeline.folder.fold((*plan.base, *[one for one in r.sections if one in plan.locations]))
    asked = [(phase, by_url) for phase in _BEFORE_FILE] + [(phase, settings) for phase in (phases.type_checker, phases.fixups)]
    is_plain = all(hooks.agenda(phase, r.server, said).is_in_place(r.server, said, name) for phase, said in asked)
    return name if is_plain else ""


#: The phases of a sub-request that run before its file is known.
_BEFORE_FILE = (phases.create_request, phases.translate_name, phases.map_to_storage)


def become(r: Request, sub: Request) -> None:
    """`r` goes on as `sub`: its file and how that is reached, type, settings and filters (ap_internal_fast_redirect)."""
    r.files = sub.files
    r.filename, r.uri, r.args = sub.filename, sub.uri, sub.args if sub.args is not None else r.args
    r.path_info, r.finfo, r.handler = sub.path_info, sub.finfo, sub.handler
    r.content_type = sub.content_type
    r.content_encodings = sub.content_encodings
    r.content_languages = sub.content_languages
    r.sections = sub.sections
    r.use(sub.dir_settings)
    r.user, r.auth_type = sub.user or r.user, sub.auth_type or r.auth_type
    r.no_local_copy = r.no_local_copy or sub.no_local_copy
    r.mtime = sub.mtime if r.mtime is None else r.mtime
    r.headers_out = sub.headers_out.over(r.headers_out)
    r.err_headers_out = sub.err_headers_out.over(r.err_headers_out)
    if sub.env:
        r.env.update(sub.env)
    for name, note in sub.notes.items():
        r.notes.setdefault(name, note)
    r.output_filters = sub.output_filters
    r.input_filters = sub.input_filters
    r.allowed |= sub.allowed
    r.state.update(sub.state)
    r.captures = r.captures or sub.captures
    r.context_prefix = r.context_prefix or sub.context_prefix
    r.context_document_root = r.context_document_root or sub.context_document_root
