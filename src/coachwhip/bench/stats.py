"""Median and spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["Spread", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    #: Half the distance between the quartiles, as a share of the median.
    relative: float


def spread(values: Sequence[float]) -> Spread:
    """Raises ValueError for no values."""
    if not values:
        raise ValueError("nothing was measured")
    middle = median(values)
    if len(values) < 2:
        return Spread(middle, middle, middle, 0.0)
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return Spread(middle, min(values), max(values), (upper - lower) / 2 / middle if middle else 0.0)
