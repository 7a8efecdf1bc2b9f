"""The instrument for how connections fall on workers: nothing is lost where all workers share a listener, and nothing is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coachwhip.bench.balance import WAYS, measure


def children() -> int:
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("way", WAYS)
def test_every_connection_is_somebodys(way: str) -> None:
    before = children()
    found = measure(way, 2, 12)
    assert sum(found.at_once) == sum(found.apart) == found.asked == 12
    is_shared = not WAYS[way][0]
    assert found.answered == 12 or not is_shared
    assert children() == before
