"""The settings of mod_autoindex and the lines that set them. Knows nothing of requests or HTML.

Source: Apache manual, mod_autoindex. `IndexOptions` has a merge rule of its own (see `fold_options`); lists of icons, texts
and names are tried innermost first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from typing import NamedTuple

from coachwhip.api import Args, Directive, DirectiveContext, DirectiveError, Repeat, Where, prepend, setting
from coachwhip.util.wildcards import is_fnmatch

__all__ = [
    "ADJUST",
    "DEFAULT_DESCRIPTION_WIDTH",
    "DIRECTIVES",
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
DEFAULT_ICON_WIDTH = 20
DEFAULT_ICON_HEIGHT = 22


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
    SUPPRESS_ICON = "an icon URL, then"
_ALT = "a text shown in place of the icon, then"

DIRECTIVES = (
    _row("AddIcon", Args.ONE_THEN_WORDS, "icons", f"{_ICON} names of files", _icons(By.PATH), Repeat.APPEND),
    _row("AddIconByType", Args.ONE_THEN_WORDS, "icons", f"{_ICON} media types", _icons(By.TYPE), Repeat.APPEND),
    _row("AddIconByEncoding", Args.ONE_THEN_WORDS, "icons", f"{_ICON} content encodings", _icons(By.ENCODING), Repeat.APPEND),
    _row("AddAlt", Args.ONE_THEN_WORDS, "alts", f"{_ALT} names of files", _alts(By.PATH), Repeat.APPEND),
    _row("AddAltByType", Args.ONE_THEN_WORDS, "alts", f"{_ALT} media types", _alts(By.TYPE), Repeat.APPEND),
    _row("AddAltByEncoding", Args.ONE_THEN_WORDS, "alts", f"{_ALT} content encodings", _alts(By.ENCODING), Repeat.APPEND),
    _row("AddDescription", Args.ONE_THEN_WORDS, "descriptions", "a text, then names of files", read_descriptions, Repeat.APPEND),
    _row("IndexOptions", Args.ARGV, "options", "options, with + or - to change inherited ones", read_index_options),
    _row("IndexOrderDefault", Args.TWO, "order", "Ascending or Descending, then Name, Date, Size or Description", read_order),
    _row("IndexIgnore", Args.WORDS, "ignored", "names to leave out, wildcards allowed", read_ignored),
    _row("IndexIgnoreReset", Args.FLAG, "ignored", "forget the inherited IndexIgnore names", read_ignore_reset),
    _row("HeaderName", Args.ONE, "header_name", "the file shown above the listing"),
    _row("ReadmeName", Args.ONE, "readme_name", "the file shown below the listing"),
    _row("DefaultIcon", Args.ONE, "default_icon", "the icon of what has none of its own"),
    _row("IndexStyleSheet", Args.ONE, "style_sheet", "the URL of the style sheet"),
    _row("IndexHeadInsert", Args.ONE, "head_insert", "text for the HEAD of the page"),
    Directive("FancyIndexing", Args.FLAG, Where.ALL, value=_refuse_fancy_indexing, help="withdrawn: IndexOptions FancyIndexing"),
)
