"""Shell-style wildcards, in the two dialects that Apache's configuration has.

`fnmatch` reads the patterns of ``<Directory>``, ``<Files>``, ``Include`` and ``IndexIgnore``; `strcmp_match` reads the
simpler ones of ``ServerAlias``, where only ``*`` and ``?`` mean something. Patterns become regular expressions whose
stars are atomic (an earlier star never has to be tried again), so a hostile name costs no more than its length.
"""

from __future__ import annotations

import re
from functools import lru_cache


def _raw(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def fnmatch(
    pattern: str | bytes,
    text: str | bytes,
    *,
    pathname: bool = False,
    period: bool = False,
    casefold: bool = False,
) -> bool:
    """Tell whether *text* as a whole matches the shell pattern, octet by octet as APR's fnmatch does.

    ``*``, ``?``, ``[a-z]``, ``[!a]`` or ``[^a]``, and a backslash before what shall be literal.

    pathname: a slash is matched by a slash only (``FNM_PATHNAME``).
    period: a leading dot (with *pathname*: of any segment) is matched by a dot only (``FNM_PERIOD``).
    casefold: ASCII letters match in both cases.
    """
    return _compile(_raw(pattern), pathname, period, casefold).fullmatch(_raw(text)) is not None


def is_fnmatch(text: str | bytes) -> bool:
    """Tell whether *text* holds anything that `fnmatch` would not take literally."""
    return _HAS_WILDCARD.match(_raw(text)) is not None


# A star, a question mark, or a closing bracket after an opening one, wherever no backslash hides it.
_HAS_WILDCARD = re.compile(rb"(?:[^\\*?\[]|\\.)*(?:[*?]|\[(?:[^\\*?\]]|\\.)*[*?\]])", re.DOTALL)


@lru_cache(maxsize=1024)
def _compile(pattern: bytes, pathname: bool, period: bool, casefold: bool) -> re.Pattern[bytes]:
    parts = pattern.split(b"/") if pathname else [pattern]
    star = b"[^/]*" if pathname else b".*"
    expression = b"/".join([_segment(part, star, period, casefold) for part in parts])
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if casefold else 0))


def _segment(part: bytes, star: bytes, period: bool, casefold: bool) -> bytes:
    """Translate one slash-free part (or the whole pattern) into an expression."""
    any_one = b"[^/]" if star == b"[^/]*" else b"."
    runs = [b""]
    position = 0
    while position < len(part):
        octet = part[position : position + 1]
        if octet == b"*":
            runs.append(b"")
            position += 1
        elif octet == b"?":
            runs[-1] += any_one
            position += 1
        else:
            text, position = _one(part, position, casefold, any_one)
            runs[-1] += text
    guard = rb"(?!\.)" if period and part[:1] in (b"*", b"?", b"[") and _opens_wildcard(part) else b""
    return guard + _join(runs, star)


def _opens_wildcard(part: bytes) -> bool:
    return part[:1] != b"[" or _bracket(part, 0) is not None


def _join(runs: list[bytes], star: bytes) -> bytes:
    # Between two stars the first place that fits is as good as any later one: hence lazy and atomic. Only the last
    # star has to let go again, for the end.
    if len(runs) == 1:
        return runs[0]
    middle = b"".join([b"(?>" + star + b"?" + run + b")" for run in runs[1:-1] if run])
    return runs[0] + middle + star + runs[-1]


def _one(part: bytes, position: int, casefold: bool, any_one: bytes) -> tuple[bytes, int]:
    """Translate the bracket expression or literal at *position*; return it and where to go on."""
    octet = part[position : position + 1]
    if octet == b"[" and (found := _bracket(part, position)) is not None:
        members, negated, end = found
        if casefold:
            members = {octet for member in members for octet in _both_cases(member)}
        return _class(members, negated, any_one), end
    if octet == b"\\" and position + 1 < len(part):
        position += 1
        octet = part[position : position + 1]
    return re.escape(octet), position + 1


def _both_cases(octet: int) -> bytes:
    char = bytes((octet,))
    return char.lower() + char.upper()


def _class(members: set[int], negated: bool, any_one: bytes) -> bytes:
    if not members:
        return any_one if negated else b"(?!)"
    body = b"".join([b"\\x%02x" % octet for octet in sorted(members)])
    lookahead = b"(?!/)" if any_one == b"[^/]" else b""
    return lookahead + (b"[^" if negated else b"[") + body + b"]"


def _bracket(part: bytes, start: int) -> tuple[set[int], bool, int] | None:
    """Read ``[...]`` at *start*: its members, whether it is negated, where it ends. None when it never closes."""
    position = start + 1
    negated = part[position : position + 1] in (b"!", b"^")
    position += negated
    members: set[int] = set()
    first = True
    while position < len(part):
        if part[position] == 0x5D and not first:
            return members, negated, position + 1
        first = False
        if part[position] == 0x5C:
            position += 1
        if position >= len(part):
            return None
        low = part[position]
        if part[position + 1 : position + 2] == b"-" and part[position + 2 : position + 3] not in (b"]", b""):
            position += 3 if part[position + 2] == 0x5C else 2
            if position >= len(part):
                return None
            members.update(range(low, part[position] + 1))
        else:
            members.add(low)
        position += 1
    return None


def strcmp_match(pattern: str, text: str) -> bool:
    """Tell whether *text* matches *pattern*, where ``*`` is any run and ``?`` any one character; letters as they are."""
    return _compile_simple(pattern, False).fullmatch(text) is not None


def strcasecmp_match(pattern: str, text: str) -> bool:
    """As `strcmp_match`, but ASCII letters match in both cases (``ServerAlias``)."""
    return _compile_simple(pattern, True).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _compile_simple(pattern: str, casefold: bool) -> re.Pattern[str]:
    runs = ["".join(["." if char == "?" else re.escape(char) for char in run]) for run in pattern.split("*")]
    if len(runs) > 1:
        middle = "".join([f"(?>.*?{run})" for run in runs[1:-1] if run])
        expression = f"{runs[0]}{middle}.*{runs[-1]}"
    else:
        expression = runs[0]
    return re.compile(expression, re.DOTALL | re.ASCII | (re.IGNORECASE if casefold else 0))
