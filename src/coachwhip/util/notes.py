"""Where it was asked for: configuration lines as notes on an error that is about the machine, not about a line.

Apache names no line for a port that is taken or a log that cannot be opened, so the text of such an error is Apache's alone. Whoever
speaks to people who have a running server, which goes on, adds the notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["asked_at", "note_for", "notes_of", "with_notes"]

E = TypeVar("E", bound=Exception)


def note_for(place: object) -> str:
    """The note for a line (`file:line`)."""
    return f"asked for at {place}"


@contextmanager
def asked_at(places: Iterable[object]) -> Iterator[None]:
    """What is raised meanwhile gets a note for each of these lines (`file:line`)."""
    try:
        yield
    except Exception as error:
        for place in places:
            error.add_note(note_for(place))
        raise


def notes_of(error: BaseException) -> list[str]:
    """Its notes, in order."""
    return list(getattr(error, "__notes__", ()))


def with_notes(error: E, notes: Iterable[str]) -> E:
    """The error, with these notes too."""
    for note in notes:
        error.add_note(note)
    return error
