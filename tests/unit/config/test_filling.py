"""`${NAME}`: values of Define before the environment."""

import pytest

from coachwhip.api.directives import DirectiveError
from coachwhip.config.filling import Filler, Room


def filler(**values: str) -> tuple[Filler, list[str]]:
    missing: list[str] = []
    fill = Filler({"HOME": "/root", "both": "environment"}, missing.append)
    fill.values = values
    return fill, missing


@pytest.mark.parametrize(
    ("text", "filled", "missing"),
    [
        ("a", "a", []),
        ("${x}", "1", []),
        # Names that Define made are found in any case; the environment's only as they are.
        ("${X}-${HOME}-${home}", "1-/root-${home}", ["home"]),
        ("${both}", "defined", []),
        ("a${nope}b", "a${nope}b", ["nope"]),
        # A colon marks the look-up of a map: left alone without a warning.
        ("${map:key}", "${map:key}", []),
        ("${}", "${}", [""]),
        ("${x", "${x", []),
        ("$x $", "$x $", []),
        ("${a${x}", "${a${x}", ["a${x"]),
        # What was filled in is not filled in again.
        ("${loop}", "${x}", []),
    ],
)
def test_filling_in(text: str, filled: str, missing: list[str]) -> None:
    fill, told = filler(x="1", both="defined", loop="${x}")
    assert (fill(text), told) == (filled, missing)


def test_variables_and_macros_add_no_more_than_there_is_room_for():
    room = Room(10)
    fill = Filler({}, lambda name: None, room)
    fill.values["x"] = "12345"
    assert fill("${x}${x}") == "1234512345"
    with pytest.raises(DirectiveError, match="too long"):
        fill("${x}")
