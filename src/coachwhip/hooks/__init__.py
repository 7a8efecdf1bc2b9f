"""The hook engine: sorts what modules hang on phases, and runs it.

Hooks are sorted once, after the configuration was read, into plain tuples; running a phase is a loop over a tuple. Order within a
phase: by `Order`, then so that `after` and `before` hold, then by the order in which modules were loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from coachwhip.api.module import Hook, Module
from coachwhip.api.outcome import Outcome, Result
from coachwhip.api.phases import Phase, RunMode

__all__ = ["HookCycle", "HookTable", "NeedsThread", "sort_hooks"]


class HookCycle(ValueError):
    """`after` and `before` of some hooks contradict each other."""


class NeedsThread(Exception):
    """A hook that may block was met on the loop's thread; the request starts again on a worker thread."""


def sort_hooks(hooks: Iterable[Hook]) -> tuple[Hook, ...]:
    """One phase's hooks in run order.

    Raises:
        HookCycle: if no order satisfies all `after` and `before`.
    """
    waiting = sorted(hooks, key=lambda h: h.order)
    sources = [h.module.source for h in waiting]
    earlier: list[set[int]] = [set() for _ in waiting]
    for i, hook in enumerate(waiting):
        for j, source in enumerate(sources):
            if source in hook.after:
                earlier[i].add(j)
            if source in hook.before:
                earlier[j].add(i)
    done: list[int] = []
    left = list(range(len(waiting)))
    while left:
        ready = next((i for i in left if earlier[i] <= set(done)), None)
        if ready is None:
            raise HookCycle(", ".join(sorted({sources[i] for i in left})))
        left.remove(ready)
        done.append(ready)
    return tuple(waiting[i] for i in done)


class HookTable:
    """All phases of the loaded modules, sorted."""

    __slots__ = ("_hooks",)

    def __init__(self, modules: Iterable[Module]) -> None:
        by_phase: dict[Phase, list[Hook]] = {}
        for module in modules:
            for hook in module.hooks:
                by_phase.setdefault(hook.phase, []).append(hook)
        self._hooks = {phase: sort_hooks(hooks) for phase, hooks in by_phase.items()}

    def hooks(self, phase: Phase) -> tuple[Hook, ...]:
        """The sorted hooks of a phase."""
        return self._hooks.get(phase, ())

    def run(self, phase: Phase, *args: Any, call: Callable[[Hook, Any], Any] | None = None) -> Any:
        """Run a phase by its mode; returns the deciding answer.

        Run all: OK, or the first answer other than OK and DECLINED. Run first: the first answer other than DECLINED, or
        DECLINED. Each: OK. `call`, if given, calls a hook in place of the plain call (tracing, blocking hooks).
        """
        answer: Result
        for hook in self._hooks.get(phase, ()):
            answer = hook.function(*args) if call is None else call(hook, args)
            if phase.mode is RunMode.EACH or answer is Outcome.DECLINED:
                continue
            if phase.mode is RunMode.FIRST or answer is not Outcome.OK:
                return answer
        return Outcome.DECLINED if phase.mode is RunMode.FIRST else Outcome.OK
