"""A module: its names, settings records, directive table, hooks, filters and providers, as one declaration.

Importing a module file has no effect beyond making this object; the server registers what `LoadModule` asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from coachwhip.api.directives import Directive
from coachwhip.api.filters import FilterType, MakeInputFilter, MakeOutputFilter, RegisteredFilter
from coachwhip.api.log import ModuleLog
from coachwhip.api.phases import Order, Phase

if TYPE_CHECKING:
    from coachwhip.api.server import Server, Settings

__all__ = ["Hook", "Module", "SortedHooks"]

F = TypeVar("F", bound=Callable[..., Any])

#: Judges by settings whether a hook can act.
Acts = Callable[["Server", "Settings"], bool]
#: Judges by settings and the name of a file whether a hook needs no sub-request for it.
InPlace = Callable[["Server", "Settings", str], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """A function on a phase."""

    phase: Phase
    function: Callable[..., Any]
    module: Module
    order: int
    #: Source-file names ("mod_x.c") of modules whose hooks on this phase run earlier, and later.
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    #: True if it may block (DBM, slow hashing, scripts): the request then runs on a worker thread.
    blocking: bool = False
    #: True if it looks at the name of a file for its extensions at most, so that of many files that are alike (in a listing) one is asked
    #: for all. What sections say of a name, and expressions in core's own settings, need not be thought of.
    by_extension: bool = False
    #: True if it may be asked on a folder's request in place of a sub-request for a file in it, once that has become the file: it asks
    #: neither whose request it is, nor for conditions and fields about a body, and what it set for the folder, if it was asked for that,
    #: it sets anew. Where that hangs on the name, it is asked: true for a file of this name in any folder under these settings.
    in_place: bool | InPlace = False
    #: Whether it can do anything at all for a request of this server under these settings; None: it may always. It says so from the
    #: settings alone, and where it says no, the hook is not called. Which hooks are, is settled when their phase begins.
    acts: Acts | None = None
    #: In the phase `handler`: the values of `r.handler` for which it may answer; () for any.
    handlers: tuple[str, ...] = ()


class SortedHooks(Protocol):
    """What hangs on the phases of a server (in `hooks/`)."""

    def hooks(self, phase: Phase) -> tuple[Hook, ...]:
        """The hooks of a phase, in the order in which they run."""


@dataclass(eq=False)
class Module:
    """A loadable module."""

    #: The identifier of `LoadModule` and `<IfModule>`: "dir_module".
    identifier: str
    #: The source name of `<IfModule>` and `-l`: "mod_dir.c".
    source: str
    directives: tuple[Directive, ...] = ()
    #: Frozen dataclass of per-directory settings, if any.
    dir_config: type[Any] | None = None
    #: Frozen dataclass of per-server settings, if any; a `<VirtualHost>` is folded over the main server.
    server_config: type[Any] | None = None
    #: True if its hooks look only at recorded inputs, so that answers may be replayed. Our own modules are.
    replayable: bool = False
    hooks: list[Hook] = field(default_factory=list, init=False)
    filters: list[RegisteredFilter] = field(default_factory=list, init=False)
    providers: list[tuple[str, str, Any]] = field(default_factory=list, init=False)
    log: ModuleLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = ModuleLog(self.identifier.removesuffix("_module"))
        fields = {f for config in (self.dir_config, self.server_config) if config for f in config.__dataclass_fields__}
        for row in self.directives:
            if row.sets is not None and row.sets not in fields:
                raise TypeError(f"{self.source}: {row.name} sets {row.sets!r}, which no settings record has")

    def hook(
        self,
        phase: Phase,
        order: int = Order.MIDDLE,
        *,
        after: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
        blocking: bool = False,
        by_extension: bool = False,
        in_place: bool | InPlace = False,
        acts: Acts | None = None,
        handlers: tuple[str, ...] = (),
    ) -> Callable[[F], F]:
        """Hang the decorated function on a phase; `Hook` says what the arguments mean."""

        def register(function: F) -> F:
            self.hooks.append(Hook(phase, function, self, order, after, before, blocking, by_extension, in_place, acts, handlers))
            return function

        return register

    def output_filter(self, name: str, type: FilterType) -> Callable[[MakeOutputFilter], MakeOutputFilter]:
        """Register the decorated maker as an output filter."""

        def register(make: MakeOutputFilter) -> MakeOutputFilter:
            self.filters.append(RegisteredFilter(name, type, make_output=make, module=self.source))
            return make

        return register

    def input_filter(self, name: str, type: FilterType) -> Callable[[MakeInputFilter], MakeInputFilter]:
        """Register the decorated maker as an input filter."""

        def register(make: MakeInputFilter) -> MakeInputFilter:
            self.filters.append(RegisteredFilter(name, type, make_input=make, module=self.source))
            return make

        return register

    def provider(self, kind: str, name: str) -> Callable[[F], F]:
        """Register the decorated function or class under (kind, name)."""

        def register(thing: F) -> F:
            self.providers.append((kind, name, thing))
            return thing

        return register

    def config_of(self, field_name: str) -> type[Any]:
        """The settings record that has this field.

        Raises:
            KeyError: if neither has it.
        """
        for config in (self.dir_config, self.server_config):
            if config is not None and field_name in config.__dataclass_fields__:
                return config
        raise KeyError(field_name)
