"""The searches of `fuzz/`, held as a row: they are programs of their own, and this only runs them."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

from faults.rig import REPOSITORY
from faults.rows import Bar, Figures, NotHere, Stage, fault


@dataclass(frozen=True, slots=True)
class Search:
    """A search of `fuzz/`, and how much it is to do in each form; `option` counts what is tried."""

    module: str
    option: str
    short: int
    long: int


SEARCHES = (
    Search("fuzz", "--count", 2_000, 100_000),
    Search("fuzz.heads", "--count", 20_000, 1_000_000),
    Search("fuzz.equivalence", "--steps", 200, 20_000),
    Search("fuzz.values", "--count", 2_000, 1_000_000),
)


@fault("F18", "fuzzers", Bar("searches"), Bar("that found something", most=0), Bar("seconds", timed=True))
def fuzzers(stage: Stage) -> Figures:
    """Every search of `fuzz/`, a few thousand cases each in the short form."""
    if not stage.server.is_ours:
        raise NotHere("they search this server's own code")
    began, found = time.monotonic(), 0
    for search in SEARCHES:
        command = [sys.executable, "-m", search.module, search.option, str(stage.pick(search.short, search.long))]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            found += 1
            print(f"{' '.join(command[1:])}\n{done.stdout}{done.stderr}", file=sys.stderr)
    return {"searches": len(SEARCHES), "that found something": found, "seconds": time.monotonic() - began}
