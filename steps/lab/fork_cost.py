"""What forking costs in a process of step 4's size: `fork_cost.py COUNT BALLAST_MIB _exit|exit ZOMBIES`.

Forks COUNT children that end at once, in ten batches, and prints as JSON for each batch: microseconds of the `fork` call
and of a child's whole life; and the minor page faults of parent and child. Zombies are made before, and not counted.
It stands alone, and imports what step 4 imports.
"""

import json
import os
import re  # noqa: F401  (see above)
import resource
import socket  # noqa: F401
import sys
import time
from pathlib import Path  # noqa: F401

COUNT, BALLAST_MIB, ENDING, ZOMBIES = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])


def fork() -> int:
    """Fork a child that ends at once; return its process id."""
    pid = os.fork()
    if pid == 0 and ENDING == "_exit":
        os._exit(0)
    if pid == 0:
        sys.exit(0)  # the interpreter takes itself apart, and writes on the pages that it has inherited
    return pid


ballast = bytearray(BALLAST_MIB * 2**20)
ballast[::4096] = b"x" * (len(ballast) // 4096)  # a page that nobody has written to does not exist
dead = [fork() for _ in range(ZOMBIES)]
for pid in dead:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until it is a zombie, and leave it one
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
calls, lives = [], []
for _ in range(10):
    call, begun = 0.0, time.perf_counter()
    for _ in range(COUNT // 10):
        before = time.perf_counter()
        pid = fork()
        call += time.perf_counter() - before
        os.waitpid(pid, 0)
    calls.append(1e6 * call / (COUNT // 10))
    lives.append(1e6 * (time.perf_counter() - begun) / (COUNT // 10))
parent = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults) / COUNT
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt / COUNT
for pid in dead:
    os.waitpid(pid, 0)
print(json.dumps({"call_us": calls, "life_us": lives, "parent_faults": parent, "child_faults": child}))
