"""What a filter is: a callable from brigade to brigade, and its place in the chain.

Filters do no I/O. An output filter gets the next buckets of the body and answers the buckets to send on; it may keep some back
until a later call, and must let them go when it sees `End` (or `Flush`). An input filter turns body bytes into body bytes.
Source: Apache manual, "Filters"; type numbers as in httpd's util_filter.h.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from coachwhip.api.buckets import Brigade
    from coachwhip.api.request import Request

__all__ = ["FilterType", "InputFilter", "MakeInputFilter", "MakeOutputFilter", "OutputFilter", "RegisteredFilter"]


class FilterType(IntEnum):
    """Lower numbers are nearer to the content."""

    RESOURCE = 10
    CONTENT_SET = 20
    PROTOCOL = 30
    TRANSCODE = 40
    CONNECTION = 50
    NETWORK = 60


class OutputFilter(Protocol):
    """One filter at work on one response."""

    def __call__(self, brigade: Brigade) -> Brigade:
        """The next buckets in, the buckets to pass on out."""


class InputFilter(Protocol):
    """One filter at work on one request body."""

    def feed(self, data: bytes) -> bytes:
        """The next body bytes in, decoded bytes out.

        Raises:
            InputFilterError: the body is not what it claims to be, or exceeds a limit.
        """

    def finish(self) -> bytes:
        """The body ended; what was kept back."""


#: Makes the filter for a response, or None to stay out of it. It may change headers when the first brigade passes.
MakeOutputFilter = Callable[["Request"], "OutputFilter | None"]
MakeInputFilter = Callable[["Request"], "InputFilter | None"]


@dataclass(frozen=True, slots=True, eq=False)
class RegisteredFilter:
    """A filter by its name, as `SetOutputFilter` and its kin know it."""

    name: str
    type: FilterType
    make_output: MakeOutputFilter | None = None
    make_input: MakeInputFilter | None = None
    #: Called with the module's config when a filter depends on nothing but recorded inputs.
    module: str = ""


class InputFilterError(Exception):
    """A request body cannot be decoded; the request ends with `status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
