"""What a directive sees while it is being read: `Scope`, where it stands, and `Context`, which rows get as `DirectiveContext`.

A scope belongs to a section; entering a container makes a new one. A context belongs to one line. Neither knows how lines are
walked: a context asks its `Walker` (evaluation.py) to read enclosed lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from coachwhip.api.core import Options
from coachwhip.api.directives import Directive, Join, Location, Repeat, Where
from coachwhip.api.filters import RegisteredFilter
from coachwhip.api.module import Module
from coachwhip.api.providers import Providers
from coachwhip.config.sections import Section, SectionKind
from coachwhip.config.tree import Node
from coachwhip.util.words import SPACES, cut_words, word_at

if TYPE_CHECKING:
    from coachwhip.config.reading import Reading

__all__ = ["SECTION_OVERRIDE", "Context", "Methods", "Scope"]

#: What is allowed inside `<Directory>` and its kin in the server's own files.
SECTION_OVERRIDE = Where.SECTION | Where.ALL


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods that a `<Limit>` (`listed`) or `<LimitExcept>` (all but `listed`) is about."""

    listed: frozenset[str]
    is_except: bool = False

    def within(self, outer: Methods | None) -> Methods:
        """What is left of it inside another such container."""
        if outer is None:
            return self
        if self.is_except and outer.is_except:
            return Methods(self.listed | outer.listed, True)
        if self.is_except:
            return Methods(outer.listed - self.listed)
        return Methods(self.listed - outer.listed if outer.is_except else self.listed & outer.listed)

    @property
    def is_empty(self) -> bool:
        """No method is left."""
        return not self.is_except and not self.listed


@dataclass(frozen=True, slots=True)
class Scope:
    """Where lines stand: the section that gets what they set, and what Apache keeps beside it in cmd_parms."""

    section: Section
    #: Gets what is set per server: the main server's section or the virtual host's.
    server: Section
    override: Where
    #: `AllowOverrideList`: names allowed beside the classes, lower case. None outside `.htaccess`.
    override_list: frozenset[str] | None = None
    #: See api.Override: what a `.htaccess` may get wrong without a 500.
    nonfatal: str = ""
    #: Bits that `Options` may set; None for all.
    override_options: Options | None = None
    in_htaccess: bool = False
    in_virtual_host: bool = False
    path: str | None = None
    path_is_regex: bool = False
    methods: Methods | None = None
    #: Sections a `<Directory>` or `<Location>` is added to.
    directories: list[Section] = field(default_factory=list)
    locations: list[Section] = field(default_factory=list)
    #: One stack of open containers for each module, empty in a new section.
    stacks: dict[str, list[Any]] = field(default_factory=dict)

    def inside(self, section: Section, path: str, *, is_regex: bool) -> Scope:
        """The scope of a section that stands here."""
        override = self.override if self.in_htaccess else SECTION_OVERRIDE
        return replace(self, section=section, path=path, path_is_regex=is_regex, override=override, stacks={})


class Context:
    """One line being read; implements `api.DirectiveContext`."""

    def __init__(
        self, state: Reading, scope: Scope, node: Node, module: Module, row: Directive, walk: Callable[[Node, Scope], None]
    ) -> None:
        self.directive = row.name
        self.location: Location = node.location
        self.node = node
        self.scope = scope
        self.row = row
        self.module = module
        self._state = state
        self._walk = walk

    @property
    def in_htaccess(self) -> bool:
        """True inside a `.htaccess` file."""
        return self.scope.in_htaccess

    @property
    def at_server_level(self) -> bool:
        """True outside every per-directory section."""
        return self.scope.path is None

    @property
    def in_virtual_host(self) -> bool:
        """True inside a `<VirtualHost>`."""
        return self.scope.in_virtual_host

    @property
    def path(self) -> str | None:
        """Path, URL or pattern of the innermost section."""
        return self.scope.path

    @property
    def path_is_regex(self) -> bool:
        """Whether `path` is a regular expression."""
        return self.scope.path_is_regex

    @property
    def limit(self) -> frozenset[str] | None:
        """Methods of an enclosing `<Limit>`."""
        methods = self.scope.methods
        return methods.listed if methods and not methods.is_except else None

    @property
    def limit_except(self) -> frozenset[str] | None:
        """Methods of an enclosing `<LimitExcept>`."""
        methods = self.scope.methods
        return methods.listed if methods and methods.is_except else None

    @property
    def override(self) -> Where:
        """The classes allowed here."""
        return self.scope.override

    @property
    def providers(self) -> Providers:
        """Those of the modules loaded."""
        return self._state.modules.providers

    @property
    def defines(self) -> Mapping[str, str]:
        """`Define`d names with their values, "" for those without."""
        return {name: self._state.fill.values.get(name.lower(), "") for name in self._state.defined}

    @property
    def enclosing(self) -> tuple[str, ...]:
        """Names of the containers around this line, innermost first."""
        names: list[str] = []
        outer = self.node.parent
        while outer is not None:
            names.append(outer.name.removeprefix("<"))
            outer = outer.parent
        return tuple(names)

    @property
    def stack(self) -> list[Any]:
        """A stack for this module's containers in this section."""
        return self.scope.stacks.setdefault(self.module.source, [])

    def server_path(self, path: str) -> str:
        """`path` against ServerRoot."""
        return self._state.absolute(path)

    def runtime_path(self, path: str) -> str:
        """`path` against DefaultRuntimeDir, or ServerRoot where it is not set."""
        return self._state.absolute(
            self._state.runtime_dir + "/" + path if self._state.runtime_dir and not path.startswith("/") else path
        )

    def _target(self, config: type[Any]) -> Section:
        # What is not per directory belongs to the server even when a line inside a section sets it.
        return self.scope.section if config is self.module.dir_config else self.scope.server

    def value_of(self, config: type[Any], field: str) -> Any:
        """What has been set so far."""
        return self._target(config).get(config, field)

    def set(self, config: type[Any], field: str, value: Any) -> None:
        """Set a field, in place of an earlier value."""
        self._target(config).set(config, field, value, self.location)

    def add(self, config: type[Any], field: str, said: Any, repeat: Repeat | Join = Repeat.APPEND) -> None:
        """Add to a field what this line says of it."""
        self._target(config).set(config, field, said, self.location, repeat)

    def store(self, value: Any) -> None:
        """Set the row's own field by the row's own rule."""
        if self.row.sets is None:
            return
        config = self.module.config_of(self.row.sets)
        self._target(config).set(config, self.row.sets, value, self.location, self.row.repeat)

    def read_section(self) -> None:
        """Read the enclosed lines into the section at hand."""
        self._walk(self.node, self.scope)

    def read_apart(self, override: Where = Where.SECTION | Where.AUTHCONFIG) -> Section:
        """Read the enclosed lines into a section of their own; directives of `override` may stand in it."""
        section = Section(SectionKind.APART, self.directive, self.location)
        scope = replace(self.scope.inside(section, self.directive, is_regex=False), override=override)
        self._walk(self.node, scope)
        return section

    def section_lines(self) -> list[tuple[str, str, Location]]:
        """The enclosed lines, unread."""
        return [(node.name, node.args, node.location) for node in self.node.children]

    def words(self, raw: str) -> list[str]:
        """`raw` cut into words."""
        return cut_words(raw)

    def word(self, raw: str) -> tuple[str, str]:
        """The first word of `raw`, and what follows it."""
        word, at = word_at(raw)
        return word, raw[at:].strip(SPACES)

    def warn(self, message: str, log_id: str = "") -> None:
        """Keep a warning about this line."""
        self._state.warn(message, log_id, self.location)

    def has_module(self, name: str) -> bool:
        """Whether a module is loaded."""
        return self._state.modules.has(name)

    def find_filter(self, name: str) -> RegisteredFilter | None:
        """The filter of this name, in any case."""
        return self._state.modules.filters.get(name.lower())

    def find_module(self, name: str) -> str | None:
        """Short name of a loaded module, given as "env", "env_module" or "mod_env.c"."""
        return self._state.modules.short_name(name)

    def where_of(self, name: str) -> Where | None:
        """Where a directive may stand, None if no loaded module has it."""
        found = self._state.modules.row(name) or self._state.modules.row(f"<{name}")
        return found[1].where if found else None

    def is_inside(self, *names: str) -> bool:
        """Whether a container of one of these names is around this line."""
        wanted = {f"<{name}".lower() for name in names}
        above = self.node.parent
        while above is not None and above.name.lower() not in wanted:
            above = above.parent
        return above is not None

    def is_directory(self, path: str) -> bool:
        """Whether a folder stands at `path` now."""
        return os.path.isdir(path)

    def exists(self, path: str) -> bool:
        """Whether anything stands at `path` now."""
        return os.path.exists(path)

    @property
    def override_options(self) -> Options | None:
        """The bits that `Options` may set here; None for all."""
        return self.scope.override_options

    @property
    def checks_document_root(self) -> bool:
        """False under `-T`."""
        return self._state.check_document_root
