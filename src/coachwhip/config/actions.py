"""The directives that act while the configuration is read, except macros: Define, Include, LoadModule, `<IfModule>` and their kin.

Their rows (names, contexts, argument shapes) are in `modules/core/`, which cannot act on a reader; here is what they do.
Source: Apache manual, `core`, `mod_so`, `mod_version`; messages compared with 2.4.71.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from coachwhip import APACHE_VERSION
from coachwhip.api.directives import DirectiveError
from coachwhip.config.includes import matching_files
from coachwhip.config.loading import find
from coachwhip.config.macros import MACRO_ACTIONS
from coachwhip.config.reading import Action, Reader, Source
from coachwhip.config.shapes import section_argument
from coachwhip.config.tree import Node
from coachwhip.util.patterns import Pattern, PatternError
from coachwhip.util.words import word_at

__all__ = ["ACTIONS"]

Words = tuple[object, ...]


def _refuse(message: str) -> DirectiveError:
    return DirectiveError(message, alone=True)


def _define(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    name = str(words[0])
    _check_variable(node, name)
    reader.state.defined[name] = None
    if len(words) == 2:
        reader.state.fill.values[name.lower()] = str(words[1])
    return []


def _undefine(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    name = str(words[0])
    _check_variable(node, name)
    reader.state.defined.pop(name, None)
    reader.state.fill.values.pop(name.lower(), None)
    return []


def _check_variable(node: Node, name: str) -> None:
    if ":" in name:
        raise _refuse("Variable name must not contain ':'")


def _server_root(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    path = os.path.normpath(str(words[0]))
    if not os.path.isabs(path) or not os.path.isdir(path):
        raise _refuse("ServerRoot must be a valid directory")
    reader.state.server_root = path
    return []


def _runtime_dir(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    path = reader.state.absolute(str(words[0]))
    if not os.path.isdir(path):
        raise _refuse("DefaultRuntimeDir must be a valid directory, absolute or relative to ServerRoot")
    reader.state.runtime_dir = path
    return []


def _load_module(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    identifier, path = str(words[0]), str(words[1])
    modules = reader.state.modules
    if modules.has(identifier):
        reader.state.warn(f"module {identifier} is already loaded, skipping", "AH01574", node.location)
        return []
    modules.add(find(identifier, path))
    return []


def _load_file(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    raise _refuse(f"Cannot load {words[0]} into server: shared objects cannot be loaded into a Python server")


def _include(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    return _include_all(reader, node, str(words[0]), optional=False)


def _include_optional(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    return _include_all(reader, node, str(words[0]), optional=True)


def _include_all(reader: Reader, node: Node, name: str, *, optional: bool) -> list[Node]:
    path = reader.state.absolute(name)
    nodes: list[Node] = []
    for found in matching_files(path, optional=optional, texts=reader.state.texts):
        nodes += reader.include(found, node)
    return nodes


#: Decides whether a container's lines count.
Condition = Callable[[Reader, str], bool]


def _container(is_true: Condition) -> Action:
    def act(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
        inside = section_argument(node.name[1:], str(words[0]))
        word, _at = word_at(inside)
        is_wanted = not word.startswith("!")
        if not is_wanted:
            word = word[1:] or word_at(inside, inside.index("!") + 1)[0]
        if not word:
            raise _refuse(f"{node.title} directive requires additional arguments")
        return _enclosed(reader, node, source, is_true(reader, word) is is_wanted)

    return act


def _enclosed(reader: Reader, node: Node, source: Source, counts: bool) -> list[Node]:
    if counts:
        return reader.read_until(f"</{node.name[1:]}>", source, node.parent)
    reader.skip_until_closed(node.name[1:], source)
    return []


def _file_exists(reader: Reader, name: str) -> bool:
    path = reader.state.absolute(name)
    return path in reader.state.texts or os.path.exists(path)


_OPERATORS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "==": lambda order: order == 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,2}", re.ASCII)


def _if_version(reader: Reader, node: Node, source: Source, words: Words) -> list[Node]:
    operator, version, is_regex = _version_test([str(word) for word in words])
    negated = operator.startswith("!") and len(operator) > 1
    operator = operator[negated:]
    if operator == "~" or (is_regex and operator in ("=", "==")):
        is_true = _matches_version(version)
    elif operator in _OPERATORS:
        is_true = _OPERATORS[operator](_compare_version(version))
    else:
        raise _refuse(f"unrecognized operator '{'!' * negated}{operator}'")
    return _enclosed(reader, node, source, is_true is not negated)


def _version_test(words: list[str]) -> tuple[str, str, bool]:
    """Operator, version or pattern, and whether it stands between slashes."""
    if words[-1] == ">" and len(words) > 1:
        words = words[:-1]
    elif words[-1].endswith(">") and len(words) < 3:
        words = [*words[:-1], words[-1][:-1]]
    else:
        raise _refuse("<IfVersion> directive missing closing '>'")
    operator, version = ("=", words[0]) if len(words) == 1 else (words[0], words[1])
    if not version.startswith("/") or operator.lstrip("!") not in ("=", "=="):
        return operator, version, False
    if len(version) < 2 or not version.endswith("/"):
        raise _refuse("Missing delimiting / of regular expression.")
    return operator, version[1:-1], True


def _matches_version(pattern: str) -> bool:
    try:
        return Pattern(pattern).match(".".join(map(str, APACHE_VERSION))) is not None
    except PatternError as error:
        raise _refuse("Unable to compile regular expression") from error


def _compare_version(version: str) -> int:
    if not _VERSION.fullmatch(version):
        raise _refuse(
            "Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch are numbers."
        )
    asked = [int(part) for part in version.split(".")]
    ours = list(APACHE_VERSION)
    asked += [0] * (len(ours) - len(asked))
    return (ours > asked) - (ours < asked)


#: Lower-case directive name → what it does.
ACTIONS: dict[str, Action] = {
    "define": _define,
    "undefine": _undefine,
    "serverroot": _server_root,
    "defaultruntimedir": _runtime_dir,
    "loadmodule": _load_module,
    "loadfile": _load_file,
    "include": _include,
    "includeoptional": _include_optional,
    "<ifmodule": _container(lambda reader, name: reader.state.modules.has(name)),
    "<ifdefine": _container(lambda reader, name: name in reader.state.defined),
    "<iffile": _container(_file_exists),
    "<ifdirective": _container(lambda reader, name: reader.state.modules.row(name) is not None),
    "<ifsection": _container(lambda reader, name: reader.state.modules.row(f"<{name}") is not None),
    "<ifversion": _if_version,
    **MACRO_ACTIONS,
}
