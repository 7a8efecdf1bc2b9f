"""The instruments of `conformance/` are not an installed package: let these tests find them at the root of the repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
