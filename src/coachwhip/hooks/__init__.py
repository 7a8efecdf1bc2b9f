"""The hook engine: sorts what modules hang on phases, and runs it.

Hooks are sorted once, after the configuration was read, into plain tuples; running a phase is a loop over a tuple. Order within a
phase: by `Order`, then so that `after` and `before` hold, then by the order in which modules were loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from coachwhip.api.module import Hook, Module
from coachwhip.api.outcome import Outcome, Result
from coachwhip.api.phases import Phase, RunMode
from coachwhip.api.request import Request

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


#: The answers after which the next hook is asked (None: whatever it answers), and what a phase answers in which no hook decided.
_MODES: dict[RunMode, tuple[tuple[Outcome, ...] | None, Outcome]] = {
    RunMode.ALL: ((Outcome.OK, Outcome.DECLINED), Outcome.OK),
    RunMode.FIRST: ((Outcome.DECLINED,), Outcome.DECLINED),
    RunMode.EACH: (None, Outcome.OK),
}
_Run = tuple[tuple[Hook, ...], tuple[Outcome, ...] | None, Outcome]


class _Runs(dict[Phase, _Run]):
    """How each phase runs; nothing happens in one on which no module has hung anything."""

    def __missing__(self, phase: Phase) -> _Run:
        self[phase] = run = ((), *_MODES[phase.mode])
        return run


class HookTable:
    """All phases of the loaded modules, sorted."""

    __slots__ = ("_runs",)

    def __init__(self, modules: Iterable[Module]) -> None:
        by_phase: dict[Phase, list[Hook]] = {}
        for module in modules:
            for hook in module.hooks:
                by_phase.setdefault(hook.phase, []).append(hook)
        self._runs = _Runs((phase, (sort_hooks(hooks), *_MODES[phase.mode])) for phase, hooks in by_phase.items())

    def hooks(self, phase: Phase) -> tuple[Hook, ...]:
        """The sorted hooks of a phase."""
        return self._runs[phase][0]

    def run(self, phase: Phase, subject: Any) -> Any:
        """Run a phase on a request, a connection or the start by the phase's mode; returns the deciding answer.

        Run all: OK, or the first answer other than OK and DECLINED. Run first: the first answer other than DECLINED, or
        DECLINED. Each: OK.
        """
        hooks, passes, nobody = self._runs[phase]
        for hook in hooks:
            answer = hook.function(subject)
            if passes is not None and answer not in passes:
                return answer
        return nobody

    def run_on(self, phase: Phase, r: Request) -> Result:
        """`run` for a request: explains itself, and keeps hooks that may block off the loop's thread.

        Raises:
            NeedsThread: such a hook is next, and `r.may_block` is False.
        """
        hooks, passes, nobody = self._runs[phase]
        for hook in hooks:
            if hook.blocking and not r.may_block:
                raise NeedsThread
            answer: Result = hook.function(r)
            if r.record.steps is not None and answer is not Outcome.DECLINED:
                r.record.step("hook", f"{phase.name}: {hook.module.source} answered {_say(answer)}")
            if passes is not None and answer not in passes:
                return answer
        return nobody


def _say(answer: Any) -> str:
    return answer.value.upper() if isinstance(answer, Outcome) else str(answer)
