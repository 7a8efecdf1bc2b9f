"""Who may come in: what each phase's answer means, with and without `Satisfy any`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.phases import Order

MakeWorld = Callable[..., Any]
OK, DECLINED = Outcome.OK, Outcome.DECLINED
PHASES = (phases.access_checker, phases.access_checker_ex, phases.check_user_id, phases.auth_checker)


def judged(world: MakeWorld, answers: tuple[Any, ...], satisfy: str) -> tuple[int, list[str], list[str]]:
    """Status, the phases that were asked, and the log, for these answers of the four phases."""
    made, asked = Module("probe_module", "mod_probe.c", replayable=True), []

    def add(phase: phases.Phase, answer: Any) -> None:
        @made.hook(phase, Order.REALLY_FIRST)
        def judge(r: Any) -> Any:
            asked.append(phase.name)
            return answer

    for phase, answer in zip(PHASES, answers, strict=True):
        add(phase, answer)
    w = world("", {"htdocs/f": ""}, modules=()).add(made)
    w.pipeline.startup.providers.register("satisfy", "satisfy", lambda r: satisfy)
    answer = w.ask("/f")
    return answer.status, asked, answer.log


A, EX, USER, AUTH = (phase.name for phase in PHASES)


@pytest.mark.parametrize(
    ("satisfy", "answers", "status", "asked"),
    [
        ("all", (OK, OK, 401, 401), 200, [A, EX]),
        ("all", (403, OK, OK, OK), 403, [A]),
        ("all", (OK, 403, OK, OK), 403, [A, EX]),
        ("all", (OK, DECLINED, OK, OK), 200, [A, EX, USER, AUTH]),
        ("all", (OK, DECLINED, 401, OK), 401, [A, EX, USER]),
        ("all", (OK, DECLINED, OK, 403), 403, [A, EX, USER, AUTH]),
        ("any", (OK, 403, 401, 401), 200, [A]),
        ("any", (403, OK, 401, 401), 200, [A, EX]),
        ("any", (403, DECLINED, OK, OK), 200, [A, EX, USER, AUTH]),
        ("any", (403, DECLINED, 401, OK), 401, [A, EX, USER]),
    ],
)
def test_answers(world: MakeWorld, satisfy: str, answers: tuple[Any, ...], status: int, asked: list[str]) -> None:
    assert judged(world, answers, satisfy)[:2] == (status, asked)


@pytest.mark.parametrize(("satisfy", "number"), [("all", "AH00027"), ("any", "AH00028")])
def test_a_user_is_wanted_but_nobody_asks_for_one(world: MakeWorld, satisfy: str, number: str) -> None:
    status, _, log = judged(world, (OK if satisfy == "all" else 403, DECLINED, DECLINED, OK), satisfy)
    assert (status, log) == (500, [f"core:3 {number}"])


def test_nobody_decides_about_a_known_user(world: MakeWorld) -> None:
    status, _, log = judged(world, (OK, DECLINED, OK, DECLINED), "all")
    assert (status, log) == (500, ["core:2 AH00025"])
