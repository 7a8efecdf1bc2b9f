"""What the operators do: comparisons, unary tests and named binary tests, as tables by spelling.

Source: Apache manual, expr.html, "Binary operators" and "Unary operators"; answers compared with 2.4.71.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from coachwhip.api.files import FileKind, FileStat
from coachwhip.expr.functions import lower_case
from coachwhip.expr.scope import Scope, unoctets
from coachwhip.util.wildcards import fnmatch

STRING_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

INTEGER_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)")
_LARGEST = 2**63 - 1


def integer(text: str) -> int:
    """The number at the start of `text`, 0 if there is none, held within 64 bits as C does."""
    found = _INTEGER.match(text)
    if found is None or not found[2]:
        return 0
    size = int(found[2]) if len(found[2]) <= 19 else _LARGEST + 1
    return max(-size, -_LARGEST - 1) if found[1] == "-" else min(size, _LARGEST)


def is_truthy(text: str) -> bool:
    """`-T`: anything but nothing, 0 and the usual words for no."""
    return lower_case(text) not in ("", "0", "off", "false", "no")


def _file_test(test: Callable[[FileStat], bool], *, follow: bool = True) -> Callable[[Scope, str], bool]:
    def run(scope: Scope, path: str) -> bool:
        stat = scope.file_stat(unoctets(path), follow=follow) if path else None
        return stat is not None and stat.kind is not FileKind.MISSING and test(stat)

    return run


_is_link = _file_test(lambda stat: stat.kind is FileKind.LINK, follow=False)

FILE_TESTS: Mapping[str, Callable[[Scope, str], bool]] = {
    "-d": _file_test(lambda stat: stat.kind is FileKind.DIRECTORY),
    "-e": _file_test(lambda stat: True),
    "-f": _file_test(lambda stat: stat.kind is FileKind.REGULAR),
    "-h": _is_link,
    "-L": _is_link,
    "-s": _file_test(lambda stat: stat.kind is FileKind.REGULAR and stat.size > 0),
    # Apache looks at a link itself here, and links are always executable.
    "-x": _file_test(lambda stat: stat.mode & 0o111 != 0, follow=False),
}

UNARY: Mapping[str, Callable[[Scope, str], bool]] = {
    "-A": lambda scope, uri: scope.lookup_uri(unoctets(uri)),
    "-F": lambda scope, path: scope.lookup_file(unoctets(path)),
    "-U": lambda scope, uri: scope.lookup_uri(unoctets(uri)),
    "-T": lambda _scope, text: is_truthy(text),
    "-n": lambda _scope, text: text != "",
    "-z": lambda _scope, text: text == "",
    **FILE_TESTS,
}


def _wildcard_test(*, pathname: bool = False, casefold: bool = False) -> Callable[[str, str], bool]:
    def run(text: str, pattern: str) -> bool:
        return fnmatch(pattern.encode("latin-1"), text.encode("latin-1"), pathname=pathname, casefold=casefold)

    return run


BINARY: Mapping[str, Callable[[str, str], bool]] = {
    "-fnmatch": _wildcard_test(pathname=True),
    "-strmatch": _wildcard_test(),
    "-strcmatch": _wildcard_test(casefold=True),
}

#: Operators whose right-hand word must be a quoted network, read once when the expression is.
CLIENT_IN_SUBNET = "-R"
IN_SUBNET = "-ipmatch"
