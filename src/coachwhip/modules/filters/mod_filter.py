"""mod_filter -- filters chosen by what the response turns out to be.

A smart filter is declared under a name, gets providers (real filters, each with a condition), and is put into a chain. Its
first brigade decides: the first provider whose condition holds does the work; if none holds, the smart filter steps aside.
`AddOutputFilterByType` is shorthand for a smart filter with conditions on the content type. Source: Apache manual, mod_filter.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Flag, auto

from coachwhip.api import (
    Args,
    Brigade,
    Data,
    Directive,
    DirectiveContext,
    DirectiveError,
    End,
    File,
    FilterType,
    Flush,
    Module,
    OutputFilter,
    RegisteredFilter,
    Repeat,
    Request,
    Where,
    overlay,
    phases,
    setting,
)
from coachwhip.expr import EvaluationError, ExprError, Expression, parse


class Protocol(Flag):
    """What `FilterProtocol` says that a provider does to the response."""

    NOTHING = 0
    CHANGE = auto()
    CHANGE_LENGTH = auto()
    NO_BYTERANGE = auto()
    NO_PROXY = auto()
    TRANSFORM = auto()
    NO_CACHE = auto()


_NOTHING = Protocol.NOTHING
_PROTOCOL = {
    "change=yes": Protocol.CHANGE | Protocol.CHANGE_LENGTH,
    "change=1:1": Protocol.CHANGE,
    "byteranges=no": Protocol.NO_BYTERANGE,
    "proxy=no": Protocol.NO_PROXY,
    "proxy=transform": Protocol.TRANSFORM,
    "cache=no": Protocol.NO_CACHE,
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A real filter, and when it is to be used: by a condition, or by content types."""

    filter: RegisteredFilter
    condition: Expression | None = None
    types: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """That of its filter, in lower case."""
        return self.filter.name.lower()


@dataclass(frozen=True, slots=True)
class SmartFilter:
    """A declared filter. Its lists grow while its section is read, and no more after that."""

    name: str
    type: FilterType
    #: The one given last is asked first.
    providers: list[Provider] = field(default_factory=list)
    #: Names of the providers.
    names: set[str] = field(default_factory=set)
    #: `FilterProtocol`: for all providers of that name among the first so many. The later line wins.
    protocols: list[tuple[int, str, Protocol]] = field(default_factory=list)
    #: `FilterTrace`: 0, 1 or 2.
    trace: int = 0

    def protocol_of(self, at: int) -> Protocol:
        """What the provider at this place does to a response."""
        name = self.providers[at].name
        said = (protocol for count, other, protocol in reversed(self.protocols) if other == name and at < count)
        return next(said, _NOTHING)


#: What a word of `FilterChain` does to a chain: its sign, "+" if it has none, and a filter's name.
Change = tuple[str, str]
#: In a chain: everything before it is dropped.
RESET = ""


def fold_chain(outer: tuple[str, ...], inner: tuple[str, ...]) -> tuple[str, ...]:
    """The inner chain goes on where the outer ends, unless it begins by dropping it."""
    joined = outer + inner
    start = max((at + 1 for at, name in enumerate(joined) if name == RESET), default=0)
    return joined[start:]


@dataclass(frozen=True, slots=True)
class FilterDir:
    """Smart filters known in a directory, and which of them its responses pass."""

    filters: Mapping[str, SmartFilter] = setting({}, fold=overlay)
    chain: tuple[str, ...] = setting((), fold=fold_chain)


_TYPES = {
    "RESOURCE": FilterType.RESOURCE,
    "CONTENT_SET": FilterType.CONTENT_SET,
    "PROTOCOL": FilterType.PROTOCOL,
    "TRANSCODE": FilterType.TRANSCODE,
    "CONNECTION": FilterType.CONNECTION,
    "NETWORK": FilterType.NETWORK,
}


def _declared(context: DirectiveContext) -> Mapping[str, SmartFilter]:
    return context.value_of(FilterDir, "filters") or {}


def _with(smart: SmartFilter) -> dict[str, SmartFilter]:
    return {smart.name: smart}


def read_declare(context: DirectiveContext, name: str, type: str | None = None) -> dict[str, SmartFilter]:
    """`FilterDeclare`: an unknown type is the default one, as in Apache."""
    return _with(SmartFilter(name, _TYPES.get((type or "").upper(), FilterType.RESOURCE)))


def _add_provider(context: DirectiveContext, name: str, provider_name: str, **when: object) -> dict[str, SmartFilter]:
    found = context.find_filter(provider_name)
    if found is None or found.make_output is None:
        raise DirectiveError(f"Unknown filter provider {provider_name}")
    smart = _declared(context).get(name) or SmartFilter(name, found.type)
    provider = Provider(found, **when)  # type: ignore[arg-type]
    smart.providers.append(provider)
    smart.names.add(provider.name)
    return _with(smart)


def read_provider(context: DirectiveContext, name: str, provider: str, condition: str) -> dict[str, SmartFilter]:
    """`FilterProvider`: a filter and its condition."""
    try:
        expression = parse(condition, restricted=context.in_htaccess)
    except ExprError as error:
        raise DirectiveError(f"Error parsing FilterProvider expression:{error}") from None
    return _add_provider(context, name, provider, condition=expression)


def read_protocol(context: DirectiveContext, name: str, first: str, second: str | None = None) -> dict[str, SmartFilter]:
    """`FilterProtocol`: what a provider, or all of a filter's (Apache keeps that, and uses it nowhere), does."""
    smart = _declared(context).get(name)
    if smart is None:
        raise DirectiveError("FilterProtocol: No such filter")
    if second is None:
        return _with(smart)
    if first.lower() not in smart.names:
        raise DirectiveError("FilterProtocol: No such provider for this filter")
    protocol = Protocol.NOTHING
    for word in re.split(r"[;, \t]+", second):
        protocol |= _PROTOCOL.get(word.lower(), Protocol.NOTHING)
    smart.protocols.append((len(smart.providers), first.lower(), protocol))
    return _with(smart)


def read_trace(context: DirectiveContext, name: str, level: str) -> dict[str, SmartFilter]:
    """`FilterTrace`: log what passes."""
    smart = _declared(context).get(name)
    if smart is None:
        raise DirectiveError(f"Undeclared smart filter {name}")
    return _with(replace(smart, trace=int(level) if re.fullmatch(r"[0-9]{1,3}", level) else 0))


def read_chain(context: DirectiveContext, *words: str) -> tuple[Change, ...]:
    """`FilterChain`: `+` or nothing appends, `@` prepends, `-` removes, `=` starts anew, `!` empties."""
    return tuple((word[0], word[1:]) if word.startswith(("+", "@", "-", "!", "=")) else ("+", word) for word in words)


def _chain_of(lines: Sequence[tuple[str | Change, ...]]) -> tuple[str, ...]:
    chain: list[str] = []
    for change in itertools.chain.from_iterable(lines):
        sign, name = ("+", change) if isinstance(change, str) else change
        if sign == "!":
            chain = [RESET]
        elif sign == "=":
            chain = [RESET, name]
        elif sign == "-":
            chain = [known for known in chain if known == RESET or known.lower() != name.lower()]
        elif sign == "@":
            chain.insert(0, name)
        else:
            chain.append(name)
    return tuple(chain)


def read_by_type(context: DirectiveContext, *words: str) -> tuple[Change, ...]:
    """`AddOutputFilterByType A;B type…`: a smart filter for each, put into the chain the first time."""
    if len(words) < 2:
        raise DirectiveError("AddOutputFilterByType requires at least two arguments")
    new: list[Change] = []
    for provider in filter(None, words[0].split(";")):
        name = f"BYTYPE:{provider}"
        is_new = name not in _declared(context)
        context.add(FilterDir, "filters", _add_provider(context, name, provider, types=words[1:]), Repeat.UPDATE)
        if is_new:
            new.append(("+", name))
    return tuple(new)


_FILTER = "a smart filter's name, then"

MODULE = Module(
    "filter_module",
    "mod_filter.c",
    (
        Directive("FilterDeclare", Args.ONE_OR_TWO, Where.OPTIONS, "filters", read_declare, Repeat.UPDATE, help=f"{_FILTER} its type"),
        Directive("FilterProvider", Args.THREE, Where.OPTIONS, "filters", read_provider, Repeat.UPDATE,
                  help=f"{_FILTER} a filter and the condition for it"),
        Directive("FilterChain", Args.WORDS, Where.OPTIONS, "chain", read_chain, _chain_of, help="smart filters, with +-@!= before them"),
        Directive("FilterTrace", Args.TWO, Where.SERVER | Where.SECTION, "filters", read_trace, Repeat.UPDATE, help=f"{_FILTER} 0, 1 or 2"),
        Directive("AddOutputFilterByType", Args.ARGV, Where.FILEINFO, "chain", read_by_type, _chain_of,
                  help="filters joined by semicolons, then content types"),
        Directive("FilterProtocol", Args.TWO_OR_THREE, Where.OPTIONS, "filters", read_protocol, Repeat.UPDATE,
                  help=f"{_FILTER} a provider, and what it does to the response"),
    ),
    dir_config=FilterDir,
    replayable=True,
)  # fmt: skip
LOG = MODULE.log
#: What ends a media type.
_AFTER_TYPE = re.compile(r"[; \t]")


@MODULE.hook(phases.insert_filter, acts=lambda server, settings: bool(settings.get(FilterDir).chain))
def insert_chain(r: Request) -> None:
    """Put the smart filters of this directory's chain into the response's filters."""
    conf = r.config(FilterDir)
    for name in conf.chain:
        smart = conf.filters.get(name)
        if smart is None:
            LOG.warn(r, "AH01380", "Unknown filter %s not added", name)
            continue
        _insert(r, smart)


def _insert(r: Request, smart: SmartFilter) -> None:
    at = len(r.output_filters)
    while at and r.output_filters[at - 1][0].type > smart.type:
        at -= 1
    registered = RegisteredFilter(smart.name, smart.type, make_output=lambda r: _dispatch(r, smart), module=MODULE.source)
    r.output_filters.insert(at, (registered, None))


def _dispatch(r: Request, smart: SmartFilter) -> OutputFilter | None:
    """The first provider that wants this response, at work on it; None if there is none."""
    if r.status != 200 and "filter-errordocs" not in r.env:
        return None
    for at, provider in reversed(list(enumerate(smart.providers))):
        if not _wants(r, provider):
            continue
        _announce(r, smart.protocol_of(at))
        make = provider.filter.make_output
        run = make(r) if make else None
        return _Traced(r, smart, run) if run is not None and smart.trace else run
    return None


def _wants(r: Request, provider: Provider) -> bool:
    if provider.condition is not None:
        try:
            return provider.condition.test(r.expr_scope())
        except EvaluationError as error:
            LOG.error(r, "AH01379", "Error evaluating filter dispatch condition: %s", error)
            return False
    if r.content_type is None:
        return False
    return _AFTER_TYPE.split(r.content_type, maxsplit=1)[0] in provider.types


def _announce(r: Request, protocol: Protocol) -> None:
    """Change the response's fields as `FilterProtocol` says that its body will be changed."""
    if protocol is _NOTHING:
        return
    fields = r.headers_out
    if protocol & Protocol.CHANGE:
        for name in ("Content-MD5", "ETag"):
            fields.unset(name)
    if protocol & Protocol.CHANGE_LENGTH:
        fields.unset("Content-Length")
    if protocol & Protocol.NO_BYTERANGE:
        fields.set("Accept-Ranges", "none")
    if protocol & Protocol.NO_CACHE:
        fields.unset("Last-Modified")
        fields.add("Cache-Control", "no-cache")


class _Traced:
    """A filter whose input is logged: a line per brigade, from level 2 on one per bucket too."""

    def __init__(self, r: Request, smart: SmartFilter, run: OutputFilter) -> None:
        self._r = r
        self._smart = smart
        self._run = run

    def __call__(self, brigade: Brigade) -> Brigade:
        """The brigade through the filter."""
        LOG.debug(self._r, "AH01375", "%s", self._smart.name)
        if self._smart.trace > 1:
            for bucket in brigade:
                size = len(bucket) if isinstance(bucket, (Data, File)) else 0
                kind = _KINDS.get(type(bucket), "STREAM")
                LOG.debug(self._r, "AH01376", "%s: type: %s, length: %d", self._smart.name, kind, size)
        return self._run(brigade)


_KINDS: dict[type, str] = {Data: "HEAP", File: "FILE", Flush: "FLUSH", End: "EOS"}
