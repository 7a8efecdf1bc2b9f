"""The settings of mod_autoindex: what the sections say of a listing, and how they fold. Knows nothing of requests or HTML.

Source: Apache manual, mod_autoindex. `IndexOptions` has a merge rule of its own; lists of icons, texts and names are tried
innermost first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import NamedTuple

from coachwhip.api import prepend, setting

__all__ = [
    "ADJUST",
    "DEFAULT_DESCRIPTION_WIDTH",
    "DEFAULT_NAME_WIDTH",
    "AutoindexDir",
    "By",
    "Description",
    "IgnoreSet",
    "Ignored",
    "IndexOption",
    "IndexOptions",
    "Item",
    "OptionSet",
    "fold_ignore",
    "fold_options",
]

#: "As wide as the longest": `NameWidth=*` and `DescriptionWidth=*`.
ADJUST = -1
DEFAULT_NAME_WIDTH = 23
DEFAULT_DESCRIPTION_WIDTH = 23


class IndexOption(Flag):
    """The keywords of `IndexOptions` that are on or off."""

    NOTHING = 0
    #: The keyword `None`, which cannot stand beside another one.
    NONE = auto()
    FANCY_INDEXING = auto()
    FOLDERS_FIRST = auto()
    HTML_TABLE = auto()
    ICONS_ARE_LINKS = auto()
    IGNORE_CASE = auto()
    IGNORE_CLIENT = auto()
    SCAN_HTML_TITLES = auto()
    SUPPRESS_COLUMN_SORTING = auto()
    SUPPRESS_DESCRIPTION = auto()
    SUPPRESS_HTML_PREAMBLE = auto()
    SUPPRESS_ICON = auto()
    SUPPRESS_LAST_MODIFIED = auto()
    SUPPRESS_SIZE = auto()
    SUPPRESS_RULES = auto()
    TRACK_MODIFIED = auto()
    VERSION_SORT = auto()
    XHTML = auto()
    SHOW_FORBIDDEN = auto()
    ADD_ALT_CLASS = auto()


@dataclass(frozen=True, slots=True)
class OptionSet:
    """`IndexOptions` of one section: absolute ones in `value`, and those with + and -."""

    value: IndexOption = IndexOption.NOTHING
    add: IndexOption = IndexOption.NOTHING
    remove: IndexOption = IndexOption.NOTHING

    def over(self, outer: OptionSet) -> OptionSet:
        """These options inside `outer`: relative ones change the outer, absolute ones replace them, `None` ends inheritance.

        A relative option that follows an absolute one in the same section counts for the sections inside it alone; that
        is how Apache merges.
        """
        if self.value:
            return OptionSet(self.value)
        add = (outer.add | self.add) & ~self.remove
        remove = outer.remove | self.remove
        return OptionSet(((outer.value & ~IndexOption.NONE) | add) & ~remove, add, remove)


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """`IndexOptions` folded: the server's, and those of all sections, which Apache merges with one another first."""

    server: OptionSet | None = None
    sections: OptionSet | None = None

    @property
    def value(self) -> IndexOption:
        """The options in force. At server level nothing is merged, so a lone `+X` there has no effect."""
        server = self.server or OptionSet()
        return server.value if self.sections is None else self.sections.over(server).value


def fold_options(outer: IndexOptions, inner: IndexOptions) -> IndexOptions:
    """Server under virtual host, section under section."""
    return IndexOptions(_fold(outer.server, inner.server), _fold(outer.sections, inner.sections))


def _fold(outer: OptionSet | None, inner: OptionSet | None) -> OptionSet | None:
    if inner is None or outer is None:
        return inner or outer
    return inner.over(outer)


class By(Enum):
    """What an `AddIcon…` or `AddAlt…` line matches."""

    PATH = "path"
    TYPE = "type"
    ENCODING = "encoding"


class Item(NamedTuple):
    """One pattern of `AddIcon…`, `AddAlt…` and what it gives; patterns know `*` and `?`."""

    by: By
    #: The file names, types or encodings it applies to.
    pattern: str
    #: The paths it applies to: the section's own and below.
    path: str
    data: str


class Description(NamedTuple):
    """One name of `AddDescription`."""

    #: Contained in the file's name, unless it is a wildcard.
    pattern: str
    is_wildcard: bool
    #: Compared with the whole path, not with the name alone.
    is_path: bool
    text: str


class Ignored(NamedTuple):
    """One name of `IndexIgnore`, and the paths below which it counts."""

    pattern: str
    path: str


@dataclass(frozen=True, slots=True)
class IgnoreSet:
    """The `IndexIgnore` lines of one section; `resets`: those of the enclosing sections do not count."""

    names: tuple[Ignored, ...] = ()
    resets: bool = False


def fold_ignore(outer: IgnoreSet, inner: IgnoreSet) -> IgnoreSet:
    """Inner names first, and alone after `IndexIgnoreReset On`."""
    return inner if inner.resets else IgnoreSet(inner.names + outer.names, outer.resets)


def _fold_pixels(outer: int, inner: int) -> int:
    """0 says nothing, so `-IconWidth` does not take an enclosing width back."""
    return inner or outer


@dataclass(frozen=True, slots=True)
class AutoindexDir:
    """What this directory says about its listing."""

    options: IndexOptions = setting(IndexOptions(), fold=fold_options)
    icons: tuple[Item, ...] = setting((), fold=prepend)
    alts: tuple[Item, ...] = setting((), fold=prepend)
    descriptions: tuple[Description, ...] = setting((), fold=prepend)
    ignored: IgnoreSet = setting(IgnoreSet(), fold=fold_ignore)
    default_icon: str | None = None
    style_sheet: str | None = None
    head_insert: str | None = None
    header_name: str | None = None
    readme_name: str | None = None
    #: Bytes of the name column, or `ADJUST`.
    name_width: int = DEFAULT_NAME_WIDTH
    #: Characters of the description column, `ADJUST`, or None: what suppressed columns leave.
    description_width: int | None = None
    #: Pixels; 0 leaves the attribute out.
    icon_width: int = setting(0, fold=_fold_pixels)
    icon_height: int = setting(0, fold=_fold_pixels)
    #: `IndexOrderDefault`: N, M, S or D, and A or D.
    order_key: str = "N"
    order: str = "A"
    #: "02-Jan-2024 03:04" in place of "2024-01-02 03:04".
    old_dates: bool = False
    content_type: str | None = None
    charset: str | None = None
