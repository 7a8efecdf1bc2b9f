"""Two names in a folder change places, over and over: a process of its own, for races.

    python -m faults.swap FOLDER NAME OTHER COUNT

The exchange is one step for the file system (`renameat2`, Linux), so there is always something at both names.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
import time

EXCHANGE = 2
AT_FDCWD = -100


def main(folder: str, name: str, other: str, count: str) -> int:
    """Swap; returns the exit status."""
    libc = ctypes.CDLL(None, use_errno=True)
    one, two = (os.path.join(folder, word).encode() for word in (name, other))
    for _ in range(int(count)):
        if libc.renameat2(AT_FDCWD, one, AT_FDCWD, two, EXCHANGE):
            raise OSError(ctypes.get_errno(), "renameat2")
        # As long as a request takes, or shorter.
        time.sleep(random.random() * 0.0005)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
