"""The record of a request: every input that its answer was made from.

Replay keys and validates answers by it, and `explain` prints it. Hooks do not write here: the objects through which they look
(`HeadersIn`, `Files`, the clock, the connection's facts) do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from coachwhip.api.files import FileStat

__all__ = ["LogLine", "Look", "Record", "Seen", "Step"]


class Look(Enum):
    """How a path was looked at; decides what counts as a change of it."""

    #: `stat`, links followed (or found absent).
    STAT = "stat"
    #: `lstat`, the link itself.
    LSTAT = "lstat"
    #: The names in a folder.
    LIST = "list"
    #: The bytes of a file.
    READ = "read"

    #: There is one of each, so their places tell them apart; Enum's own hash, of the name, is slow.
    __hash__ = object.__hash__


#: What a look at a path saw: None if nothing was there, the system's number if it said something else.
Seen = FileStat | int | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """An error-log line that belongs to the answer and is written again when the answer is replayed."""

    level: int
    module: str
    log_id: str
    message: str
    #: What the system said about it.
    error: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the explanation: what happened, and the file:line that decided it, if one did."""

    kind: str
    text: str
    source: str = ""


class Record:
    """Inputs of one request with all its sub-requests and internal redirects."""

    __slots__ = ("facts", "files", "headers", "log", "said", "steps", "volatile")

    def __init__(self, steps: list[Step] | None = None) -> None:
        #: Lower-case names of request header fields that were asked for; "*" if all were.
        self.headers: set[str] = set()
        #: Connection and request facts beyond the key that were asked for, by name ("client_ip", "user", …).
        self.facts: dict[str, Any] = {}
        #: (path, look) → what was seen then.
        self.files: dict[tuple[str, Look], Seen] = {}
        #: Why the answer must not be replayed (the first reason), or None.
        self.volatile: str | None = None
        #: Error-log lines of this request.
        self.log: list[LogLine] = []
        #: How many of them are in the log already: those of a first run that was given up for a worker thread.
        self.said = 0
        #: The explanation, in order; None unless it was asked for.
        self.steps = steps

    def make_volatile(self, reason: str) -> None:
        """This answer depends on something that is not recorded."""
        if self.volatile is None:
            self.volatile = reason

    def fact(self, name: str, value: Any) -> Any:
        """Note that a fact was looked at; returns it."""
        self.facts[name] = value
        return value

    def step(self, kind: str, text: str, source: object = "") -> None:
        """Add to the explanation, if there is to be one."""
        if self.steps is not None:
            self.steps.append(Step(kind, text, str(source)))
