"""`api.storage`: read whole, replaced whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from coachwhip.api.storage import Storage


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert Storage(f"{tmp_path}/none").read() == ("", 0.0)


def test_replaced_and_read_with_its_age(tmp_path: Path) -> None:
    storage = Storage(f"{tmp_path}/kept")
    storage.replace("one\n")
    storage.replace("two\n")
    os.utime(tmp_path / "kept", (0, 0))
    text, age = storage.read()
    assert text == "two\n" and age > 1e9
    assert os.listdir(tmp_path) == ["kept"]
    assert stat.S_IMODE(os.stat(tmp_path / "kept").st_mode) == 0o444


def test_nothing_is_left_behind_where_it_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/inside").touch()
    with pytest.raises(OSError):
        Storage(f"{tmp_path}/kept").replace("one\n")
    assert os.listdir(tmp_path) == ["kept"]
    with pytest.raises(FileNotFoundError):
        Storage(f"{tmp_path}/none/kept").replace("one\n")
