"""The oracle is not an installed package: let its tests find it at the root of the repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
