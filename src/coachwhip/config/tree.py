"""The lossless tree of one file, and the nodes of the configuration that was read.

`parse_file` keeps every byte: blank lines, comments, odd spacing, unbalanced brackets. It nests what is nested and judges nothing,
so that macro bodies and parts switched off by `<IfModule>` keep their place too. `Node` is what the reading pass makes of the
lines that count: Include, Use and the `<If…>` containers are resolved in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from coachwhip.api.directives import Location
from coachwhip.config.lines import Line, split_lines
from coachwhip.util.words import word_at

__all__ = ["Container", "File", "Item", "Leaf", "Node", "parse_file", "split_name"]


def split_name(text: str) -> tuple[str, str]:
    """First word of a logical line (for a container with its `<`, without a closing `>`), and the rest as it stands."""
    name, at = word_at(text)
    args = text[at:]
    if name.endswith(">") and not name.startswith("</"):
        # The bracket of "<Else>" is the closing one; in "<Files> x>" it is not.
        name, args = name[:-1], args or ">"
    return name, args


@dataclass(frozen=True, slots=True)
class Leaf:
    """A directive, a comment, a blank line, or a bracket that closes nothing."""

    line: Line
    location: Location

    @property
    def name(self) -> str:
        """The directive, "" for a comment or a blank line."""
        return "" if self.line.is_blank else split_name(self.line.text)[0]

    @property
    def args(self) -> str:
        """The arguments as written."""
        return "" if self.line.is_blank else split_name(self.line.text)[1]

    def __bytes__(self) -> bytes:
        return self.line.raw


@dataclass(slots=True)
class Container:
    """`<Name …>`, what it encloses, and `</Name>`; `close` is None if the file ends first."""

    open: Leaf
    items: list[Item] = field(default_factory=list)
    close: Leaf | None = None

    @property
    def location(self) -> Location:
        """The opening line."""
        return self.open.location

    @property
    def name(self) -> str:
        """Without brackets."""
        return self.open.name[1:]

    @property
    def args(self) -> str:
        """As written, without the closing bracket."""
        return self.open.args.rpartition(">")[0]

    def __bytes__(self) -> bytes:
        return b"".join([leaf.line.raw for leaf in _walk([self])])


Item = Leaf | Container


@dataclass(frozen=True, slots=True)
class File:
    """A parsed file."""

    path: str
    items: list[Item]

    def __bytes__(self) -> bytes:
        """Exactly the bytes that were parsed."""
        return b"".join([leaf.line.raw for leaf in self.walk()])

    def walk(self) -> Iterator[Leaf]:
        """Every line in order; containers give their opening line first."""
        yield from _walk(self.items)


def _walk(items: list[Item]) -> Iterator[Leaf]:
    # Not recursive: nesting comes from the file.
    waiting: list[Item] = items[::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Leaf):
            yield item
            continue
        yield item.open
        waiting += [item.close] if item.close else []
        waiting += item.items[::-1]


def parse_file(data: bytes, path: str) -> File:
    """The lossless tree of a file; never fails.

    A closing bracket closes the innermost container of its name, with those inside it that were left open. One that no open
    container answers to stays a leaf.
    """
    root: list[Item] = []
    opened: list[Container] = []
    # Where in `opened` containers of a name are, so that a bracket that closes nothing costs no search.
    depths: dict[str, list[int]] = {}
    for line in split_lines(data):
        leaf = Leaf(line, Location(path, line.number))
        here = opened[-1].items if opened else root
        name = leaf.name
        if name.startswith("</"):
            answering = depths.get(name[2:].removesuffix(">").lower())
            if answering:
                depth = answering[-1]
                opened[depth].close = leaf
                for container in opened[depth:]:
                    depths[container.name.lower()].pop()
                del opened[depth:]
                continue
        elif name.startswith("<"):
            container = Container(leaf)
            here.append(container)
            depths.setdefault(container.name.lower(), []).append(len(opened))
            opened.append(container)
            continue
        here.append(leaf)
    return File(path, root)


@dataclass(slots=True, eq=False)
class Node:
    """One directive that counts, in the configuration as read."""

    #: As written; a section with its `<` and without `>`.
    name: str
    #: As written; a section's with what closes the bracket.
    args: str
    location: Location
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        """Whether it is a container."""
        return self.name.startswith("<")

    @property
    def title(self) -> str:
        """The name for messages: `Listen`, `<Directory>`."""
        return f"{self.name}>" if self.is_section else self.name

    def __str__(self) -> str:
        return f"{self.name} {self.args}" if self.args else self.title
