"""`Range` and `If-Range`: what comes is the file, a 206 that holds exactly the octets it names and no more than the file, or 416.

Every case is answered by the whole server; the answer is taken apart again and compared with the file. The file's size and the limits
(`MaxRanges` and its kin) depend on the bytes.
"""

from __future__ import annotations

import random
import re
import zlib
from pathlib import Path

from coachwhip.protocol.http1 import BadRequest
from fuzz.target import Check, Target, require, words
from fuzz.world import World, lay_out, loads

_SIZES = (0, 1, 10, 1000)
_FOLDERS = ("plain", "one", "none", "unlimited")
_CONFIG = """
DocumentRoot {root}
<Directory {root}>
    Require all granted
</Directory>
<Directory {root}/one>
    MaxRanges 1
</Directory>
<Directory {root}/none>
    MaxRanges none
</Directory>
<Directory {root}/unlimited>
    MaxRanges unlimited
    MaxRangeOverlaps unlimited
    MaxRangeReversals unlimited
</Directory>
"""
_CONTENT_RANGE = re.compile(rb"\r\nContent-Range: bytes ([0-9]+)-([0-9]+)/([0-9]+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]+)\r\n")
_BOUNDARY = re.compile(rb"\r\nContent-Type: multipart/byteranges; boundary=([0-9a-f]+)\r\n")
#: Octets that a part may have beside its own.
_PART_HEAD = 150


def _content(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


def _require_part(head: bytes, part: bytes, content: bytes) -> None:
    found = _CONTENT_RANGE.search(head)
    require(found is not None, "a part says which octets it holds")
    if found is not None:
        first, last, size = map(int, found.groups())
        require(size == len(content) and content[first : last + 1] == part, "the octets are those that were named")


def _require_parts(head: bytes, body: bytes, content: bytes) -> int:
    """Take a 206 apart; returns how many parts it has."""
    found = _BOUNDARY.search(head)
    if found is None:
        _require_part(head, body, content)
        return 1
    first, *parts = body.split(b"\r\n--" + found[1])
    require(not first and parts[-1] == b"--\r\n", "parts are between boundaries")
    for part in parts[:-1]:
        part_head, _, octets = part.partition(b"\r\n\r\n")
        _require_part(part_head + b"\r\n", octets, content)
    require(len(body) <= len(content) + _PART_HEAD * len(parts), "no more than the file is sent")
    return len(parts) - 1


def _prepare(folder: Path) -> Check:
    root = folder.resolve()
    contents = {f"{name}/{size}.bin": _content(size) for name in _FOLDERS for size in _SIZES}
    lay_out(root, dict(contents))
    world = World(root, loads() + _CONFIG)
    names = list(contents)

    def check(data: bytes) -> str:
        name = names[zlib.adler32(data) % len(names)]
        content = contents[name]
        request = b"GET /%b HTTP/1.1\r\nHost: localhost\r\nRange: %b\r\n\r\n" % (name.encode(), data)
        try:
            answer = world.ask(request)
        except BadRequest as error:
            return f"{error.status} {error.log_id}"
        length = _LENGTH.search(answer.head)
        if answer.status == 200:
            require(answer.body == content, "without a range the file is whole")
            return f"200 {len(content)}"
        if answer.status != 206:
            require(answer.status in (400, 416, 417), f"answered {answer.status}")
            return str(answer.status)
        require(length is not None and int(length[1]) == len(answer.body), "the length is the body's")
        count = _require_parts(answer.head, answer.body, content)
        require(name.split("/")[0] not in ("one", "none") or count == 1, "no more parts than allowed")
        return f"206 {min(count, 30)} {name}"

    return check


def _generate(chance: random.Random) -> bytes:
    specs = []
    for _ in range(chance.choice((1, 1, 2, 3, 10, 250))):
        first = chance.choice(("", str(chance.randrange(12)), str(chance.randrange(1200))))
        last = chance.choice(("", str(chance.randrange(12)), str(chance.randrange(1200))))
        specs.append(f"{first}-{last}")
    return b"bytes=" + chance.choice((",", ", ", ",")).join(specs).encode()


RANGES = Target("ranges", words("ranges"), _generate, _prepare, longest=8_000)
