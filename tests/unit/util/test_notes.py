"""Notes: which lines asked for what failed, beside the error's own text."""

from __future__ import annotations

import pytest

from coachwhip.util.notes import asked_at, notes_of, with_notes


def test_lines_are_noted_and_the_text_stays() -> None:
    with pytest.raises(ValueError) as caught, asked_at(["a.conf:1", "b.conf:2"]):
        raise ValueError("no such thing")
    assert str(caught.value) == "no such thing"
    assert notes_of(caught.value) == ["asked for at a.conf:1", "asked for at b.conf:2"]


def test_what_goes_well_is_let_be() -> None:
    with asked_at(["a.conf:1"]):
        pass
    assert notes_of(ValueError()) == []


def test_notes_are_carried_to_another_error() -> None:
    first = with_notes(ValueError(), ["one"])
    assert notes_of(with_notes(KeyError(), [*notes_of(first), "two"])) == ["one", "two"]
