"""What a hook answers: an `Outcome`, or an HTTP status as a plain number.

Apache: OK, DECLINED, DONE, SUSPENDED and the status codes share one integer; here the four words are an enumeration and every
`int` is a status, so that neither can be taken for the other.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["DECLINED", "DONE", "OK", "Outcome", "Result"]


class Outcome(Enum):
    """The four answers that are not a status."""

    #: This hook did its part; in a run-all phase the others still run.
    OK = "ok"
    #: Not mine: ask the next one.
    DECLINED = "declined"
    #: The whole request is answered; no later phase runs (Apache's DONE).
    DONE = "done"


#: The same as plain names: before Python 3.12, a look-up on an `Enum` class costs more than the call of a small function.
OK, DECLINED, DONE = Outcome.OK, Outcome.DECLINED, Outcome.DONE


#: What every request hook returns: an outcome, or the status (100 to 599) with which the request ends.
Result = Outcome | int
