"""`${NAME}`: values of Define before the environment."""

import pytest

from coachwhip.config.filling import Filler


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
