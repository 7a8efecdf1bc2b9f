"""What a listing shows, and in which order: entries, the client's wishes in the query, sorting.

Pure: knows no request and writes no HTML. All text is one character per byte (Latin-1 over the bytes of the file system), since
Apache counts, cuts and compares bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from coachwhip.modules.generators.mod_autoindex.settings import AutoindexDir, IndexOption
from coachwhip.util.escapes import escape_path
from coachwhip.util.paths import PathError, unescape_path
from coachwhip.util.sorting import sorted_in_pieces

__all__ = ["Entry", "View", "ordered", "view_of"]


@dataclass(slots=True, eq=False)
class Entry:
    """One line of a listing."""

    #: A name, with a slash at the end for a folder; the parent's is an absolute URL path.
    name: str
    #: Bytes; -1 for a folder or when it is not shown.
    size: int = -1
    #: Modification time, seconds since 1970; -1 when it is not shown.
    modified: float = -1
    #: True for a folder that `FoldersFirst` moves up.
    goes_first: bool = False
    is_directory: bool = False
    icon: str | None = None
    alt: str | None = None
    description: str | None = None

    @property
    def is_parent(self) -> bool:
        """Whether this is the line that leads up."""
        return self.name.startswith("/")


@dataclass(frozen=True, slots=True)
class View:
    """How this client sees the folder: options, order and file-name pattern after the query was read."""

    options: IndexOption
    key: str = "N"
    order: str = "A"
    #: What the column links carry on of the query: ";F=1;V=1;P=*.txt".
    kept: str = ""
    #: Shell pattern of the names to show.
    pattern: str | None = None


#: One argument of the query; C, O, F and V take one letter of their own.
_ARGUMENT = re.compile(r"(?:([COFV])=(.)|P=([^&;]*))(?:[&;]|\Z)", re.DOTALL)
_LETTERS = {"C": "NMSD", "O": "AD", "F": "012", "V": "01"}
_TABLE = IndexOption.FANCY_INDEXING | IndexOption.HTML_TABLE
_FORMATS = {"0": (_TABLE, IndexOption.NOTHING), "1": (_TABLE, IndexOption.FANCY_INDEXING), "2": (_TABLE, _TABLE)}


def view_of(conf: AutoindexDir, query: str | None) -> View:
    """The view that the settings and the query (without "?") ask for; what is no argument of ours ends the reading."""
    options = conf.options.value
    view = View(options, conf.order_key, conf.order)
    if options & IndexOption.IGNORE_CLIENT:
        return view
    chosen: dict[str, str] = {}
    position = 0
    while query and position < len(query):
        found = _ARGUMENT.match(query, position)
        if found is None:
            break
        position = found.end()
        letter, value = found[1], found[2]
        if letter is None:
            chosen["P"] = found[3]
        elif value in _LETTERS[letter]:
            chosen[letter] = value
        else:
            break
    return _with_wishes(view, chosen)


def _with_wishes(view: View, chosen: dict[str, str]) -> View:
    options = view.options
    if "F" in chosen:
        off, on = _FORMATS[chosen["F"]]
        options = (options & ~off) | on
    if "V" in chosen:
        options = options & ~IndexOption.VERSION_SORT
        options |= IndexOption.VERSION_SORT if chosen["V"] == "1" else IndexOption.NOTHING
    kept = "".join(f";{letter}={chosen[letter]}" for letter in "FV" if letter in chosen)
    pattern = _decoded(chosen.get("P", ""))
    if pattern is not None:
        # An ampersand would mean something both in the page and in the next query.
        kept += ";P=" + escape_path(pattern.encode("latin-1")).decode("latin-1").replace("&", "%26")
    return replace(
        view, options=options, key=chosen.get("C", view.key), order=chosen.get("O", view.order), kept=kept, pattern=pattern
    )


def _decoded(raw: str) -> str | None:
    """A bad pattern is as good as none."""
    try:
        return unescape_path(raw.encode("latin-1", "replace")).decode("latin-1") if raw else None
    except PathError:
        return None


def ordered(entries: Iterable[Entry], view: View) -> list[Entry]:
    """The entries as the view wants them: the parent first, then folders if they go first, then by the chosen column."""
    ranks: tuple[list[Entry], ...] = ([], [], [])
    for entry in entries:
        ranks[0 if entry.is_parent else 1 if entry.goes_first else 2].append(entry)
    key = _key(view)
    return [entry for rank in ranks for entry in sorted_in_pieces(rank, key, reverse=view.order == "D")]


def _key(view: View) -> Callable[[Entry], Any]:
    name_key = _name_key(view.options)
    if view.key == "M":
        return lambda entry: (max(entry.modified, 0), name_key(entry.name))
    if view.key == "S":
        return lambda entry: (entry.size, name_key(entry.name))
    if view.key == "D":
        text_key = natural_key if view.options & IndexOption.VERSION_SORT else str
        return lambda entry: (text_key(entry.description or ""), name_key(entry.name))
    return lambda entry: name_key(entry.name)


def _name_key(options: IndexOption) -> Callable[[str], Any]:
    exact = natural_key if options & IndexOption.VERSION_SORT else str
    if options & IndexOption.IGNORE_CASE:
        fold = _UPPER if options & IndexOption.VERSION_SORT else _LOWER
        return lambda name: (exact(name.translate(fold)), exact(name))
    return exact


_LOWER = {octet: octet + 32 for octet in range(ord("A"), ord("Z") + 1)}
_UPPER = {octet: octet - 32 for octet in range(ord("a"), ord("z") + 1)}

#: `char` is signed where Apache's natural order was compiled: bytes from 128 sort before the end of the text.
_SIGNED = {octet: chr((octet + 128) % 256 + 1) for octet in range(256)}
_END = chr(129)
_PIECE = re.compile(r"[0-9]+|[^0-9]")
_SPACES = re.compile(r"[ \t-\r]+")


def natural_key(text: str) -> str:
    """A key by which plain comparison gives the natural order (strnatcmp) of texts: "a9" before "a10".

    Runs of digits compare as numbers: the longer one is greater. A run with a leading zero compares as a fraction, digit by
    digit, and comes before those without. White space does not count.
    """
    pieces = []
    # A blank ends a run of digits without taking part itself.
    for word in _SPACES.split(text):
        for piece in _PIECE.findall(word):
            if not piece[0].isdecimal():
                pieces.append(_SIGNED[ord(piece)])
            elif piece[0] == "0":
                pieces.append(_SIGNED[0x30] + piece + "\0")
            else:
                pieces.append(_SIGNED[0x31] + chr(0x100 + len(piece)) + piece)
    return "".join(pieces) + _END
