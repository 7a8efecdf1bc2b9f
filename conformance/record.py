"""`python -m conformance.record [FILE...]`: play case files against the real Apache and write what it answers.

A case whose expectations already match is left alone, so placeholders put in by hand survive. Changed files are
rewritten and the change is shown; with `--check` nothing is written and the exit status is 1 when a file would change.
`--command CMD` plays the cases against another httpd-like server and only checks.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coachwhip.testing.casefile import CaseError, parse, with_results
from coachwhip.testing.play import check, describe, observe

APACHE = "/usr/sbin/apache2"
Work = Callable[[Path, Sequence[str]], list[str] | tuple[str, str]]
CASES = Path(__file__).parent.parent / "tests" / "cases"


def case_files(names: Sequence[str]) -> list[Path]:
    """Return the case files named (files or folders), all of them when none is."""
    found: list[Path] = []
    for path in [Path(name) for name in names] or [CASES]:
        found += sorted(path.rglob("*.case")) if path.is_dir() else [path]
    return found


def rerecord(path: Path, command: Sequence[str]) -> tuple[str, str]:
    """Play one case file against Apache; return its text now and its text as it should be."""
    text = path.read_text()
    case = parse(text)
    observation = observe(case, command)
    if not any(check(case, observation)):
        return text, text
    expects, refused, logs = describe(case, observation)
    if refused is not None:
        expects = [[] for _ in case.exchanges]
    return text, with_results(text, expects, refused, logs)


def problems(path: Path, command: Sequence[str]) -> list[str]:
    """Play one case file against any server and return what is not as expected."""
    case = parse(path.read_text())
    return list(check(case, observe(case, command)))


def show(path: Path, old: str, new: str) -> Iterator[str]:
    """Yield the change of one file as a unified diff."""
    yield from difflib.unified_diff(old.split("\n"), new.split("\n"), str(path), str(path), lineterm="", n=2)


def main(arguments: Sequence[str]) -> int:
    """Record or check the files named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m conformance.record", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="case files or folders; all when none is named")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--command", default="", metavar="CMD", help="check this server instead of recording Apache")
    parser.add_argument("--quiet", action="store_true", help="name changed files without the change")
    options = parser.parse_args(arguments)
    command = shlex.split(options.command or APACHE)
    paths = case_files(options.files)
    bad = 0
    with ThreadPoolExecutor(os.cpu_count() or 2) as threads:
        work: Work = problems if options.command else rerecord
        pending = [(path, threads.submit(work, path, command)) for path in paths]
        for path, future in pending:
            try:
                result: list[str] | tuple[str, str] = future.result()
            except CaseError as error:
                result = [str(error)]
            bad += _conclude(path, result, options)
    print(f"{len(paths)} case files, {bad} {'differ' if options.command or options.check else 'changed or wrong'}")
    return 1 if bad and (options.check or options.command) else 0


def _conclude(path: Path, result: list[str] | tuple[str, str], options: argparse.Namespace) -> int:
    """Show one file's result and write it if asked to; returns 1 when there was anything to show."""
    if isinstance(result, list):
        for line in result:
            print(f"{path}: {line}")
        return 1 if result else 0
    old, new = result
    if old == new:
        return 0
    print("\n".join(show(path, old, new)) if not options.quiet else str(path))
    if not options.check:
        path.write_text(new)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
