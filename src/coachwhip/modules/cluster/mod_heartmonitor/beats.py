"""Heartbeats of other servers, and the file in which they are kept for whoever balances load: one line for each server. Pure.

    127.0.0.1 &ready=75&busy=0&lastseen=2&port=80
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

__all__ = ["SEEN", "Beat", "Malformed", "aged", "fresh", "parse_beat", "parse_lines", "write_lines"]

#: A server that was not heard of for so many seconds is left out.
SEEN = 30.0
DEFAULT_PORT = 80
#: Most servers that are kept track of, and most fields of a message.
MOST_SERVERS, MOST_FIELDS = 4096, 50
_NUMBER = re.compile(r"[0-9]{1,9}")
_LINE = re.compile(r"([0-9a-f.:]{1,45}) &ready=([0-9]{1,10})&busy=([0-9]{1,10})&lastseen=([0-9]{1,10})&port=([0-9]{1,5})")


class Malformed(ValueError):
    """No heartbeat; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The latest that is known of one server."""

    ip: str
    ready: int
    busy: int
    port: int = DEFAULT_PORT
    #: Seconds since then.
    age: float = 0.0


def parse_beat(text: str, ip: str, *, needs_version: bool = True) -> Beat:
    """A message, as it came from `ip`.

    Raises:
        Malformed: it lacks something, or what should be a number is none.
    """
    try:
        fields = dict(parse_qsl(text, keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Malformed("too many fields") from None
    missing = [name for name in (("v",) if needs_version else ()) + ("ready", "busy") if not _NUMBER.fullmatch(fields.get(name, ""))]
    if missing:
        raise Malformed(", ".join(missing))
    port = fields.get("port", "")
    number = int(port) if _NUMBER.fullmatch(port) else 0
    return Beat(ip, int(fields["ready"]), int(fields["busy"]), number if 0 < number < 65536 else DEFAULT_PORT)


def parse_lines(text: str, age: float) -> dict[str, Beat]:
    """What the file says, `age` seconds after it was written; lines that are none are left out."""
    found = [_LINE.fullmatch(line) for line in text.split("\n")]
    beats = [Beat(m[1], int(m[2]), int(m[3]), int(m[5]), int(m[4]) + age) for m in found if m is not None]
    return {beat.ip: beat for beat in beats}


def write_lines(beats: dict[str, Beat]) -> str:
    """The file."""
    return "".join([f"{b.ip} &ready={b.ready}&busy={b.busy}&lastseen={int(b.age)}&port={b.port}\n" for b in beats.values()])


def fresh(*known: dict[str, Beat]) -> dict[str, Beat]:
    """The youngest of each server, without those that are too old.

    A source that is named later must be younger by more than a second: the file knows whole seconds only.
    """
    best: dict[str, Beat] = {}
    for beats in known:
        for ip, beat in beats.items():
            if beat.age <= SEEN and (ip not in best or beat.age + 1 < best[ip].age):
                best[ip] = beat
    return dict(list(best.items())[:MOST_SERVERS])


def aged(beat: Beat, seconds: float) -> Beat:
    """So many seconds later."""
    return replace(beat, age=beat.age + seconds)
