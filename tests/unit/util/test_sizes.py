"""Durations, sizes and listing sizes. Answers were recorded from Apache's library."""

import pytest

from coachwhip.util.sizes import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("5", "s", 5),
        ("5", "ms", 0.005),
        ("5", "min", 300),
        ("5s", "ms", 5),
        ("5sec", "s", 5),
        ("500ms", "s", 0.5),
        ("2min", "s", 120),
        ("2mi", "s", 120),
        ("1h", "s", 3600),
        ("1hours", "s", 3600),
        ("0", "s", 0),
        (" 5", "s", 5),
        ("+5", "s", 5),
    ],
)
def test_durations(text: str, unit: str, seconds: float) -> None:
    assert parse_duration(text, default_unit=unit) == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "-5", "5 s", "5 ", "5m", "5us", "5MS", "5S", "5d", "0x5", "5\n", "٥", "9" * 14, "9" * 5000]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_sizes() -> None:
    assert [parse_size(text) for text in ("0", "10", "2K", "2k", "3M", "1G")] == [0, 10, 2048, 2048, 3145728, 1 << 30]


@pytest.mark.parametrize("text", ["", "-1", "1T", "1 K", "K", "1.5M", "9" * 20, "²"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(text)
