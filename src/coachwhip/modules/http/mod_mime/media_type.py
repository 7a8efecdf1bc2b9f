"""Taking a media type apart and putting it together again, with another charset if one is due.

Pure text. Apache normalises every type that it sets: `text/html;a=b` goes out as `text/html; a=b`, and the charset of a file's
extension takes the place of the type's own. What cannot be taken apart goes out as it is.
Source: Apache manual, mod_mime, "AddCharset".
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["MediaTypeError", "normalize"]

_TYPE = re.compile(r"[ \t\n\v\f\r]*(.[^/ \t\n\v\f\r;]*)[ \t\n\v\f\r]*", re.DOTALL)
_SUBTYPE = re.compile(r"/[ \t\n\v\f\r]*(.[^ \t\n\v\f\r;]*)[ \t\n\v\f\r]*", re.DOTALL)
_BLANKS = " \t\n"
_SPACES = " \t\n\v\f\r"
#: Characters of a token; blanks may stand in and around an attribute.
_CHARACTER = r"[^\x00-\x20\x7f-\U0010ffff()<>@,;:\\\"/\[\]?=]"
_ATTRIBUTE = re.compile(rf"((?:{_CHARACTER}|[ \t\n])*)(.?)", re.DOTALL)
_CHARACTERS = re.compile(rf"{_CHARACTER}*")
_QUOTED = re.compile(r'"(?:[^"\\\r\x80-\U0010ffff]|\\[\x00-\x7f])*("[ \t\n]*)?')


class MediaTypeError(ValueError):
    """A type that cannot be taken apart; carries httpd's message number."""

    def __init__(self, log_id: str, message: str) -> None:
        super().__init__(message)
        self.log_id = log_id


@lru_cache(maxsize=1024)
def normalize(text: str, charset: str | None) -> str:
    """`text` with its parameters in Apache's spelling, and `charset` in place of its own.

    Raises:
        MediaTypeError: the text is not a media type.
    """
    base, parameters = _take_apart(text)
    out = [base]
    for name, value in parameters:
        if charset is None or name != "charset":
            out.append(f"{name}={value}")
        elif f"charset={charset}" not in out[1:]:
            out.append(f"charset={charset}")
    if charset is not None and not any(part == f"charset={charset}" for part in out[1:]):
        out.append(f"charset={charset}")
    return "; ".join(out)


def _take_apart(text: str) -> tuple[str, list[tuple[str, str]]]:
    kind = _TYPE.match(text)
    if kind is None:
        raise MediaTypeError("AH01598", f"mod_mime: analyze_ct: cannot get media type from '{text}'")
    behind_type = text[kind.end(1) : kind.end(1) + 1]
    if behind_type in ("", ";"):
        raise MediaTypeError("AH01599", f"Cannot get media type from '{text}'")
    subtype = _SUBTYPE.match(text, kind.end())
    if subtype is None:
        if text[kind.end() : kind.end() + 1] != "/":
            raise MediaTypeError("AH01600", f"mod_mime: analyze_ct: cannot get media type from '{text}'")
        raise MediaTypeError("AH01601", "Cannot get media subtype.")
    base = f"{kind[1]}/{subtype[1]}"
    if subtype.end() == len(text):
        return base, []
    rest = text[subtype.end() + 1 :].lstrip(_BLANKS)
    if not rest:
        raise _no_parameter("AH01602")
    return base, _parameters(rest)


def _parameters(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while text:
        attribute = _ATTRIBUTE.match(text)
        if attribute is None or not attribute[2]:
            break
        if attribute[2] != "=":
            raise _no_parameter("AH01605")
        name = attribute[1].strip(_BLANKS)
        if not name:
            raise _no_parameter("AH01603")
        text = text[attribute.end() :].lstrip(_BLANKS)
        if not text:
            raise _no_parameter("AH01604")
        value, text = _value(text)
        found.append((name, value))
    return found


def _value(text: str) -> tuple[str, str]:
    """The value at the start, and what follows its semicolon."""
    is_quoted = text.startswith('"')
    matched = (_QUOTED if is_quoted else _CHARACTERS).match(text)
    end = matched.end() if matched else 0
    if end < len(text) and text[end] != ";":
        if not is_quoted:
            raise _no_parameter("AH01608")
        raise _no_parameter("AH01606" if matched and matched[1] else "AH01607")
    value = text[:end].strip(_BLANKS)
    if not value:
        raise _no_parameter("AH01609")
    return value, text[end + 1 :]


def _no_parameter(log_id: str) -> MediaTypeError:
    return MediaTypeError(log_id, "Cannot get media parameter.")
