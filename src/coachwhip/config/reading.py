"""The first pass: lines to the nodes that count.

Lines are read one by one, and directives that act while the file is being read (`Define`, `Include`, `LoadModule`, `<IfModule>`,
`Use`, …; `actions.py`, `macros.py`) act at once, so their order matters, as in Apache. All other lines become `Node`s; what they
mean is the business of `evaluation.py`. Source: Apache's EXEC_ON_READ; nesting and messages compared with 2.4.71.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from coachwhip.api.directives import Directive, DirectiveError, Location, Where
from coachwhip.config.errors import COMMAND_LINE, ConfigError, ConfigWarning
from coachwhip.config.filling import Filler
from coachwhip.config.lines import LINE_LIMIT
from coachwhip.config.loading import Modules
from coachwhip.config.shapes import arguments
from coachwhip.config.tree import File, Node, parse_file, split_name

__all__ = ["INCLUDE_DEPTH", "Action", "Inclusion", "Reader", "Reading", "Source", "allowed", "forbidden", "refusal"]

INCLUDE_DEPTH = 128

#: What is allowed at server level: everything but the classes that only make sense for a directory.
SERVER_OVERRIDE = Where.SERVER | (Where.ALL & ~(Where.AUTHCONFIG | Where.LIMIT))


@dataclass(slots=True)
class _Frame:
    name: str
    lines: Iterator[tuple[str, int]]
    macro: str = ""
    number: int = 0


class Source:
    """Lines being read: a file, the command line, and in front of them the macros in use."""

    def __init__(self, name: str, lines: Iterable[tuple[str, int]]) -> None:
        self._frames = [_Frame(name, iter(lines))]

    @classmethod
    def of(cls, file: File) -> Source:
        """The logical lines of a parsed file."""
        return cls(file.path, _checked_lines(file))

    def push(self, name: str, lines: list[str], macro: str) -> None:
        """Read these lines first; `name` stands for the file in messages."""
        self._frames.append(_Frame(name, iter(list(zip(lines, range(1, len(lines) + 1), strict=True))), macro))

    def is_reading(self, macro: str) -> bool:
        """Whether lines of this macro are being read."""
        return any(frame.macro == macro for frame in self._frames)

    def next(self) -> str | None:
        """The next logical line; None at the end."""
        while True:
            frame = self._frames[-1]
            line = next(frame.lines, None)
            if line is not None:
                text, frame.number = line
                return text
            if len(self._frames) == 1:
                return None
            self._frames.pop()

    @property
    def name(self) -> str:
        """What is read from."""
        return self._frames[-1].name

    @property
    def number(self) -> int:
        """The line read last."""
        return self._frames[-1].number

    @property
    def location(self) -> Location:
        """File and line read last."""
        return Location(self.name, self.number)


def _checked_lines(file: File) -> Iterator[tuple[str, int]]:
    for leaf in file.walk():
        line = leaf.line
        if len(line.text) >= LINE_LIMIT:
            raise ConfigError(f"Error reading {file.path} at line {line.first}: Line too long")
        yield line.text, line.number


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A file that was read: by which line (None: the start) and how deep."""

    path: str
    by: Location | None
    depth: int


@dataclass(slots=True)
class Reading:
    """What the lines read so far have brought about."""

    modules: Modules
    fill: Filler
    server_root: str
    #: Names that `<IfDefine>` is true for, in order: `-D` and `Define`. Values are in `fill`.
    defined: dict[str, None] = field(default_factory=dict)
    runtime_dir: str = ""
    warnings: list[ConfigWarning] = field(default_factory=list)
    #: The lossless trees of all files read, in order, and how they came in.
    files: list[File] = field(default_factory=list)
    inclusions: list[Inclusion] = field(default_factory=list)
    #: Lower-case name → macro (macros.Macro); None until one is defined.
    macros: dict[str, object] | None = None
    #: MacroIgnoreBadNesting and MacroIgnoreEmptyArgs.
    ignore_bad_nesting: bool = False
    ignore_empty_arguments: bool = False
    #: False under `-T`: document roots need not exist.
    check_document_root: bool = True
    #: Files in memory in place of files on disk (tests, `serve`): path → bytes.
    texts: Mapping[str, bytes] = field(default_factory=dict)

    def warn(self, message: str, log_id: str = "", location: Location | None = None) -> None:
        """Keep a warning."""
        self.warnings.append(ConfigWarning(message, log_id, location))

    def absolute(self, path: str) -> str:
        """`path` against ServerRoot, normalised; what is not a path raises DirectiveError."""
        if "\0" in path:
            raise DirectiveError(f"Invalid path {path!r}", alone=True)
        whole = os.path.normpath(os.path.join(self.server_root, path))
        return f"{whole}/" if path.endswith("/") and whole != "/" else whole

    def load_file(self, path: str, by: Location | None, depth: int) -> Source:
        """Read and parse a file. Raises OSError."""
        data = self.texts.get(path)
        if data is None:
            data = _read_regular(path)
        file = parse_file(data, path)
        self.files.append(file)
        self.inclusions.append(Inclusion(path, by, depth))
        return Source.of(file)


def _read_regular(path: str) -> bytes:
    """The bytes of a regular file (or of /dev/null); what may block or never end is refused (Apache's AH00554). Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) and path != "/dev/null":
            raise OSError(errno.EBADF, "not a regular file")
        return opened.read()


def allowed(row: Directive, override: Where, override_list: frozenset[str] | None) -> bool:
    """Whether a directive may stand where `override` and, in a `.htaccess`, `AllowOverrideList` are in force."""
    return bool(override & row.where) or (override_list is not None and row.name.lower() in override_list)


def refusal(node: Node) -> str:
    """The sentence for a directive in a place where it is not allowed."""
    where = f"in {node.parent.title} context" if node.parent else "here"
    return f"{node.name} not allowed {where}"


def forbidden(row: Directive) -> str:
    """The same, where `Nonfatal=Override` makes it a warning (AH02295)."""
    return f"{'<' * row.section}{row.name} in .htaccess forbidden by AllowOverride"


#: Acts while reading: gets the reader, the line, and the source to take enclosed lines from; returns what stands in its place.
Action = Callable[["Reader", Node, Source, "tuple[object, ...]"], "list[Node]"]


class Reader:
    """Turns sources into nodes, with one `Reading` behind all of them."""

    def __init__(
        self,
        state: Reading,
        actions: Mapping[str, Action],
        override: Where = SERVER_OVERRIDE,
        override_list: frozenset[str] | None = None,
        nonfatal: str = "",
    ) -> None:
        self.state = state
        self._override = override
        self._override_list = override_list
        self._nonfatal = nonfatal
        self.depth = 0
        self._actions = actions

    def read(self, source: Source, parent: Node | None = None) -> list[Node]:
        """All nodes of a source.

        Raises:
            ConfigError: a bracket does not fit, or a line that acts while reading fails.
        """
        block = _Block(parent)
        while (text := source.next()) is not None:
            self._line(text, source, block)
        if block.opened:
            raise _unclosed(block.opened)
        return block.nodes

    def read_until(self, closing: str, source: Source, parent: Node | None = None) -> list[Node]:
        """The nodes up to the line `closing`, or to the end of the source if it does not come: Apache does not mind."""
        block = _Block(parent)
        while (text := source.next()) is not None:
            if not block.opened and text.lower() == closing.lower():
                break
            self._line(text, source, block)
        else:
            if block.opened:
                raise _unclosed(block.opened)
        return block.nodes

    def skip_until_closed(self, name: str, source: Source) -> None:
        """Pass over an inactive container that `<name` has opened.

        Raises:
            DirectiveError: brackets do not fit.
        """
        opened = [name]
        while opened:
            text = source.next()
            if text is None:
                raise DirectiveError(f"Expected </{opened[-1]}> before end of configuration", alone=True)
            word = split_name(text)[0] if text and text[0] != "#" else ""
            if word.startswith("</"):
                closed = word[2:-1]
                if closed.lower() != opened[-1].lower():
                    raise DirectiveError(f"Expected </{opened[-1]}> but saw </{closed}>", alone=True)
                opened.pop()
            elif word.startswith("<"):
                opened.append(word[1:])

    def include(self, path: str, by: Node) -> list[Node]:
        """The nodes of another file.

        Raises:
            ConfigError: of that file, with the including line in its trail.
        """
        if self.depth >= INCLUDE_DEPTH:
            raise DirectiveError(f"Exceeded maximum include depth of {INCLUDE_DEPTH}, There appears to be a recursion.", alone=True)
        self.depth += 1
        try:
            source = self.state.load_file(path, by.location, self.depth)
            return self.read(source, by.parent)
        except OSError as error:
            raise DirectiveError(f"Could not open configuration file {path}: {error.strerror}", alone=True) from error
        except ConfigError as error:
            raise error.included_from(by.location) from error
        finally:
            self.depth -= 1

    def _line(self, text: str, source: Source, block: _Block) -> None:
        if not text or text[0] == "#":
            return
        try:
            name, args = split_name(self.state.fill(text))
        except DirectiveError as error:
            raise ConfigError(error.message, source.location) from error
        if not name:
            return
        node = Node(name, args, source.location, block.innermost)
        if name.startswith("</"):
            block.close(node)
            return
        found = self.state.modules.row(name)
        if found is not None and found[1].on_read:
            block.add(self._act(node, found[1], source))
        elif node.is_section:
            block.open(node)
        else:
            block.add([node])

    def _act(self, node: Node, row: Directive, source: Source) -> list[Node]:
        action = self._actions.get(node.name.lower())
        try:
            if not allowed(row, self._override, self._override_list):
                if self._nonfatal not in ("override", "all"):
                    raise DirectiveError(refusal(node), alone=True)
                self.state.warn(forbidden(row), "AH02295", node.location)
                return []
            if action is None:
                raise DirectiveError(f"{node.title} cannot act while the configuration is read", alone=True)
            words = arguments(row, node.args)
            return action(self, node, source, words)
        except DirectiveError as error:
            raise ConfigError(error.message, node.location, snippet=f"{node.name} {node.args}") from error


class _Block:
    """Nodes being collected, and the containers that are open."""

    def __init__(self, parent: Node | None) -> None:
        self.nodes: list[Node] = []
        self.opened: list[Node] = []
        self._parent = parent

    @property
    def innermost(self) -> Node | None:
        return self.opened[-1] if self.opened else self._parent

    def add(self, nodes: list[Node]) -> None:
        (self.opened[-1].children if self.opened else self.nodes).extend(nodes)

    def open(self, node: Node) -> None:
        self.add([node])
        self.opened.append(node)

    def close(self, node: Node) -> None:
        name = node.name
        wrong = ""
        if not self.opened:
            wrong = f"{name} without matching <{name[2:]} section"
        elif not name.endswith(">"):
            wrong = f"{name}> directive missing closing '>'"
        elif name[2:-1].lower() != self.opened[-1].name[1:].lower():
            wrong = f"Expected </{self.opened[-1].name[1:]}> but saw {name}"
        if wrong:
            raise ConfigError(wrong, node.location, snippet=f"{name} {node.args}".rstrip())
        self.opened.pop()


def _unclosed(opened: list[Node]) -> ConfigError:
    lines = [f"{node.location}: {node.title} was not closed." for node in reversed(opened)]
    return ConfigError("\n".join(lines), opened[0].location)


def command_line(lines: Iterable[str]) -> Source:
    """The `-C` or `-c` lines as a source."""
    return Source(COMMAND_LINE, ((text, number) for number, text in enumerate(lines, 1)))
