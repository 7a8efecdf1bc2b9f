"""Which files an `Include` or `IncludeOptional` line means: wildcards in any component, folders with all that is in them, sorted.

Source: Apache manual, `Include`; order, hidden files and messages compared with 2.4.71.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from coachwhip.api.directives import DirectiveError
from coachwhip.util.paths import fnmatch, is_fnmatch

__all__ = ["FOLDER_DEPTH", "matching_files"]

#: Folders below an included folder, at most.
FOLDER_DEPTH = 20


def matching_files(path: str, *, optional: bool, texts: Mapping[str, bytes]) -> Iterator[str]:
    """The files of an absolute path or pattern, in the order in which they are read.

    A file that is missing is given all the same, unless `optional`: opening it makes the better message. `texts` are files that
    exist in memory only.

    Raises:
        DirectiveError: a folder cannot be read, or (not `optional`) a pattern matches nothing.
    """
    if not is_fnmatch(path):
        yield from _plain(path, optional, texts, 0)
        return
    yield from _pattern("/", path.lstrip("/"), optional, texts)


def _plain(path: str, optional: bool, texts: Mapping[str, bytes], depth: int) -> Iterator[str]:
    if not os.path.isdir(path):
        if not optional or path in texts or os.path.exists(path):
            yield path
        return
    if depth > FOLDER_DEPTH:
        raise DirectiveError(
            f"Directory {path} exceeds the maximum include directory nesting level of {FOLDER_DEPTH}. "
            "You have probably a recursion somewhere.",
            alone=True,
        )
    for name in _names(path, optional):
        yield from _plain(os.path.join(path, name), optional, texts, depth + 1)


def _pattern(folder: str, pattern: str, optional: bool, texts: Mapping[str, bytes]) -> Iterator[str]:
    first, slash, rest = pattern.partition("/")
    if not is_fnmatch(first):
        path = os.path.join(folder, first)
        yield from _pattern(path, rest, optional, texts) if slash else _plain(path, optional, texts, 0)
        return
    found = [name for name in _names(folder, optional) if fnmatch(first, name, period=True)]
    if slash:
        found = [name for name in found if os.path.isdir(os.path.join(folder, name))]
    if not found and not optional:
        raise DirectiveError(f"Include/IncludeOptional: No matches for the wildcard '{first}' in '{folder}', failing", alone=True)
    for name in found:
        path = os.path.join(folder, name)
        yield from _pattern(path, rest, optional, texts) if rest else _plain(path, optional, texts, 0)


def _names(folder: str, optional: bool) -> list[str]:
    """Names in a folder in octet order."""
    try:
        return sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        if optional and isinstance(error, FileNotFoundError):
            return []
        message = f"Include/IncludeOptional: Could not open directory {folder}: {error.strerror}"
        raise DirectiveError(message, alone=True) from error
