"""The explanation of an answer: one request run in this process, with everything written down that took part.

Which virtual host and why, sections and `.htaccess` files in order, hooks and filters that acted, the lines of configuration whose
settings were read, request fields and files that were looked at, and the head of the answer. It knows no command line and prints nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from coachwhip.api.core import CoreServer
from coachwhip.api.directives import Location
from coachwhip.api.replay import ReplayServer
from coachwhip.api.server import Connection, Server
from coachwhip.api.settings import lines_of
from coachwhip.config.folding import Folded, Folder
from coachwhip.config.sections import Section
from coachwhip.protocol.http1 import REGISTERED_METHODS, Limits, parse_head
from coachwhip.request import intake
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.replay import reason_against
from coachwhip.request.reply import Reply

__all__ = ["Explanation", "Line", "Look", "explain"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of configuration that took part, and the settings it was read for."""

    source: str
    text: str
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A path that was looked at: "stat", "lstat", "list" or "read"; and whether something was there."""

    path: str
    how: str
    found: bool


@dataclass(slots=True)
class Explanation:
    """What decided one answer."""

    request: str
    host: str
    host_source: str
    host_reason: str
    #: (kind, text, source) in order: sections, hooks, filters, sub-requests and internal redirects where they begin.
    steps: list[tuple[str, str, str]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    files: list[Look] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    filename: str = ""
    handler: str = ""
    #: Why the answer is not replayed, "" if it may be.
    volatile: str = ""
    status: int = 0
    head: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as plain dicts and lists."""
        shown = asdict(self)
        shown["steps"] = [{"kind": kind, "text": text, "source": source} for kind, text, source in self.steps]
        return shown


class _Reads:
    """Which settings were read, and the lines behind them."""

    def __init__(self) -> None:
        self.of: dict[Location, dict[str, None]] = {}
        self._traced: dict[type[Any], type[Any]] = {}

    def trace(self, folded: Folded, record: Any) -> Any:
        """A record that is the same as `record`, and notes which of its fields are read."""
        config = type(record)
        kind = self._traced.get(config)
        if kind is None:
            kind = self._traced[config] = _traced_type(config)
        twin = object.__new__(kind)
        for one in fields(config):
            object.__setattr__(twin, one.name, self._value(config, one.name, getattr(record, one.name)))
        object.__setattr__(twin, "_note", lambda name: self._note(folded, config, name))
        return twin

    def _value(self, config: type[Any], name: str, value: Any) -> Any:
        lines = lines_of(config, name)
        return value if lines is None else _Table(value, lambda entry: self._add(config, name, lines(entry)))

    def _note(self, folded: Folded, config: type[Any], name: str) -> None:
        if lines_of(config, name) is None:
            self._add(config, name, folded.sources(config, name))

    def _add(self, config: type[Any], name: str, lines: Iterable[Location]) -> None:
        for location in lines:
            self.of.setdefault(location, {})[f"{config.__name__}.{name}"] = None


class _Table(Mapping[Any, Any]):
    """A table that is the same as another, and notes which of its entries are read."""

    def __init__(self, table: Mapping[Any, Any], note: Callable[[Any], None]) -> None:
        self._table = table
        self._note = note

    def __getitem__(self, key: Any) -> Any:
        entry = self._table[key]
        self._note(entry)
        return entry

    def __iter__(self) -> Iterator[Any]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _traced_type(config: type[Any]) -> type[Any]:
    names = frozenset(one.name for one in fields(config))

    def read(self: Any, name: str) -> Any:
        if name in names:
            object.__getattribute__(self, "_note")(name)
        return object.__getattribute__(self, name)

    return type(config.__name__, (config,), {"__slots__": ("_note",), "__getattribute__": read})


class _TracedFolded(Folded):
    """Folded settings whose reading is noted."""

    __slots__ = ("_reads",)

    def __init__(self, sections: tuple[Section, ...], reads: _Reads) -> None:
        self._reads = reads
        super().__init__(sections)

    def _fold(self, config: type[Any]) -> Any:
        return self._reads.trace(self, super()._fold(config))


class _TracedFolder(Folder):
    def __init__(self, reads: _Reads) -> None:
        super().__init__()
        self._reads = reads

    def fold(self, sections: tuple[Section, ...]) -> Folded:
        """See `Folder`."""
        found = self._kept.get(sections)
        if found is None:
            found = self._kept[sections] = _TracedFolded(sections, self._reads)
        return found


def explain(
    pipeline: Pipeline, head: bytes, connection: Connection, wait: Callable[[Awaitable[Any]], Any], text_of: Callable[[Location], str]
) -> Explanation:
    """Run a request and tell what decided its answer. The pipeline serves nothing else afterwards.

    `wait` runs an awaitable to its end; `text_of` gives the text of a line of configuration.

    Raises:
        BadRequest: `head` is no valid request head.
    """
    core = connection.base_server.core
    parsed = parse_head(
        head,
        Limits(core.limit_request_line, core.limit_request_field_size, core.limit_request_fields),
        strict=core.strict,
        lenient_methods=core.lenient_methods,
        allow_09=core.allow_09,
        methods=REGISTERED_METHODS | {method.encode("latin-1") for method in core.registered_methods},
    )
    reads = _Reads()
    pipeline.folder = _TracedFolder(reads)
    for server in [pipeline.startup.main, *pipeline.startup.servers]:
        if isinstance(server.settings, Folded):
            server.settings = _TracedFolded(server.settings.sections, reads)
            server.core = server.config(CoreServer)
    r, _, status = intake.begin(pipeline, connection, parsed, pipeline.now())
    r.may_block = True
    r.record.steps = []
    reply = _run(pipeline.answer(r) if status == 200 else pipeline.refuse(r, status), wait)
    found = Explanation(r.the_request, r.server.name, str(r.server.location or ""), _why(pipeline, connection, r.server, r.hostname))
    found.steps = [(step.kind, step.text, step.source) for step in r.record.steps]
    found.volatile = reason_against(reply, pipeline.startup.main.config(ReplayServer).memory) or ""
    found.lines = [Line(str(at), text_of(at), tuple(names)) for at, names in reads.of.items()]
    found.headers = sorted(r.record.headers)
    found.facts = {name: str(value) for name, value in r.record.facts.items()}
    found.files = [Look(path, look.value, isinstance(seen, tuple)) for (path, look), seen in r.record.files.items()]
    found.log = [f"{line.log_id}: {line.message}" if line.log_id else line.message for line in r.record.log]
    final = reply.request
    found.filename, found.handler = final.filename or "", final.handler or ""
    found.status, found.head = final.status, reply.head.decode("latin-1")
    return found


def _run(waiting: Any, wait: Callable[[Awaitable[Any]], Any]) -> Reply:
    try:
        awaited = next(waiting)
        while True:
            try:
                value = wait(awaited)
            except Exception as error:
                awaited = waiting.throw(error)
            else:
                awaited = waiting.send(value)
    except StopIteration as done:
        reply: Reply = done.value
        return reply


def _why(pipeline: Pipeline, connection: Connection, server: Server, name: str | None) -> str:
    """Why this virtual host answers."""
    among = pipeline.hosts.candidates(connection.local_ip, connection.local_port)
    where = f"{connection.local_ip}:{connection.local_port}"
    if not among:
        return f"the main server: no virtual host is for {where}"
    if name is None:
        return f"the first for {where}: the request names no host"
    if pipeline.hosts.knows(server, name):
        core = server.config(CoreServer)
        kind = "ServerName" if (core.server_name or "").lower() == name.lower() else "ServerAlias"
        return f"its {kind} matches '{name}'" if server in among else f"the main server: {kind} matches '{name}'"
    return f"the first for {where}: no ServerName or ServerAlias matches '{name}'"
