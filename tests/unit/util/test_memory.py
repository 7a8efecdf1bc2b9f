"""`util.memory`: bytes, with `/proc` and without."""

from __future__ import annotations

import pytest

from coachwhip.util import memory


def test_more_is_used_when_more_is_held() -> None:
    before = memory.resident_bytes()
    held = b"x" * (64 << 20)
    assert memory.resident_bytes() - before > len(held) // 2


def test_without_proc_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATM", "/proc/self/none")
    assert memory.resident_bytes() > 1 << 20
