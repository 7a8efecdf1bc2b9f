"""The one pipeline: every request, sub-request and internal redirect runs these phases, here and nowhere else.

    head → post_read → quick_handler → [locations, translate, storage, access, user, type, fixups] → filters → handler → reply

`Pipeline.answer` runs a client's request to its `Reply`. It is written as a generator that yields only where an `async def` handler
has to be waited for, so the same code serves the loop, a worker thread and in-process calls. It knows no sockets.
"""

from __future__ import annotations

import inspect
import os
import socket
import time
import traceback
from collections.abc import Generator
from typing import Any

from coachwhip.api import phases
from coachwhip.api.buckets import OpenFile
from coachwhip.api.files import DIRECTORY
from coachwhip.api.log import ModuleLog
from coachwhip.api.outcome import DECLINED, DONE, OK, Outcome, Result
from coachwhip.api.phases import Phase
from coachwhip.api.request import Body, BodyError, Request
from coachwhip.api.server import Startup
from coachwhip.config.folding import Folded, Folder
from coachwhip.config.sections import Section
from coachwhip.hooks import HookTable, NeedsThread
from coachwhip.request import access, conditions, errors, subrequests
from coachwhip.request.htaccess import HtaccessCache, Parse
from coachwhip.request.reply import Reply, Unsatisfiable, make_reply
from coachwhip.request.scope import RequestScope
from coachwhip.request.vhosts import HostTable
from coachwhip.request.walks import Plan, Walks
from coachwhip.util.paths import EncodedSlashes, PathError, normalize_path, unescape_path
from coachwhip.util.remember import remember

__all__ = ["Pipeline", "Waiting"]

LOG = ModuleLog("core")
HTTP_LOG = ModuleLog("http")

#: A request on its way: yields what has to be awaited, returns the reply.
Waiting = Generator[Any, Any, Reply]


class Pipeline:
    """The phases over one configuration; implements `api.request.Engine`. One per worker, shared by all connections."""

    def __init__(self, startup: Startup, parse_htaccess: Parse, software: str) -> None:
        self.startup = startup
        self.hooks = HookTable(startup.modules)
        self.hosts = HostTable(startup.main, startup.servers)
        self.folder = Folder()
        self.htaccess = HtaccessCache(parse_htaccess)
        self.walks = Walks(self)
        #: What `Server` and the signature say, cut by `ServerTokens`.
        self.software = software
        self._foreign = [m.source for m in startup.modules if not m.replayable]

    # -- the whole of a request

    def answer(self, r: Request) -> Waiting:
        """Run a client's request. Yields awaitables of `async def` handlers; returns the reply.

        Raises:
            NeedsThread: a hook that may block was met and `r.may_block` is False; nothing was sent.
        """
        begun = self.start(r)
        return begun if isinstance(begun, Reply) else (yield from begun)

    def start(self, r: Request) -> Reply | Waiting:
        """As `answer`, but the reply itself where nothing has to be waited for, as in most requests. Raises as `answer`."""
        if self._foreign:
            r.record.make_volatile(f"module {self._foreign[0]}")
        answer = self._processed(r)
        if (answer is OK or answer is DONE) and r.next is None and r.body is None:
            try:
                return make_reply(self, r)
            except Unsatisfiable:
                answer = _not_satisfiable(r)
            except StopIteration as error:
                # As in a generator: whoever drives one would take it for its end.
                raise RuntimeError("a filter raised StopIteration") from error
        return self._follow(r, answer)

    def _processed(self, r: Request) -> Any:
        """`process`; an exception in a hook ends a request with 500, never the connection with a traceback."""
        try:
            return self.process(r)
        except NeedsThread:
            raise
        except Exception as error:
            return self._failed(r, error)

    def _follow(self, r: Request, answer: Any) -> Waiting:
        """Wait for what the phases of a request have answered, and process what it is redirected to internally (an error document,
        perhaps), until one of them has the answer.
        """
        while True:
            result = answer if isinstance(answer, Outcome) else (yield from self._settled(r, answer))
            if r.next is not None:
                r = r.next
                answer = self._processed(r)
                continue
            if r.body is not None:
                result = yield from self._read_away(r, r.body, result)
            if result is OK or result is DONE:
                try:
                    return make_reply(self, r)
                except Unsatisfiable:
                    answer = _not_satisfiable(r)
            else:
                failed = errors.settle(self, r, result)
                if failed is not None:
                    return make_reply(self, failed)
                answer = result

    def _settled(self, r: Request, answer: Any) -> Generator[Any, Any, Result]:
        """The result that a step has answered, or that what it has answered has to be awaited for."""
        try:
            if not isinstance(answer, int) and inspect.isawaitable(answer):
                answer = yield answer
            return _as_result(answer)
        except NeedsThread:
            raise
        except Exception as error:
            return self._failed(r, error)

    def _read_away(self, r: Request, body: Body, result: Result) -> Generator[Any, Any, Result]:
        """Before the answer, a body that no handler asked for is read to its end; its faults are answered in place of `result`.

        Not if the connection ends with that answer anyway, and not from a client that waits for 100 Continue and is refused instead
        (ap_discard_request_body).
        """
        is_refused = isinstance(result, int) or r.status >= 300
        if body.started or body.length == 0 or result in errors.DROPS_CONNECTION or (r.expecting_100 and is_refused):
            return result
        body.limit = r.core.limit_request_body

        async def read() -> Result:
            while await body.next():
                pass
            return result

        return (yield from self._settled(r, read()))

    def refuse(self, r: Request, status: int) -> Waiting:
        """Answer a request that was refused before its first phase; as `answer`."""
        r.record.make_volatile("refused before the first phase")
        return self._follow(r, status)

    def _failed(self, r: Request, error: Exception) -> int:
        """The status that a request ends with whose step raised."""
        if isinstance(error, BodyError):
            HTTP_LOG.info(r, "AH01590", "Error reading request entity data: %s", error)
            r.keepalive = False
            r.streams_page = True
            return error.status
        self.report(r, error)
        return 500

    def report(self, r: Request, error: BaseException) -> None:
        """Log a fault of ours or of a foreign module, with the place where it happened."""
        places = traceback.extract_tb(error.__traceback__)
        where = f"{places[-1].filename}:{places[-1].lineno}" if places else "?"
        LOG.error(r, "", "fault while answering %s: %s: %s (%s)", r.uri, type(error).__name__, error, where)
        for line in traceback.format_exception(error):
            LOG.debug(r, "", "%s", line.rstrip("\n"))

    def process(self, r: Request) -> Any:
        """All phases of a request that is no sub-request. Returns a result, or the awaitable of an async handler."""
        answer = self.hooks.run_on(phases.post_read_request, r)
        if answer is not OK:
            return answer
        if self.hooks.answers_early:
            answer = self.hooks.run_on(phases.quick_handler, r)
            if answer is not DECLINED:
                return answer
        answer = self.prepare(r)
        return self.invoke_handler(r) if answer is OK else answer

    # -- the phases up to the handler

    def prepare(self, r: Request) -> Result:
        """From the URL to a request that is allowed and known in all but its body (ap_process_request_internal)."""
        is_file_request = r.main is not None and r.filename is not None
        plan = self.walks.plan_of(r.server)
        answer: Result = OK if is_file_request else self._map_uri(r, plan)
        if answer is not OK:
            return answer
        if r.sections is not plan.base:
            self.walks.reset(r, plan)
        run_on = self.hooks.run_on
        answer = run_on(phases.map_to_storage, r)
        if answer is not OK:
            return self._insist(r, answer, "map_to_storage")
        if plan.locations and not is_file_request:
            self.walks.walk_locations(r)
        if r.dir_settings.inner.ifs:
            self.walks.walk_ifs(r)
        if self.hooks.sees_fields and r.main is None:
            answer = run_on(phases.header_parser, r)
            if answer is not OK:
                return answer
        answer = access.authorize(self, r)
        if answer is not OK:
            return answer
        if r.finfo.kind is DIRECTORY:
            subrequests.enter_index(self, r)
        answer = run_on(phases.type_checker, r)
        if answer is not OK:
            return self._insist(r, answer, "find types")
        return run_on(phases.fixups, r)

    def _map_uri(self, r: Request, plan: Plan) -> Result:
        uri = r.uri
        is_canonical = uri[:1] == "/" and "%" not in uri and "//" not in uri and "/." not in uri
        if is_canonical and not self.hooks.sees_raw_paths:
            if plan.has_url_sections or r.sections is not plan.base:
                self.walks.walk_url(r, plan)
        else:
            try:
                answer = self._clean_uri(r, plan)
            except PathError as error:
                level = LOG.info if error.status == 404 else LOG.error
                level(r, error.log_id, "invalid URI path (%s): %s", r.unparsed_uri, error.reason)
                return error.status
            if answer is not OK and answer is not DECLINED and answer is not DONE:
                return answer
        answer = self.hooks.run_on(phases.translate_name, r)
        return answer if answer is OK else self._insist(r, answer, "translate")

    def _clean_uri(self, r: Request, plan: Plan) -> Result:
        """Make `r.uri` canonical: no dots and double slashes before `pre_translate_name`, decoded after it unless that says DONE.

        Raises PathError.
        """
        core = r.server.core
        raw = r.uri.encode("utf-8", "surrogateescape")
        if raw and raw != b"*":
            r.uri = normalize_path(raw, merge_slashes=core.merge_slashes).decode("utf-8", "surrogateescape")
        self.walks.walk_url(r, plan)
        answer = self.run_phase(phases.pre_translate_name, r)
        if answer is OK or answer is DECLINED:
            mode: EncodedSlashes = core.allow_encoded_slashes  # type: ignore[assignment]
            path = unescape_path(r.uri.encode("utf-8", "surrogateescape"), allow_encoded_slashes=mode)
            if mode == "on":
                # A slash that was encoded may have made new segments.
                path = normalize_path(path, merge_slashes=core.merge_slashes, decode_unreserved=False, allow_above_root=True)
            r.uri = path.decode("utf-8", "surrogateescape")
        self.walks.walk_url(r, plan)
        return answer

    def must(self, r: Request, phase: Phase, what: str) -> Result:
        """A phase in which some hook has to answer."""
        answer = self.hooks.run_on(phase, r)
        return answer if answer is OK else self._insist(r, answer, what)

    def _insist(self, r: Request, answer: Result, what: str) -> Result:
        """What a phase comes to in which some hook has to answer, and none said OK."""
        if answer is DECLINED:
            LOG.crit(r, "AH00025", "configuration error:  couldn't %s: %s", what, r.uri)
            return 500
        return answer

    def run_phase(self, phase: Phase, r: Request) -> Result:
        """Run a phase on a request; see `HookTable.run_on`."""
        return self.hooks.run_on(phase, r)

    # -- the handler

    def invoke_handler(self, r: Request) -> Any:
        """Insert filters, choose the handler, run it (ap_invoke_handler)."""
        if r.body is not None:
            r.body.limit = r.core.limit_request_body
        self.hooks.run_on(phases.insert_filter, r)
        if r.body is not None and r.input_filters:
            r.body.filter_by(run for f in r.input_filters if f.make_input is not None and (run := f.make_input(r)) is not None)
        given = r.handler
        if given is None:
            r.handler = _bare(r.content_type) if r.content_type and r.is_type_trusted else ""
            r.is_handler_implied = True
        else:
            r.files.close_early()  # type: ignore[attr-defined]
        answer: Any = self.hooks.run_handler(r)
        if not isinstance(answer, Outcome) and not isinstance(answer, int) and inspect.isawaitable(answer):
            return self._await_handler(r, answer, given)
        return self._handled(r, answer, given)

    async def _await_handler(self, r: Request, waiting: Any, given: str | None) -> Result:
        return self._handled(r, await waiting, given)

    def _handled(self, r: Request, answer: Result, given: str | None) -> Result:
        if answer is DECLINED:
            LOG.warn(r, "AH00523", 'handler "%s" not found for: %s', r.handler, r.filename)
            answer = 500
        r.handler = given
        return answer

    # -- what a request asks for (api.request.Engine)

    def settings_with(self, r: Request, section: Section) -> Folded:
        """See `Engine`."""
        return self.folder.fold((*r.sections, section))

    # These are functions of other files as they are, with the pipeline for `self`.
    lookup_uri = subrequests.lookup_uri
    lookup_file = subrequests.lookup_file
    lookup_entries = subrequests.lookup_entries
    run = subrequests.run
    meets_conditions = conditions.meets
    set_validators = conditions.set_validators
    range_applies = conditions.range_applies

    def internal_redirect(self, r: Request, uri: str) -> Result:
        """See `Engine`. The redirect is followed when the calling hook has returned."""
        return DONE if subrequests.redirect(self, r, uri) is not None else 500

    def fast_redirect(self, r: Request, sub: Request) -> None:
        """See `Engine`."""
        subrequests.become(r, sub)

    def md5_of(self, r: Request, file: OpenFile) -> str:
        """The value of `Content-MD5` for a file."""
        return conditions.content_md5(file)

    def now(self) -> float:
        """Wall clock."""
        return time.time()

    def random_bytes(self, count: int) -> bytes:
        """From the system."""
        return os.urandom(count)

    def os_environ(self, name: str) -> str | None:
        """The server's own environment."""
        return os.environ.get(name)

    def leave_loop(self, r: Request) -> None:
        """See `Engine`."""
        if not r.may_block:
            raise NeedsThread

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Forward look-up; only where blocking is allowed."""
        try:
            return tuple({str(found[4][0]): None for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
        except (OSError, UnicodeError):
            return ()

    def resolve(self, ip: str) -> str | None:
        """Reverse look-up; only where blocking is allowed."""
        try:
            return socket.gethostbyaddr(ip)[0]
        except OSError:
            return None

    def expr_scope(self, r: Request) -> RequestScope:
        """See `Engine`."""
        return RequestScope(self, r)

    def log_transaction(self, r: Request) -> None:
        """After the answer went out, or was cut. A hook that fails takes nobody else's line."""
        for function in self.hooks.loggers:
            try:
                answer = function(r)
            except Exception as error:
                self.report(r, error)
                continue
            if answer is not OK and answer is not DECLINED:
                return


@remember(most=256)
def _bare(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].rstrip(" ")


def _not_satisfiable(r: Request) -> int:
    """The status of a request for ranges that are not there; its page goes out in place of a body that was begun."""
    r.streams_page = True
    return 416


def _as_result(answer: Any) -> Result:
    if isinstance(answer, Outcome):
        return answer
    if isinstance(answer, int) and 100 <= answer <= 599:
        return answer
    raise TypeError(f"a hook answered {answer!r}, which is neither an Outcome nor a status")
