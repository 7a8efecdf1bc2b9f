"""The hook engine: sorts what modules hang on phases, leaves out what cannot act, and runs the rest.

Hooks are sorted once, after the configuration was read; running a phase is a loop over a tuple. Order within a phase: by `Order`, then so
that `after` and `before` hold, then by the order in which modules were loaded. An `Agenda` is what is left of a phase for a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from coachwhip.api import phases
from coachwhip.api.module import Hook, Module
from coachwhip.api.outcome import DECLINED, OK, Outcome, Result
from coachwhip.api.phases import Phase, RunMode
from coachwhip.api.request import Request
from coachwhip.api.server import Server, Settings

__all__ = ["Agenda", "HookCycle", "HookTable", "NeedsThread", "sort_hooks"]


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


#: The answer after which, as after DECLINED, the next hook is asked (None: whatever it answers), and what a phase answers in which no
#: hook decided.
_MODES: dict[RunMode, tuple[Outcome | None, Outcome]] = {
    RunMode.ALL: (OK, OK),
    RunMode.FIRST: (DECLINED, DECLINED),
    RunMode.EACH: (None, OK),
}


class Agenda:
    """The hooks of one phase that can act on a request, in run order; those that decline whatever is asked are left out.

    There is one for each set of folded settings (`Hook.acts`), or, of the phase `handler`, for each handler (`Hook.handlers`).
    """

    __slots__ = ("blocks", "functions", "hooks", "nobody", "passes")

    def __init__(self, phase: Phase, hooks: Iterable[Hook]) -> None:
        self.hooks = tuple(hooks)
        self.functions = tuple([hook.function for hook in self.hooks])
        self.passes, self.nobody = _MODES[phase.mode]
        #: One of them may block.
        self.blocks = any(hook.blocking for hook in self.hooks)

    def is_in_place(self, server: Server, settings: Settings, name: str) -> bool:
        """Whether all of them are `Hook.in_place` for a file of this name, and none may block."""
        asked = [hook.in_place for hook in self.hooks]
        return not self.blocks and all(said if isinstance(said, bool) else said(server, settings, name) for said in asked)


class _Whole(dict[Phase, Agenda]):
    """All hooks of each phase; nothing happens in one on which no module has hung anything."""

    def __missing__(self, phase: Phase) -> Agenda:
        self[phase] = empty = Agenda(phase, ())
        return empty


class HookTable:
    """All phases of the loaded modules, sorted."""

    __slots__ = ("_handlers", "_whole", "answers_early", "checks_access", "loggers", "sees_fields", "sees_new", "sees_raw_paths")

    def __init__(self, modules: Iterable[Module]) -> None:
        by_phase: dict[Phase, list[Hook]] = {}
        for module in modules:
            for hook in module.hooks:
                by_phase.setdefault(hook.phase, []).append(hook)
        whole = _Whole((phase, Agenda(phase, sort_hooks(hooks))) for phase, hooks in by_phase.items())
        #: All hooks of a phase. By the method, see `api/headers.py`.
        self._whole: Callable[[Phase], Agenda] = whole.__getitem__
        #: The functions of `log_transaction`, of which each is called by itself.
        self.loggers = self._whole(phases.log_transaction).functions
        # Whether any hook is there at all in phases that most servers do without.
        #: It looks at requests of which nothing is known yet.
        self.sees_new = bool(self.hooks(phases.create_request))
        #: It answers before the URL is mapped.
        self.answers_early = bool(self.hooks(phases.quick_handler))
        #: It looks at paths while they are encoded.
        self.sees_raw_paths = bool(self.hooks(phases.pre_translate_name))
        #: It looks at the fields of a request when all sections are known.
        self.sees_fields = bool(self.hooks(phases.header_parser))
        #: It refuses by address and the like.
        self.checks_access = bool(self.hooks(phases.access_checker))
        answering = self.hooks(phases.handler)
        #: By `r.handler`; None for all that no hook names.
        self._handlers: dict[str | None, Agenda] = {
            name: Agenda(phases.handler, [hook for hook in answering if not hook.handlers or name in hook.handlers])
            for name in (None, *[name for hook in answering for name in hook.handlers])
        }

    def hooks(self, phase: Phase) -> tuple[Hook, ...]:
        """The sorted hooks of a phase."""
        return self._whole(phase).hooks

    def run(self, phase: Phase, subject: Any) -> Any:
        """Run all hooks of a phase on a request, a connection or the start by the phase's mode; returns the deciding answer.

        Run all: OK, or the first answer other than OK and DECLINED. Run first: the first answer other than DECLINED, or
        DECLINED. Each: OK.
        """
        agenda = self._whole(phase)
        passes = agenda.passes
        for function in agenda.functions:
            answer = function(subject)
            if answer is not passes and answer is not DECLINED and passes is not None:
                return answer
        return agenda.nobody

    def run_on(self, phase: Phase, r: Request, agenda: Agenda | None = None) -> Result:
        """`run` for a request, of those hooks that can act on it: explains itself, and keeps hooks that may block off the loop's thread.

        `agenda`: which they are, where that is not told by the settings.

        Raises:
            NeedsThread: such a hook is next, and `r.may_block` is False.
        """
        if agenda is None:
            try:
                agenda = r.dir_settings.derived[phase]
            except KeyError:
                agenda = self.agenda(phase, r.server, r.dir_settings)
        functions = agenda.functions
        if not functions:
            return agenda.nobody
        if r.record.steps is not None or (agenda.blocks and not r.may_block):
            return _run_one_by_one(phase, agenda, r)
        passes = agenda.passes
        if passes is None:
            for function in functions:
                function(r)
            return agenda.nobody
        for function in functions:
            answer: Result = function(r)
            if answer is not passes and answer is not DECLINED:
                return answer
        return agenda.nobody

    def run_handler(self, r: Request) -> Result:
        """`run_on` for the phase `handler`, of those hooks that answer for `r.handler`."""
        return self.run_on(phases.handler, r, self._handlers.get(r.handler) or self._handlers[None])

    def agenda(self, phase: Phase, server: Server, settings: Settings) -> Agenda:
        """Settle which hooks can act under these settings, which are the server's: those of two servers are never the same."""
        agenda = Agenda(phase, [hook for hook in self.hooks(phase) if hook.acts is None or hook.acts(server, settings)])
        settings.derived[phase] = agenda
        return agenda


def _run_one_by_one(phase: Phase, agenda: Agenda, r: Request) -> Result:
    """What each hook answered is told, and none that may block is called where it must not."""
    for hook in agenda.hooks:
        if hook.blocking and not r.may_block:
            raise NeedsThread
        answer: Result = hook.function(r)
        if r.record.steps is not None and answer is not DECLINED:
            r.record.step("hook", f"{phase.name}: {hook.module.source} answered {_say(answer)}")
        if answer is not agenda.passes and answer is not DECLINED and agenda.passes is not None:
            return answer
    return agenda.nobody


def _say(answer: Any) -> str:
    return answer.value.upper() if isinstance(answer, Outcome) else str(answer)
