"""The same targets, seeds and checks under atheris: cases are led by the lines of the server that they reach.

    pip install atheris
    python -m fuzz.guided TARGET [--count N] [--seed N]

Instrumented code is slower by a factor, so the limit of CPU time is not held here: that, and cases made by grammar, are what `python -m
fuzz` is for. At a fault atheris prints it, writes the case beside, and exits with 77; `python -m fuzz TARGET --case FILE` runs it again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzz.target import SEEDS, seeds

__all__ = ["main"]


def _dictionary(words: tuple[bytes, ...]) -> str:
    """libFuzzer's own form: a word a line, in quotes, every octet as two digits."""
    return "".join('"' + "".join(f"\\x{octet:02x}" for octet in word) + '"\n' for word in words)


def _run_apart(*arguments: Any) -> int:
    """Run in a process of its own, which atheris ends, and return its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            _run(*arguments)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run(atheris: Any, name: str, count: int, seed: int, folder: Path) -> None:
    with atheris.instrument_imports(include=["coachwhip"]):
        target = importlib.import_module(f"fuzz.targets.{name}").__dict__[name.upper()]
        for place in ("corpus", "site"):
            (folder / place).mkdir()
        for number, case in enumerate(seeds(name)):
            (folder / "corpus" / str(number)).write_bytes(case)
        (folder / "words").write_text(_dictionary(target.words))
        check = target.prepare(folder / "site")
    guard = importlib.import_module("fuzz.guard").Guard(check, clock=lambda: 0.0)
    options = {"runs": count, "seed": seed, "max_len": target.longest, "dict": folder / "words", "timeout": 10, "rss_limit_mb": 1024}
    options["artifact_prefix"] = f"fault-{name}-"
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(folder / "corpus")], guard.run)
    atheris.Fuzz()


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.guided", description=__doc__)
    parser.add_argument("target", choices=sorted(path.stem for path in SEEDS.iterdir()))
    parser.add_argument("--count", type=int, default=1_000_000, help="how many cases (default 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="number of the way that chance takes")
    asked = parser.parse_args()
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        parser.error("atheris is not installed: pip install atheris")
    with tempfile.TemporaryDirectory(prefix="coachwhip-fuzz-") as folder:
        return _run_apart(atheris, asked.target, asked.count, asked.seed, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
