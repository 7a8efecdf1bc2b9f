"""Password and group files: lines as Apache reads them, and parsed files kept for as long as their bytes stay the same.

Shared by mod_authn_file and mod_authz_groupfile; it knows no settings. A file is read anew for every request that asks
(through the recorded window, so a replayed answer looks at its stamp only) and parsed anew when a byte of it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from coachwhip.api import Request

__all__ = ["LARGEST", "LINE_LIMIT", "lines_of", "parsed"]

T = TypeVar("T")

#: Bytes; a larger file is an error.
LARGEST = 64 << 20
#: Bytes of a line in a password file, its end included; reading stops at a longer one.
LINE_LIMIT = 8191
_KEPT_FILES = 64
_WHITE = b" \t\n\v\f\r"


def lines_of(data: bytes, limit: int | None = None) -> Iterator[str]:
    """Lines that say something, as Latin-1, joined where they end in a backslash, without white space around them.

    Comments (`#` first) and empty lines are left out; a line ends at a NUL. With `limit` (bytes), a longer line ends it all.
    """
    joined = b""
    raw_lines = data.split(b"\n")
    for number, raw in enumerate(raw_lines, 1):
        is_last = number == len(raw_lines)
        if limit is not None and len(joined) + len(raw) + (not is_last) > limit:
            return
        end = raw.removesuffix(b"\r")
        if end.endswith(b"\\") and not is_last:
            joined += end[:-1]
            continue
        line = (joined + raw).partition(b"\0")[0].strip(_WHITE)
        joined = b""
        if line and not line.startswith(b"#"):
            yield line.decode("latin-1")


def parsed(r: Request, owner: str, path: str, parse: Callable[[bytes], T]) -> T:
    """What `parse` makes of the file; kept in the server's state for `owner`, a module's source name.

    Raises:
        OSError: the file cannot be read, is no regular file, or is larger than `LARGEST`.
    """
    data = r.files.read_configured(path, LARGEST)
    kept: dict[str, tuple[bytes, Any]] = r.server.state.setdefault(owner, {})
    found = kept.get(path)
    if found is None or found[0] != data:
        if len(kept) >= _KEPT_FILES:
            kept.clear()
        found = kept[path] = (data, parse(data))
    made: T = found[1]
    return made
