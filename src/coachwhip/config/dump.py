"""What `-DDUMP_CONFIG` and `-DDUMP_INCLUDES` print, in Apache's shapes.

Both show the configuration as read: macros, includes and `<If…>` containers of the reading pass are resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coachwhip.config.reading import Inclusion
from coachwhip.config.tree import Node

__all__ = ["dump_config", "dump_includes"]


def dump_config(tree: Iterable[Node]) -> str:
    """The nodes with file and line in comments (mod_info's `-DDUMP_CONFIG`)."""
    printer = _Printer()
    printer.nodes(tree, 0)
    return "".join([f"{line}\n" for line in printer.lines])


class _Printer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._file = ""

    def nodes(self, nodes: Iterable[Node], depth: int) -> None:
        indent = "  " * depth
        for node in nodes:
            self._in_file(node)
            self.lines.append(f"{indent}#{node.location.line:4}:")
            self.lines.append(indent + (f"{node.name} {node.args}" if node.args or node.is_section else node.name))
            if not node.children:
                continue
            self.nodes(node.children, depth + 1)
            self._in_file(node)
            self.lines.append(f"{indent}</{node.name[1:]}>")

    def _in_file(self, node: Node) -> None:
        if node.location.file != self._file:
            self._file = node.location.file
            self.lines.append(f"# In file: {self._file}")


def dump_includes(inclusions: Iterable[Inclusion]) -> str:
    """The files that were read, with the line that included each (`-DDUMP_INCLUDES`)."""
    return "Included configuration files:\n" + "".join([f"{line}\n" for line in _inclusion_lines(inclusions)])


def _inclusion_lines(inclusions: Iterable[Inclusion]) -> Iterator[str]:
    for inclusion in inclusions:
        if inclusion.by is None:
            yield f"  (*) {inclusion.path}"
            continue
        yield f"{'  ' * (inclusion.depth + 1)}({inclusion.by.line}) {inclusion.path}"
