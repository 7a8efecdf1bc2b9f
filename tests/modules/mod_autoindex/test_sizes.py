"""Sizes in a listing, as Apache 2.4.71 writes them."""

import pytest

from coachwhip.modules.generators.mod_autoindex.render import size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (-1, "  - "),
        (0, "  0 "),
        (972, "972 "),
        (973, "1.0K"),
        (1023, "1.0K"),
        (1535, "1.5K"),
        (9215, "9.0K"),
        (10239, " 10K"),
        (99999, " 98K"),
        (996148, "973K"),
        (5000000, "4.8M"),
        (2**40, "1.0T"),
        (2**62, "4.0E"),
    ],
)
def test_listing_sizes_are_four_characters(size: int, text: str) -> None:
    assert size_text(size) == text
