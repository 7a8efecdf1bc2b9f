"""Which icon, text and description an entry gets, and whether it is left out: the lists of `AddIcon` and its kin, searched.

The lists are long (Debian's has a hundred patterns) and folders large, so a list is prepared once per listing: patterns that
are only an ending are found by dictionary, all others are tried one by one. The answer is that of trying them in order.
"""

from __future__ import annotations

from typing import NamedTuple

from coachwhip.modules.generators.mod_autoindex.settings import By, Description, Ignored, Item
from coachwhip.util.wildcards import fnmatch, strcasecmp_match, strcmp_match

__all__ = ["BLANK_ICON", "DIRECTORY", "IgnoreFilter", "ItemFinder", "find_description"]

DIRECTORY = "^^DIRECTORY^^"
BLANK_ICON = "^^BLANKICON^^"


class _Candidate(NamedTuple):
    rank: int
    item: Item


class ItemFinder:
    """One list of items as it applies to the entries of one folder."""

    def __init__(self, items: tuple[Item, ...], folder: str) -> None:
        """`folder` is the file path, with a slash at the end."""
        self._items = items
        self._endings: dict[str, int] = {}
        self._by_path: list[_Candidate] = []
        self._by_nature: list[_Candidate] = []
        for rank, item in enumerate(items):
            self._place(_Candidate(rank, item), folder)
        self._ending_lengths = sorted({len(ending) for ending in self._endings})
        self._natures: dict[tuple[str | None, str | None], int] = {}

    def _place(self, candidate: _Candidate, folder: str) -> None:
        rank, item = candidate
        below = item.path[:-1]
        is_plain = "*" not in below and "?" not in below
        if is_plain and not folder.startswith(below) and not below.startswith(folder):
            return
        applies_always = is_plain and folder.startswith(below)
        ending = item.pattern[1:]
        if item.by is By.PATH and applies_always and item.pattern[:1] == "*" and "*" not in ending and "?" not in ending:
            self._endings.setdefault(ending, rank)
        elif item.by is By.PATH or not item.pattern or not applies_always:
            self._by_path.append(candidate)
        else:
            self._by_nature.append(candidate)

    def find(self, path: str, content_type: str | None = None, encoding: str | None = None, *, path_only: bool) -> str | None:
        """The data of the first item that fits, or None.

        `content_type` and `encoding` are what the server knows of a file; a folder is asked for with `path_only`.
        """
        best = self._rank_by_ending(path)
        for rank, item in self._by_path:
            if rank >= best:
                break
            if strcmp_match(item.path, path) and _fits(item, path, content_type, encoding, path_only):
                best = rank
                break
        if not path_only and self._by_nature:
            best = min(best, self._rank_by_nature(content_type, encoding))
        return self._items[best].data if best < len(self._items) else None

    def _rank_by_ending(self, path: str) -> int:
        best = len(self._items)
        for length in self._ending_lengths:
            ending = path[-length:] if length else ""
            rank = self._endings.get(ending)
            if rank is not None and rank < best:
                best = rank
        return best

    def _rank_by_nature(self, content_type: str | None, encoding: str | None) -> int:
        key = (content_type, encoding)
        rank = self._natures.get(key)
        if rank is None:
            fitting = (c.rank for c in self._by_nature if _fits_nature(c.item, content_type, encoding))
            rank = self._natures[key] = next(fitting, len(self._items))
        return rank

    def find_special(self, name: str) -> str | None:
        """The data for `^^DIRECTORY^^` or `^^BLANKICON^^`, whatever section it stands in; or for a path of no file."""
        for item in self._items:
            if not item.pattern:
                return item.data
            if strcmp_match(item.pattern, name):
                return item.data
        return None


def _fits(item: Item, path: str, content_type: str | None, encoding: str | None, path_only: bool) -> bool:
    if not item.pattern:
        return True
    if item.by is By.PATH:
        return strcmp_match(item.pattern, path)
    return not path_only and _fits_nature(item, content_type, encoding)


def _fits_nature(item: Item, content_type: str | None, encoding: str | None) -> bool:
    """An encoded file is known by its encoding alone."""
    if encoding:
        return item.by is By.ENCODING and strcasecmp_match(item.pattern, encoding)
    return item.by is By.TYPE and content_type is not None and strcasecmp_match(item.pattern, content_type)


def find_description(descriptions: tuple[Description, ...], path: str) -> str | None:
    """The text of the first `AddDescription` that fits the file at `path`."""
    name = path.rpartition("/")[2]
    for pattern, is_wildcard, is_path, text in descriptions:
        subject = path if is_path else name
        if fnmatch(pattern, subject) if is_wildcard else pattern in subject:
            return text
    return None


class IgnoreFilter:
    """The `IndexIgnore` names as they apply to the entries of one folder."""

    def __init__(self, ignored: tuple[Ignored, ...], folder: str) -> None:
        self._names: set[str] = set()
        self._wild: list[str] = []
        self._conditional: list[Ignored] = []
        for item in ignored:
            name = item.pattern.rpartition("/")[2]
            below = item.path[:-1]
            if "*" in below or "?" in below or below.startswith(folder):
                self._conditional.append(Ignored(name, item.path))
            elif not folder.startswith(below):
                continue
            elif "*" in name or "?" in name:
                self._wild.append(name)
            else:
                self._names.add(name)
        self._folder = folder

    def __contains__(self, name: str) -> bool:
        if name in self._names or any(strcmp_match(pattern, name) for pattern in self._wild):
            return True
        path = self._folder + name
        return any(strcmp_match(item.path, path) and strcmp_match(item.pattern, name) for item in self._conditional)
