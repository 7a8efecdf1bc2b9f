"""One file for each part of the server that takes bytes from outside."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets.chunks import CHUNKS
from fuzz.targets.configuration import CONFIGURATION
from fuzz.targets.expressions import EXPRESSIONS
from fuzz.targets.heads import HEADS
from fuzz.targets.htaccess import HTACCESS
from fuzz.targets.paths import PATHS
from fuzz.targets.ranges import RANGES

__all__ = ["TARGETS"]

#: By name.
TARGETS: dict[str, Target] = {
    target.name: target for target in (HEADS, CHUNKS, RANGES, PATHS, EXPRESSIONS, HTACCESS, CONFIGURATION)
}
