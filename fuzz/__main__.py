"""The command: `python -m fuzz [TARGET …] [--count N] [--seconds S] [--seed N]`; all targets if none is named.

Prints the figures of each search. At a fault it writes the case, as short as it soon gets, to a file, says so, and exits
with 1; `--case FILE` runs such a file again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzz.search import Found, Outcome, search_apart, shrink
from fuzz.target import Target, escaped
from fuzz.targets import TARGETS


def _report(name: str, outcome: Outcome, seconds: float) -> None:
    kinds = ", ".join(f"{kind}: {count}" for kind, count in outcome.kinds.most_common(8))
    print(
        f"{name}: {outcome.cases} cases, {len(outcome.kinds)} kinds of ends, slowest {outcome.slowest * 1000:.1f} ms, "
        f"memory +{outcome.growth >> 10} KiB, {seconds:.0f} s, {'1 FAULT' if outcome.found else '0 faults'}\n    {kinds}",
        flush=True,
    )


def _keep(target: Target, found: Found) -> Path:
    data = found.data if found.kind.startswith(("Killed", "Growth", "Slow")) else shrink(target, found.data, found.kind)
    path = Path(f"fault-{target.name}.case")
    path.write_bytes(data)
    print(f"{found.story}\nseed line: {escaped(data)}\nwritten to {path}; again: python -m fuzz {target.name} --case {path}")
    return path


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"any of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--count", type=int, default=1_000_000, help="cases for each target (default 1000000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no longer than this for each target")
    parser.add_argument("--seed", type=int, default=1, help="number of the way that chance takes")
    parser.add_argument("--case", type=Path, metavar="FILE", help="run this one case instead")
    asked = parser.parse_args()
    unknown = [name for name in asked.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}")
    failed = False
    for name in asked.targets or TARGETS:
        target = TARGETS[name]
        if asked.case is not None:
            with tempfile.TemporaryDirectory(prefix="coachwhip-fuzz-") as folder:
                print(target.prepare(Path(folder))(asked.case.read_bytes()))
            continue
        started = time.monotonic()
        outcome = search_apart(target, asked.count, asked.seed, asked.seconds)
        _report(name, outcome, time.monotonic() - started)
        if outcome.found is not None:
            _keep(target, outcome.found)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
