"""Show a comparison run to a person (counts, first differences) and to a program (JSON)."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from conformance.compare import ALLOWED, IGNORED_HEADERS, UNORDERED_HEADERS, Difference
from conformance.findings import Finding, Outcome

_SHOWN_BYTES = 2_000
_SHOWN_LINES = 12


def progress(label: str, total: int) -> Callable[[], None]:
    """Return a function that counts one step, printing every tenth part of `total`."""
    steps = 0

    def tick() -> None:
        nonlocal steps
        steps += 1
        if steps * 10 // total != (steps - 1) * 10 // total:
            print(f"{label}: {steps * 100 // total}%", file=sys.stderr, flush=True)

    return tick


def print_outcome(outcome: Outcome, shown: int) -> None:
    """Print counts per category, what was accepted and why, and the first `shown` differences."""
    failed = outcome.by_category()
    print(f"{'category':<24} {'asked':>9} {'differ':>8}")
    for category, asked in sorted(outcome.asked.items()):
        print(f"{category:<24} {asked:>9} {failed[category]:>8}")
    print(f"{'all':<24} {outcome.asked.total():>9} {len(outcome.unlisted):>8}")
    print("\nnot compared: " + "; ".join(f"{name.decode()} ({why})" for name, why in IGNORED_HEADERS.items()))
    print("compared as a set: " + "; ".join(f"{name.decode()} ({why})" for name, why in UNORDERED_HEADERS.items()))
    for row in ALLOWED:
        print(f"accepted {outcome.allowed[row.name]} times: {row.name} ({row.reason})")
    for part, count in outcome.by_part().most_common():
        print(f"differs {count} times: {part}")
    for finding in outcome.unlisted[:shown]:
        print()
        for line in describe(finding):
            print(line)


def describe(finding: Finding) -> Iterator[str]:
    """Yield the lines that show a finding: the request, then each part as expected (-) and got (+)."""
    yield ">>> " + finding.question.request.decode("latin-1").rstrip("\r\n").replace("\r\n", "\n    ")
    yield f"    {finding.expected.status_line.decode('latin-1')}"
    for difference, allowance in finding.differences:
        yield f"  {difference.part}{f' (accepted: {allowance})' if allowance else ''}"
        yield from _as_diff(difference)


def _as_diff(difference: Difference) -> Iterator[str]:
    if difference.part != "body":
        yield f"    - {_text(difference.expected)}"
        yield f"    + {_text(difference.got)}"
        return
    at = _first_difference(difference.expected, difference.got)
    yield f"    {len(difference.expected)} bytes expected, {len(difference.got)} got, first difference at byte {at}"
    start = max(0, at - 100)
    first, second = (_text(body[start : start + _SHOWN_BYTES]).split("\n") for body in (difference.expected, difference.got))
    lines = [line for line in difflib.unified_diff(first, second, lineterm="", n=1) if line[:3] not in ("---", "+++")]
    yield from (f"    {line[:200]}" for line in lines[:_SHOWN_LINES])


def _first_difference(first: bytes, second: bytes) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def write_json(outcome: Outcome, path: Path) -> None:
    """Write all unlisted findings, one object each, with the counts."""
    findings = [
        {
            "category": finding.question.category,
            "request": finding.question.request.decode("latin-1"),
            "expected_status": finding.expected.status_line.decode("latin-1"),
            "differences": [
                {
                    "part": difference.part,
                    "accepted": allowance,
                    "expected": _text(difference.expected[:_SHOWN_BYTES]),
                    "got": _text(difference.got[:_SHOWN_BYTES]),
                }
                for difference, allowance in finding.differences
            ],
        }
        for finding in outcome.unlisted
    ]
    counts = {"asked": outcome.asked, "accepted": outcome.allowed, "differ": outcome.by_category()}
    path.write_text(json.dumps({"counts": counts, "findings": findings}, indent=1, ensure_ascii=False))
