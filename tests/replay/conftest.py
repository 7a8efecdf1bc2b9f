"""A place to serve from, and a server that cannot watch files."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from places import Place

from coachwhip.request.watch import Watcher


@pytest.fixture
def place():
    made = Place()
    yield made
    made.close()


@pytest.fixture
def blind(monkeypatch):
    """Files are asked one by one, as where nothing can be watched."""
    monkeypatch.setattr(Watcher, "_open", lambda self: None)
