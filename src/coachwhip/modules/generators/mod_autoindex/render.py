"""The HTML of a listing: a table, preformatted lines, or a plain list, to the byte as Apache writes it.

Pure: entries and a view in, text out. Text is one character per byte, as in `listing.py`. Apache's page is one that scripts
read; that is why it is written here by hand and not by a template.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from coachwhip.modules.generators.mod_autoindex.listing import Entry, View
from coachwhip.modules.generators.mod_autoindex.settings import (
    ADJUST,
    DEFAULT_DESCRIPTION_WIDTH,
    DEFAULT_NAME_WIDTH,
    AutoindexDir,
    IndexOption,
)
from coachwhip.util.escapes import escape_html, escape_path
from coachwhip.util.strftime import strftime

__all__ = ["preamble", "render"]

_DOCTYPE = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html>\n'
_XHTML_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"\n'
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml">\n'
)
_DATE = "%Y-%m-%d %H:%M"
_OLD_DATE = "%d-%b-%Y %H:%M"
PARENT = "Parent Directory"


def preamble(conf: AutoindexDir, options: IndexOption, title: str) -> str:
    """From the document type to `<body>`; `title` is escaped."""
    is_xhtml = bool(options & IndexOption.XHTML)
    parts = [_XHTML_DOCTYPE if is_xhtml else _DOCTYPE, f" <head>\n  <title>Index of {title}</title>\n"]
    if conf.style_sheet is not None:
        end = " />\n" if is_xhtml else ">\n"
        parts.append(f'  <link rel="stylesheet" href="{octets(conf.style_sheet)}" type="text/css"{end}')
    if conf.head_insert is not None:
        parts.append(octets(conf.head_insert))
    parts.append(" </head>\n <body>\n")
    return "".join(parts)


def heading(conf: AutoindexDir, title: str) -> str:
    """The title over a listing without a header file."""
    return f'  <h1 id="indextitle">Index of {title}</h1>\n' if conf.style_sheet is not None else f"<h1>Index of {title}</h1>\n"


def octets(text: str) -> str:
    """`text` as one character per byte."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def size_text(size: int) -> str:
    """A size in four characters: " 12 ", "973 ", "1.4M"."""
    if size < 0:
        return "  - "
    if size < 973:
        return f"{size:3d} "
    for unit in "KMGTPE":
        size, rest = size >> 10, size & 1023
        if size < 9 or (size == 9 and rest < 973):
            tenths = (rest * 5 + 256) // 512
            return f"{size + 1}.0{unit}" if tenths >= 10 else f"{size}.{tenths}{unit}"
        if size < 973:
            return f"{size + (rest >= 512):3d}{unit}"
    return "****"


def cut_description(conf: AutoindexDir, options: IndexOption, text: str) -> str:
    """As much of a description as its column holds. Tags take no room and an entity takes the room of one character."""
    width = conf.description_width
    if width == ADJUST:
        return text
    if width is None:
        width = DEFAULT_DESCRIPTION_WIDTH + sum(room for option, room in _FREED_ROOM if options & option)
    at = 0
    while at < len(text) and (width > 0 or text[at] == "<"):
        width -= text[at] != "<"
        if text[at] in _CLOSERS:
            at = text.find(_CLOSERS[text[at]], at)
            if at < 0:
                return text + ">"
        at += 1
    # Apache marks the cut by a ">" in place of the last character.
    return text[: at - 1] + ">" if width == 0 and 0 < at < len(text) else text[:at]


#: What begins a run that is never cut, and what ends it.
_CLOSERS = {"<": ">", "&": ";"}

_FREED_ROOM = (
    (IndexOption.SUPPRESS_ICON, 6),
    (IndexOption.SUPPRESS_LAST_MODIFIED, 19),
    (IndexOption.SUPPRESS_SIZE, 7),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the rows of one listing share."""

    conf: AutoindexDir
    view: View
    #: Icon of the heading's first column, if one is configured.
    blank_icon: str | None
    #: Bytes of the name column.
    name_width: int
    #: The end of an empty element.
    slash: str
    #: An icon is a link to what it stands before.
    links_icons: bool
    #: Icons and dates that were written before.
    _images: dict[tuple[str, str], str] = field(default_factory=dict)
    _dates: dict[int, str] = field(default_factory=dict)

    @property
    def options(self) -> IndexOption:
        """The options in force for this client."""
        return self.view.options

    def shows(self, suppressed: IndexOption) -> bool:
        """Whether a column or rule is not suppressed."""
        return not self.options & suppressed

    def image(self, icon: str, alt: str) -> str:
        """An icon; `alt` with its brackets."""
        known = self._images.get((icon, alt))
        if known is None:
            width = f' width="{self.conf.icon_width}"' if self.conf.icon_width else ""
            height = f' height="{self.conf.icon_height}"' if self.conf.icon_height else ""
            known = f'<img src="{escape_html(octets(icon))}" alt="{alt}"{width}{height}{self.slash}>'
            self._images[icon, alt] = known
        return known

    def sort_link(self, title: str, key: str) -> str:
        """A column's title, which sorts by it; the other way round if the listing is sorted by it already."""
        if self.options & (IndexOption.SUPPRESS_COLUMN_SORTING | IndexOption.IGNORE_CLIENT):
            return title
        order = "D" if self.view.key == key and self.view.order == "A" else "A"
        return f'<a href="?C={key};O={order}{self.view.kept}">{title}</a>'

    def entry_image(self, entry: Entry, nothing: str) -> str:
        """An entry's icon, or `nothing`."""
        icon = entry.icon or self.conf.default_icon
        return self.image(icon, f"[{octets(entry.alt or '   ')}]") if icon else nothing

    def date(self, entry: Entry) -> str:
        """Local time of the last change."""
        second = int(entry.modified // 1)
        known = self._dates.get(second)
        if known is None:
            known = self._dates[second] = strftime(_OLD_DATE if self.conf.old_dates else _DATE, second)
        return known

    def link(self, entry: Entry) -> tuple[str, str, str]:
        """The escaped address and name of an entry, and the blanks that fill the name column."""
        name = PARENT if entry.is_parent else entry.name
        padding = " " * (self.name_width - len(name))
        if len(name) > self.name_width:
            name = name[: self.name_width - 3] + "..>"
        return anchor_of(entry), escape_html(name), padding

    def description(self, entry: Entry) -> str | None:
        """The cut description, None if there is none."""
        return None if entry.description is None else cut_description(self.conf, self.options, octets(entry.description))


def anchor_of(entry: Entry) -> str:
    """The relative reference to an entry, for an attribute."""
    return escape_html(escape_path(entry.name.encode("latin-1"), dot_slash=True).decode("latin-1"))


def render(conf: AutoindexDir, view: View, entries: list[Entry], blank_icon: str | None) -> Iterator[str]:
    """The listing itself, in pieces of a line or more; `entries`, in the order of the page, are used up."""
    width = conf.name_width
    if width == ADJUST:
        width = max((len(entry.name) for entry in entries), default=0)
        width = max(width, DEFAULT_NAME_WIDTH)
    slash = " /" if view.options & IndexOption.XHTML else ""
    page = Page(conf, view, blank_icon, width, slash, bool(view.options & IndexOption.ICONS_ARE_LINKS))
    if view.options & IndexOption.HTML_TABLE:
        return _table(page, entries)
    return _lines(page, entries) if view.options & IndexOption.FANCY_INDEXING else _list(entries)


def _used_up(entries: list[Entry]) -> Iterator[Entry]:
    """One after the other, given back as it goes: to free a hundred thousand at one go keeps other threads from running."""
    entries.reverse()
    while entries:
        yield entries.pop()


def _list(entries: list[Entry]) -> Iterator[str]:
    yield "<ul>"
    for entry in _used_up(entries):
        yield f'<li><a href="{anchor_of(entry)}"> {escape_html(PARENT if entry.is_parent else entry.name)}</a></li>\n'
    yield "</ul>\n"


def _lines(page: Page, entries: list[Entry]) -> Iterator[str]:
    icons, dates, sizes, texts, rules = (page.shows(column) for column in _COLUMNS)
    yield "<pre>" + "".join(_line_head(page, icons, dates, sizes, texts))
    yield f"<hr{page.slash}>" if rules else "\n"
    for entry in _used_up(entries):
        anchor, name, padding = page.link(entry)
        parts = []
        if icons:
            image = page.entry_image(entry, "     ")
            parts.append(f'<a href="{anchor}">{image}</a> ' if page.links_icons else f"{image} ")
        parts.append(f'<a href="{anchor}">{name}</a>{padding} ')
        if dates:
            parts.append(_NO_DATE if entry.modified < 0 else page.date(entry) + "  ")
        if sizes:
            parts.append(size_text(entry.size) + "  ")
        if texts:
            parts.append(page.description(entry) or "")
        parts.append("\n")
        yield "".join(parts)
    yield f"<hr{page.slash}></pre>\n" if rules else "</pre>\n"


_COLUMNS = (
    IndexOption.SUPPRESS_ICON,
    IndexOption.SUPPRESS_LAST_MODIFIED,
    IndexOption.SUPPRESS_SIZE,
    IndexOption.SUPPRESS_DESCRIPTION,
    IndexOption.SUPPRESS_RULES,
)
_NO_DATE = " " * 19


def _line_head(page: Page, icons: bool, dates: bool, sizes: bool, texts: bool) -> Iterator[str]:
    if icons:
        yield page.image(page.blank_icon, "Icon ") + " " if page.blank_icon else "      "
    yield page.sort_link("Name", "N") + " " * (page.name_width - len("Name")) + " "
    if dates:
        yield page.sort_link("Last modified", "M") + "      "
    if sizes:
        yield page.sort_link("Size", "S") + "  "
    if texts:
        yield page.sort_link("Description", "D")


class _Cells:
    """The opening tags of a table's cells: named classes with a style sheet, plain attributes without."""

    def __init__(self, styled: bool) -> None:
        self._styled = styled

    def open(self, tag: str, column: str, plain: str = "") -> str:
        """`plain` is what stands in the tag without a style sheet."""
        return f'<{tag} class="indexcol{column}">' if self._styled else f"<{tag}{plain}>"


def _table(page: Page, entries: list[Entry]) -> Iterator[str]:
    shown = tuple(page.shows(column) for column in _COLUMNS)
    styled = page.conf.style_sheet is not None
    cells = _Cells(styled)
    yield '  <table id="indexlist">\n' if styled else "  <table>\n"
    yield ('   <tr class="indexhead">' if styled else "   <tr>") + "".join(_table_head(page, cells, shown)) + "</tr>\n"
    rule = ""
    if shown[-1]:
        row = ' class="indexbreakrow"' if styled else ""
        rule = f'   <tr{row}><th colspan="{1 + sum(shown[:-1])}"><hr{page.slash}></th></tr>\n'
    yield rule
    for number, entry in enumerate(_used_up(entries)):
        opening = f'   <tr class="{_row_class(page, number, entry)}">' if styled else "<tr>"
        yield opening + "".join(_row(page, cells, shown, entry)) + "</tr>\n"
    yield rule
    yield "</table>\n"


def _row_class(page: Page, number: int, entry: Entry) -> str:
    side = "odd" if number % 2 else "even"
    if page.options & IndexOption.ADD_ALT_CLASS and entry.alt is not None:
        return f"{side}-{octets(entry.alt).encode('latin-1').lower().decode('latin-1')}"
    return side


def _table_head(page: Page, cells: _Cells, shown: tuple[bool, ...]) -> Iterator[str]:
    icons, dates, sizes, texts, _ = shown
    if icons:
        icon = page.image(page.blank_icon, "[ICO]") if page.blank_icon else "&nbsp;"
        yield cells.open("th", "icon", ' valign="top"') + icon + "</th>"
    yield cells.open("th", "name") + page.sort_link("Name", "N") + "</th>"
    if dates:
        yield cells.open("th", "lastmod") + page.sort_link("Last modified", "M") + "</th>"
    if sizes:
        yield cells.open("th", "size") + page.sort_link("Size", "S") + "</th>"
    if texts:
        yield cells.open("th", "desc") + page.sort_link("Description", "D") + "</th>"


def _row(page: Page, cells: _Cells, shown: tuple[bool, ...], entry: Entry) -> Iterator[str]:
    icons, dates, sizes, texts, _ = shown
    anchor, name, padding = page.link(entry)
    if icons:
        image = page.entry_image(entry, "&nbsp;")
        linked = f'<a href="{anchor}">{image}</a>' if page.links_icons else image
        yield cells.open("td", "icon", ' valign="top"') + linked + "</td>"
    # A column as wide as the widest name needs no filling; Apache leaves it out there.
    filling = "" if page.conf.name_width == ADJUST else padding
    yield f'{cells.open("td", "name")}<a href="{anchor}">{name}</a>{filling}</td>'
    if dates and entry.modified < 0:
        yield cells.open("td", "lastmod") + "&nbsp;</td>"
    elif dates:
        yield cells.open("td", "lastmod", ' align="right"') + page.date(entry) + "  </td>"
    if sizes:
        yield cells.open("td", "size", ' align="right"') + size_text(entry.size) + "</td>"
    if texts:
        text = page.description(entry)
        yield cells.open("td", "desc") + ("&nbsp;" if text is None else text) + "</td>"
