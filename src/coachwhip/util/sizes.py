"""Durations and sizes as Apache's directives spell them."""

from __future__ import annotations

import re

_MICROSECONDS = {"ms": 1_000, "s": 1_000_000, "mi": 60_000_000, "h": 3_600_000_000}
_DURATION = re.compile(r"[ \t\n\v\f\r]*\+?([0-9]{1,19})(ms|s|mi|h)?(.*)", re.DOTALL)
_LONGEST = 2**63 - 1


def parse_duration(text: str, *, default_unit: str = "s") -> float:
    """Return the seconds that *text* names: digits and a unit (``5``, ``500ms``, ``5s``, ``2min``, ``1h``).

    As Apache's timeout parser: ``ms``, or anything that begins with ``s``, ``mi`` or ``h``, in lower case.

    default_unit: the unit of a number alone, one of ``ms s min h``.

    Raises ValueError.
    """
    found = _DURATION.fullmatch(text)
    if found is None or (found[3] and not found[2]):
        raise ValueError(f"{text!r} is not a duration: expected a number with ms, s, min or h")
    unit = found[2] or default_unit.removesuffix("n")
    microseconds = int(found[1]) * _MICROSECONDS[unit]
    if microseconds > _LONGEST:
        raise ValueError(f"{text!r} is too long a duration")
    return microseconds / 1_000_000


_SIZE = re.compile(r"([0-9]{1,19})([KMG]?)", re.IGNORECASE)
_FACTOR = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def parse_size(text: str) -> int:
    """Return the octets that *text* names: digits and perhaps ``K``, ``M`` or ``G`` (powers of 1024).

    Raises ValueError.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size: expected a number, perhaps with K, M or G")
    return int(found[1]) * _FACTOR[found[2].upper()]
