"""Lets the tests of this folder import the tables and the helpers that the recording script uses too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
