"""Lets the tests of this folder import the tables and the helpers that the recording script uses too, and gives them a server."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import Server


@pytest.fixture
def server() -> Iterator[Server]:
    # Not pytest's own folder: workers run as another user, who may not enter it.
    with tempfile.TemporaryDirectory(prefix="coachwhip-cli-", ignore_cleanup_errors=True) as folder:
        made = Server(Path(folder))
        yield made
        made.end()
