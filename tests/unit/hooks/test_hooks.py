"""The hook engine: the order within a phase, and what each run mode makes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.api.module import Hook, Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.phases import Order, Phase, RunMode
from coachwhip.api.record import Record
from coachwhip.config.folding import Folded
from coachwhip.hooks import HookCycle, HookTable, NeedsThread, sort_hooks

OK, DECLINED, DONE = Outcome.OK, Outcome.DECLINED, Outcome.DONE
ALL = Phase("all", RunMode.ALL, "")
FIRST = Phase("first", RunMode.FIRST, "")
EACH = Phase("each", RunMode.EACH, "")


def module(name: str) -> Module:
    return Module(f"{name}_module", f"mod_{name}.c")


def hook(name: str, order: int = Order.MIDDLE, *, after: tuple[str, ...] = (), before: tuple[str, ...] = ()) -> Hook:
    return Hook(ALL, lambda r: OK, module(name), order, tuple(f"mod_{a}.c" for a in after), tuple(f"mod_{b}.c" for b in before))


def names(hooks: tuple[Hook, ...]) -> str:
    return " ".join(h.module.source.removeprefix("mod_").removesuffix(".c") for h in hooks)


@pytest.mark.parametrize(
    ("hooks", "order"),
    [
        ([hook("a"), hook("b")], "a b"),
        ([hook("a", Order.LAST), hook("b", Order.FIRST)], "b a"),
        ([hook("a"), hook("b", before=("a",))], "b a"),
        ([hook("a", after=("b",)), hook("b", Order.REALLY_LAST)], "b a"),
        ([hook("a", after=("missing",)), hook("b")], "a b"),
        ([hook("a", after=("c",)), hook("b"), hook("c")], "b c a"),
    ],
)
def test_order(hooks: list[Hook], order: str) -> None:
    assert names(sort_hooks(hooks)) == order


def test_contradicting_wishes_are_refused() -> None:
    with pytest.raises(HookCycle, match=r"mod_a\.c, mod_b\.c"):
        sort_hooks([hook("a", after=("b",)), hook("b", after=("a",))])


@given(st.lists(st.sampled_from(list(Order)), max_size=8))
def test_without_wishes_the_sort_is_stable_by_order(orders: list[Order]) -> None:
    hooks = [hook(f"m{i}", order) for i, order in enumerate(orders)]
    assert list(sort_hooks(hooks)) == sorted(hooks, key=lambda h: h.order)


def table(phase: Phase, *answers: Any, blocking: bool = False) -> tuple[HookTable, list[Any]]:
    """Hooks that give these answers, and the list of those that were asked."""
    asked: list[Any] = []
    one = module("one")

    def add(answer: Any) -> Callable[[Any], Any]:
        @one.hook(phase, blocking=blocking)
        def answering(r: Any) -> Any:
            asked.append(answer)
            return answer

        return answering

    for answer in answers:
        add(answer)
    return HookTable([one]), asked


@pytest.mark.parametrize(
    ("phase", "answers", "result", "count"),
    [
        (ALL, (), OK, 0),
        (ALL, (OK, DECLINED, OK), OK, 3),
        (ALL, (OK, 403, OK), 403, 2),
        (ALL, (DONE, OK), DONE, 1),
        (FIRST, (), DECLINED, 0),
        (FIRST, (DECLINED, DECLINED), DECLINED, 2),
        (FIRST, (DECLINED, OK, 404), OK, 2),
        (FIRST, (404, OK), 404, 1),
        (EACH, (403, DONE, DECLINED), OK, 3),
    ],
)
def test_run_modes(phase: Phase, answers: tuple[Any, ...], result: Any, count: int) -> None:
    hooks, asked = table(phase, *answers)
    assert hooks.run(phase, None) == result
    assert len(asked) == count
    assert hooks.run_on(phase, request()) == result


def request(*, may_block: bool = False) -> Any:
    return SimpleNamespace(may_block=may_block, record=Record(steps=[]), server=None, dir_settings=Folded(()))


def test_a_blocking_hook_is_kept_off_the_loop() -> None:
    hooks, asked = table(ALL, OK, blocking=True)
    with pytest.raises(NeedsThread):
        hooks.run_on(ALL, request())
    assert asked == []
    assert hooks.run_on(ALL, request(may_block=True)) is OK


def test_the_explanation_names_who_decided() -> None:
    hooks, _ = table(FIRST, DECLINED, 403)
    r = request()
    hooks.run_on(FIRST, r)
    assert [step.text for step in r.record.steps] == ["first: mod_one.c answered 403"]
