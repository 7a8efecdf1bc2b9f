"""The engine: cases from seeds, mutations and a grammar, run one after another until a fault is found or enough were run.

What became of a case is compared with what became of those before: a new kind of end keeps the case as one more seed, so a search goes
on from whatever went further. With the same seed number it takes the same way again.
"""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.guard import Guard, limit_memory, resident
from fuzz.mutation import mutate
from fuzz.target import Target, seeds

__all__ = ["Found", "Outcome", "search", "search_apart", "shrink"]

#: How many cases are kept to go on from.
CORPUS = 3_000
#: CPU seconds after which a case that does not come to its end, even in a library, is ended with its process.
HANG = 10.0
#: Octets by which the memory in use may grow between the first tenth of a search and its end.
GROWTH = 48 << 20


@dataclass(slots=True)
class Found:
    """A fault, with the bytes that show it and how it was told."""

    data: bytes
    kind: str
    story: str


@dataclass(slots=True)
class Outcome:
    """The figures of a search."""

    cases: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    #: CPU seconds of the slowest case, and its bytes.
    slowest: float = 0.0
    slowest_case: bytes = b""
    #: Octets that the memory in use grew by.
    growth: int = 0
    found: Found | None = None


def search(target: Target, count: int, seed: int, seconds: float = float("inf"), note: mmap.mmap | None = None) -> Outcome:
    """Run `count` cases, or as many as `seconds` let; ends at the first fault. `note` always holds the case at hand."""
    with tempfile.TemporaryDirectory(prefix="coachwhip-fuzz-") as folder:
        guard = Guard(target.prepare(Path(folder)))
        outcome = Outcome()
        gc.collect()
        gc.freeze()
        try:
            _run(target, guard, outcome, count, seed, seconds, note)
        finally:
            gc.unfreeze()
        outcome.slowest, outcome.slowest_case = guard.slowest
    return outcome


def _run(target: Target, guard: Guard, outcome: Outcome, count: int, seed: int, seconds: float, note: mmap.mmap | None) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a search, not a secret
    corpus = seeds(target.name)
    waiting = corpus[::-1]
    end = time.monotonic() + seconds
    base = 0
    while outcome.cases < count and time.monotonic() < end:
        if waiting:
            data = waiting.pop()
        elif chance.random() < 0.3:
            data = target.generate(chance)[: target.longest]
        else:
            data = mutate(chance, chance.choice(corpus), target.words, corpus, target.longest)
        if note is not None:
            _write(note, data)
        outcome.cases += 1
        try:
            kind = guard.run(data)
        except Exception as error:
            outcome.found = Found(data, type(error).__name__, "".join(traceback.format_exception(error)))
            return
        if kind not in outcome.kinds and len(corpus) < CORPUS:
            corpus.append(data)
        outcome.kinds[kind] += 1
        if outcome.cases == max(count // 10, 1):
            base = resident()
    outcome.growth = max(resident() - base, 0) if base else 0
    if outcome.growth > GROWTH:
        outcome.found = Found(b"", "Growth", f"memory in use grew by {outcome.growth >> 20} MiB in {outcome.cases} cases\n")


def _write(note: mmap.mmap, data: bytes) -> None:
    note[:8] = len(data).to_bytes(8, "big")
    note[8 : 8 + len(data)] = data
    # A case that never ends takes its process with it: the signal is not handled.
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG)


def search_apart(target: Target, count: int, seed: int, seconds: float = float("inf")) -> Outcome:
    """As `search`, in a process of its own with limited memory: it outlives cases that end the process, or would never end."""
    note = mmap.mmap(-1, 8 + target.longest)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        code = 1
        try:
            limit_memory()
            outcome = search(target, count, seed, seconds, note)
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(outcome, pipe)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status == 0:
        result: Outcome = pickle.loads(answer)  # noqa: S301 -- our own process wrote it
        return result
    data = note[8 : 8 + int.from_bytes(note[:8], "big")]
    code = os.waitstatus_to_exitcode(status)
    kind = f"Killed by {signal.Signals(-code).name}" if code < 0 else f"Exit {code}"
    return Outcome(found=Found(data, kind, f"the process of the search ended: {kind}\n"))


def shrink(target: Target, data: bytes, kind: str, tries: int = 2_000) -> bytes:
    """A shorter case with the same kind of fault, by leaving out what can be left out."""
    with tempfile.TemporaryDirectory(prefix="coachwhip-fuzz-") as folder:
        guard = Guard(target.prepare(Path(folder)))
        size = max(len(data) // 2, 1)
        while size:
            at = 0
            while at < len(data) and tries:
                tries -= 1
                shorter = data[:at] + data[at + size :]
                if _fails_with(guard, shorter) == kind:
                    data = shorter
                else:
                    at += size
            size //= 2
    return data


def _fails_with(guard: Guard, data: bytes) -> str:
    try:
        guard.run(data)
    except Exception as error:
        return type(error).__name__
    return ""
