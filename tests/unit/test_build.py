"""`build`: what is shown has the shape that programs read from Apache's `-V`."""

from __future__ import annotations

import re

from coachwhip.build import architecture, build_time, python_version


def test_shapes() -> None:
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", build_time())
    assert re.fullmatch(r"(?:32|64)-bit", architecture())
    assert re.fullmatch(r"[A-Za-z]+ 3\.[0-9]+\.[0-9]+\S*", python_version())
