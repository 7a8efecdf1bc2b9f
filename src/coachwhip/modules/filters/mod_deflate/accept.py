"""Reading `Accept-Encoding` and `Content-Encoding` as mod_deflate does: laxly, token by token. Pure.

Source: RFC 9110 §12.5.3; leniency as httpd's (a weight counts only if it follows `gzip` at once).
"""

from __future__ import annotations

import re

__all__ = ["accepts_gzip", "first_encoding"]

_TOKEN = re.compile(r"[ \t]*([^ \t,;\"]*)[ \t]*((?:;[ \t]*(?:[^,;\"]|\"[^\"]*\")*)*)(?:,|\Z|(?=\"))")
_ZERO = "q=0.000"
_NO_CODING = frozenset({"identity", "7bit", "8bit", "binary"})


def accepts_gzip(field: str | None) -> bool:
    """Whether an `Accept-Encoding` names gzip, and not with a weight of zero. `*` and `x-gzip` do not count."""
    position = 0
    while field and position < len(field):
        found = _TOKEN.match(field, position)
        if found is None or not found[1]:
            return False
        if found[1].lower() == "gzip":
            weight = found[2].lstrip(";").partition(";")[0].strip(" \t")
            return not (len(weight) >= 3 and _ZERO.startswith(weight))
        position = found.end()
    return False


def first_encoding(*fields: str) -> str | None:
    """The first content coding that is one, None if there is none or only `identity` and its kin."""
    for field in fields:
        for token in field.split(","):
            token = token.strip(" \t")
            if token and token not in _NO_CODING:
                return token
    return None
