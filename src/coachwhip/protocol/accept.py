"""``Accept`` and its kin, and media types (RFC 9110 §8.3.1, §12.4), read as Apache's mod_negotiation reads them.

Apache is generous here: nothing in these fields is an error, what cannot be read is passed over. Values come as bytes or
as Latin-1 text; what is returned is text, in lower case, since that is how it is compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLANK = " \t\n\v\f\r"


@dataclass(frozen=True, slots=True)
class AcceptEntry:
    """One member of an ``Accept*`` field.

    name: what is accepted (``text/*``, ``fr-ch``, ``gzip``), in lower case.
    quality: 0.0 to 1.0 in thousandths; 1.0 when not given.
    level: the number of ``level=``, 0.0 when not given.
    charset: the value of ``charset=``, or "".
    """

    name: str
    quality: float = 1.0
    level: float = 0.0
    charset: str = ""


def parse_accept(value: bytes | str) -> list[AcceptEntry]:
    """Return the members of an ``Accept``, ``Accept-Language``, ``-Charset`` or ``-Encoding`` value, in order."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    entries = []
    position = 0
    while position < len(text):
        name, position = _token(text, position, keep_blanks=False)
        entry, position = _parameters(name.lower(), text, position)
        if entry.name:
            entries.append(entry)
        if position < len(text) and text[position] == ",":
            position += 1
    return entries


# A token runs to a comma or semicolon outside quotes; a name also ends at a blank.
_WITH_BLANKS = re.compile(r'[ \t\n\v\f\r]*((?:"[^"]*"?|[^";,])*)')
_WITHOUT_BLANKS = re.compile(r'[ \t\n\v\f\r]*((?:"[^"]*"?|[^";, \t\n\v\f\r])*)[ \t\n\v\f\r]*')


def _token(text: str, position: int, *, keep_blanks: bool) -> tuple[str, int]:
    found = (_WITH_BLANKS if keep_blanks else _WITHOUT_BLANKS).match(text, position)
    if found is None:
        return "", len(text)
    return found[1], found.end()


_PARAMETER = re.compile(r'([^ \t\n\v\f\r=]*)[ \t\n\v\f\r=]+(?:"([^"\n\r]*)|([^" \t\n\v\f\r][^ \t\n\v\f\r]*))?')


def _parameters(name: str, text: str, position: int) -> tuple[AcceptEntry, int]:
    quality, level, charset = 1.0, 0.0, ""
    while position < len(text) and text[position] == ";":
        parameter, position = _token(text, position + 1, keep_blanks=True)
        found = _PARAMETER.match(parameter)
        if found is None:
            continue
        key, setting = found[1].lower(), (found[2] or found[3] or "").lower()
        if key in ("q", "qs"):
            quality = parse_quality(setting)
        elif key == "level":
            level = float(_leading_number(setting))
        elif key == "charset":
            charset = setting
    return AcceptEntry(name, quality, level, charset), position


_QUALITY = re.compile(r"0?\.([0-9]{0,3})|0")


def parse_quality(text: str) -> float:
    """Return the weight that *text* names, in thousandths. What does not begin with ``0`` or ``.`` counts as 1."""
    found = _QUALITY.match(text.lstrip(_BLANK))
    if found is None:
        return 1.0
    return int((found[1] or "").ljust(3, "0")) / 1000


_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]{1,9})")


def _leading_number(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


_TYPE = re.compile(r"[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+|[^;, \t]*)[ \t]*")
_TYPE_PARAMETER = re.compile(
    r';[ \t]*(?:([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;, \t"]*)))?[^;]*', re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def parse_media_type(value: bytes | str) -> tuple[str, dict[str, str]]:
    """Return a media type without its parameters, in lower case, and the parameters by lower-case name.

    Values keep their case, quotes are taken off; of two parameters of one name the first counts.
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    head = _TYPE.match(text)
    if head is None:
        return "", {}
    parameters: dict[str, str] = {}
    for found in _TYPE_PARAMETER.finditer(text, head.end()):
        if found[1] is not None:
            quoted = found[2]
            setting = found[3] if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
            parameters.setdefault(found[1].lower(), setting)
    return head[1].lower(), parameters
