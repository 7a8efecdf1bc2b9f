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
from coachwhip.api.phases import Order, Phase, RunMode, handler
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


def serving(**more: Any) -> Any:
    """A request that nobody wants explained."""
    return SimpleNamespace(may_block=False, record=Record(), server="main", dir_settings=Folded(()), **more)


def test_a_hook_that_cannot_act_under_the_settings_is_left_out() -> None:
    one, asked = module("one"), []
    questions: list[Any] = []

    def acts(server: Any, settings: Any) -> bool:
        questions.append((server, settings))
        return len(questions) > 1

    one.hook(ALL, acts=acts)(lambda r: asked.append("never") or OK)
    one.hook(ALL)(lambda r: asked.append("always") or OK)
    hooks, r, other = HookTable([one]), serving(), serving()
    assert [hooks.run_on(ALL, r), hooks.run_on(ALL, r), hooks.run_on(ALL, other)] == [OK, OK, OK]
    assert asked == ["always", "always", "never", "always"]
    assert questions == [("main", r.dir_settings), ("main", other.dir_settings)]


def test_what_is_left_out_does_not_need_a_thread() -> None:
    one = module("one")
    one.hook(FIRST, blocking=True, acts=lambda server, settings: False)(lambda r: 500)
    assert HookTable([one]).run_on(FIRST, serving()) is DECLINED


@pytest.mark.parametrize(("name", "answer"), [("x-status", 201), ("x-map", 202), ("text/html", 203)])
def test_handlers_are_asked_for_their_own(name: str, answer: int) -> None:
    one = module("one")
    one.hook(handler, handlers=("x-status",))(lambda r: 201)
    one.hook(handler, handlers=("x-map", "x-other"))(lambda r: 202)
    one.hook(handler, Order.LAST)(lambda r: 203)
    assert HookTable([one]).run_handler(serving(handler=name)) == answer
