"""The lines of mod_autoindex: how their words become the records of `settings`. Source: Apache manual, mod_autoindex."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coachwhip.api import Args, Directive, DirectiveContext, DirectiveError, Join, Repeat, Where
from coachwhip.modules.generators.mod_autoindex.settings import (
    ADJUST,
    DEFAULT_NAME_WIDTH,
    AutoindexDir,
    By,
    Description,
    Ignored,
    IgnoreSet,
    IndexOption,
    IndexOptions,
    Item,
    OptionSet,
)
from coachwhip.util.wildcards import is_fnmatch

__all__ = ["DIRECTIVES"]

DEFAULT_ICON_WIDTH = 20
DEFAULT_ICON_HEIGHT = 22
_KEYWORDS = {str(option.name).replace("_", "").lower(): option for option in IndexOption}
_BAD_OPTION = "Invalid directory indexing option"

#: Reads `Keyword` (value None) or `Keyword=value` and sets a field; the first of the texts is the sign.
_ReadValue = Callable[[DirectiveContext, str, str | None], None]


def _number(text: str) -> int:
    """What C's atoi makes of it, without a sign; ten digits are no width."""
    found = re.match(r"[ \t]*\+?([0-9]{1,9})", text)
    return int(found[1]) if found else 0


def _pixels(field: str, keyword: str, default: int) -> _ReadValue:
    def read(context: DirectiveContext, sign: str, value: str | None) -> None:
        if value is None:
            context.set(AutoindexDir, field, 0 if sign == "-" else default)
        elif sign == "-":
            raise DirectiveError(f"Cannot combine '-' with {keyword}=n")
        else:
            context.set(AutoindexDir, field, _number(value))

    return read


def _column(field: str, keyword: str, default: int | None, least: int) -> _ReadValue:
    def read(context: DirectiveContext, sign: str, value: str | None) -> None:
        if value is None:
            if sign != "-":
                raise DirectiveError(f"{keyword} with no value may only appear as '-{keyword}'")
            context.set(AutoindexDir, field, default)
        elif sign == "-":
            raise DirectiveError(f"Cannot combine '-' with {keyword}=n")
        elif value.startswith("*"):
            context.set(AutoindexDir, field, ADJUST)
        else:
            width = _number(value)
            if width and width < least:
                raise DirectiveError(f"{keyword} value must be greater than {least}")
            context.set(AutoindexDir, field, width)

    return read


def _old_dates(context: DirectiveContext, sign: str, value: str | None) -> None:
    """`UseOldDateFormat` is inherited as a setting of its own, whatever other options replace; `-` does not undo it."""
    if value is not None:
        raise DirectiveError(_BAD_OPTION)
    context.set(AutoindexDir, "old_dates", True)


def _text(field: str) -> _ReadValue:
    def read(context: DirectiveContext, sign: str, value: str | None) -> None:
        if value is None:
            raise DirectiveError(_BAD_OPTION)
        context.set(AutoindexDir, field, value)

    return read


_VALUES: dict[str, _ReadValue] = {
    "iconwidth": _pixels("icon_width", "IconWidth", DEFAULT_ICON_WIDTH),
    "iconheight": _pixels("icon_height", "IconHeight", DEFAULT_ICON_HEIGHT),
    "namewidth": _column("name_width", "NameWidth", DEFAULT_NAME_WIDTH, 5),
    "descriptionwidth": _column("description_width", "DescriptionWidth", None, 12),
    "useolddateformat": _old_dates,
    "type": _text("content_type"),
    "charset": _text("charset"),
}


def read_index_options(context: DirectiveContext, *words: str) -> IndexOptions:
    """The words of one `IndexOptions` line, on top of the earlier ones of the same section."""
    earlier: IndexOptions = context.value_of(AutoindexDir, "options") or IndexOptions()
    options = earlier.server or earlier.sections or OptionSet()
    for word in words:
        options = _with_word(context, options, word)
        if options.value & IndexOption.NONE and options.value & ~IndexOption.NONE:
            raise DirectiveError("Cannot combine other IndexOptions keywords with 'None'")
    return IndexOptions(server=options) if context.at_server_level else IndexOptions(sections=options)


def _with_word(context: DirectiveContext, so_far: OptionSet, word: str) -> OptionSet:
    sign = word[:1] if word[:1] in ("+", "-") else ""
    keyword, equals, text = word[len(sign) :].partition("=")
    option = _option(context, sign, keyword.lower(), text if equals else None)
    if option is IndexOption.NONE:
        return OptionSet(option)
    if sign == "+":
        return OptionSet(so_far.value, so_far.add | option, so_far.remove & ~option)
    if sign == "-":
        return OptionSet(so_far.value, so_far.add & ~option, so_far.remove | option)
    return OptionSet(so_far.value | option)


def _option(context: DirectiveContext, sign: str, keyword: str, value: str | None) -> IndexOption:
    """The option that a keyword switches; NOTHING for those that set a field of their own."""
    option = _KEYWORDS.get(keyword, IndexOption.NOTHING)
    if not option:
        if keyword not in _VALUES:
            raise DirectiveError(_BAD_OPTION)
        _VALUES[keyword](context, sign, value)
    elif value is not None:
        raise DirectiveError(_BAD_OPTION)
    elif option is IndexOption.NONE and sign:
        raise DirectiveError("Cannot combine '+' or '-' with 'None' keyword")
    return option


_DIRECTORY_SPELLINGS = {"**DIRECTORY**": "^^DIRECTORY^^"}


def _item(context: DirectiveContext, by: By, data: str, pattern: str) -> Item:
    if by is By.ENCODING:
        pattern = pattern.lower()
    elif by is By.PATH:
        pattern = _DIRECTORY_SPELLINGS.get(pattern, pattern)
        if "*" not in pattern and "?" not in pattern:
            pattern = "*" + pattern
    return Item(by, pattern, (context.path or "") + "*", data)


def _alts(by: By) -> Callable[..., tuple[Item, ...]]:
    def read(context: DirectiveContext, text: str, *patterns: str) -> tuple[Item, ...]:
        return tuple(_item(context, by, text, pattern) for pattern in patterns)

    return read


def _icons(by: By) -> Callable[..., tuple[Item, ...]]:
    """`AddIcon (ALT,/icon)` is an `AddAlt` in the same line."""
    add_alts = _alts(by)

    def read(context: DirectiveContext, icon: str, *patterns: str) -> tuple[Item, ...]:
        if icon.startswith("("):
            inside, closing, _ = icon.partition(")")
            if not closing:
                raise DirectiveError("missing closing paren")
            alt, _, icon = inside[1:].partition(",")
            context.add(AutoindexDir, "alts", add_alts(context, alt, *patterns))
        return tuple(_item(context, by, icon, pattern) for pattern in patterns)

    return read


def read_descriptions(context: DirectiveContext, text: str, *names: str) -> tuple[Description, ...]:
    """A name with wildcards or a slash is matched as a whole, any other one wherever it is contained."""
    found = []
    for name in names:
        is_path = "/" in name
        is_wildcard = is_path or is_fnmatch(name)
        pattern = ("*/" if is_path else "*") + name + "*" if is_wildcard else name
        found.append(Description(pattern, is_wildcard, is_path, text))
    return tuple(found)


def read_ignored(context: DirectiveContext, *names: str) -> tuple[Ignored, ...]:
    """`IndexIgnore`: names add up."""
    path = (context.path or "") + "*"
    return tuple(Ignored(name, path) for name in names)


def join_ignored(lines: Sequence[IgnoreSet | tuple[Ignored, ...] | bool]) -> IgnoreSet:
    """The names of a section's `IndexIgnore` lines, and what its last `IndexIgnoreReset` says: forget those of enclosing sections."""
    names: list[Ignored] = []
    resets = False
    for line in lines:
        if isinstance(line, bool):
            resets = line
        elif isinstance(line, IgnoreSet):
            names, resets = [*line.names], line.resets
        else:
            names += line
    return IgnoreSet(tuple(names), resets)


_ORDERS = {"ascending": "A", "descending": "D"}
_ORDER_KEYS = {"name": "N", "date": "M", "size": "S", "description": "D"}


def read_order(context: DirectiveContext, direction: str, key: str) -> str:
    """`IndexOrderDefault Descending Date`."""
    if direction.lower() not in _ORDERS:
        raise DirectiveError("First keyword must be 'Ascending' or 'Descending'")
    if key.lower() not in _ORDER_KEYS:
        raise DirectiveError("Second keyword must be 'Name', 'Date', 'Size', or 'Description'")
    context.set(AutoindexDir, "order_key", _ORDER_KEYS[key.lower()])
    return _ORDERS[direction.lower()]


def _refuse_fancy_indexing(context: DirectiveContext, *words: object) -> None:
    raise DirectiveError("The FancyIndexing directive is no longer supported. Use IndexOptions FancyIndexing.")


def _first(context: DirectiveContext, *words: object) -> object:
    return words[0]


def _row(
    name: str,
    args: Args,
    sets: str,
    help: str,
    value: Callable[..., object] = _first,
    repeat: Repeat | Join = Repeat.REPLACE,
) -> Directive:
    """A row whose section counts as one with (empty) `IndexOptions`, since Apache merges all settings of a section or none."""

    def read(context: DirectiveContext, *words: object) -> object:
        if context.value_of(AutoindexDir, "options") is None:
            nothing = OptionSet()
            at_server = context.at_server_level
            context.set(AutoindexDir, "options", IndexOptions(nothing, None) if at_server else IndexOptions(None, nothing))
        return value(context, *words)

    return Directive(name, args, Where.INDEXES, sets, read, repeat, help=help)


_ICON = "an icon URL, then"
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
    _row("IndexIgnore", Args.WORDS, "ignored", "names to leave out, wildcards allowed", read_ignored, join_ignored),
    _row("IndexIgnoreReset", Args.FLAG, "ignored", "forget the inherited IndexIgnore names", _first, join_ignored),
    _row("HeaderName", Args.ONE, "header_name", "the file shown above the listing"),
    _row("ReadmeName", Args.ONE, "readme_name", "the file shown below the listing"),
    _row("DefaultIcon", Args.ONE, "default_icon", "the icon of what has none of its own"),
    _row("IndexStyleSheet", Args.ONE, "style_sheet", "the URL of the style sheet"),
    _row("IndexHeadInsert", Args.ONE, "head_insert", "text for the HEAD of the page"),
    Directive("FancyIndexing", Args.RAW, Where.ALL, value=_refuse_fancy_indexing, help="withdrawn: IndexOptions FancyIndexing"),
)
