"""The phases: their order, what ends them, and that a fault in a hook ends a request and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.api.buckets import Brigade, Data, End
from coachwhip.api.filters import FilterType, OutputFilter
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.phases import Order, Phase
from coachwhip.api.request import BodyError, Request

MakeWorld = Callable[..., Any]
OK, DECLINED, DONE = Outcome.OK, Outcome.DECLINED, Outcome.DONE


def module(name: str = "probe") -> Module:
    return Module(f"{name}_module", f"mod_{name}.c", replayable=True)


def answering(phase: Phase, function: Callable[[Request], Any], order: int = Order.REALLY_FIRST) -> Module:
    """A module with one hook."""
    made = module()
    made.hook(phase, order)(function)
    return made


def seen_by(world: Any, target: str) -> list[str]:
    """The names of the phases in which a module's hooks are asked, in order, with the kind of the request."""
    made, seen = module(), []

    def note(phase: Phase) -> None:
        @made.hook(phase, Order.REALLY_FIRST)
        def asked(r: Request) -> Outcome:
            kind = "sub " if r.main is not None else "next " if r.prev is not None else ""
            seen.append(kind + phase.name)
            return DECLINED

    for phase in phases.REQUEST:
        note(phase)
    world.add(made).ask(target)
    return seen


PREPARED = ["pre_translate_name", "translate_name", "map_to_storage"]
ALLOWED = ["access_checker", "access_checker_ex"]
KNOWN = ["type_checker", "fixups"]
HANDLED = ["insert_filter", "handler"]


def test_order_of_phases(world: MakeWorld) -> None:
    seen = seen_by(world("", {"htdocs/a": "a"}), "/a")
    begin = ["create_request", "post_read_request", "quick_handler"]
    assert seen == [*begin, *PREPARED, "header_parser", *ALLOWED, *KNOWN, *HANDLED]


def test_an_error_document_is_a_request_of_its_own(world: MakeWorld) -> None:
    """It gets every phase again, post_read_request among them (mod_setenvif stands on that)."""
    seen = seen_by(world("ErrorDocument 404 /e", {"htdocs/e": "e"}), "/missing")
    redirected = [name.removeprefix("next ") for name in seen if name.startswith("next ")]
    begin = ["create_request", "post_read_request", "quick_handler"]
    # What the first request was let into under the same sections is not asked again.
    assert redirected == [*begin, *PREPARED, "header_parser", *KNOWN, *HANDLED]


@pytest.mark.parametrize(
    ("phase", "answer", "status"),
    [
        (phases.post_read_request, 403, 403),
        (phases.quick_handler, 410, 410),
        (phases.pre_translate_name, 404, 404),
        (phases.translate_name, 403, 403),
        (phases.map_to_storage, 403, 403),
        (phases.header_parser, 400, 400),
        (phases.access_checker, 403, 403),
        (phases.type_checker, 415, 415),
        (phases.fixups, 302, 302),
        (phases.handler, 503, 503),
        (phases.handler, 999, 500),
        (phases.handler, "what", 500),
    ],
)
def test_a_status_ends_the_request(world: MakeWorld, phase: Phase, answer: Any, status: int) -> None:
    assert world("", {"htdocs/a": "a"}).add(answering(phase, lambda r: answer)).ask("/a").status == status


def test_the_quick_handler_may_answer_before_anything_is_mapped(world: MakeWorld) -> None:
    def quick(r: Request) -> Outcome:
        r.send(Data(b"quick"), End())
        return OK

    answer = world().add(answering(phases.quick_handler, quick)).ask("/missing")
    assert (answer.status, answer.body, answer.r.filename) == (200, b"quick", None)


def test_a_fault_in_a_hook_is_a_500_without_a_trace(world: MakeWorld) -> None:
    def broken(r: Request) -> Outcome:
        raise KeyError("secret")

    answer = world("", {"htdocs/a": "a"}).add(answering(phases.fixups, broken)).ask("/a")
    assert answer.status == 500
    assert answer.fields["Connection"] == "close"
    assert b"secret" not in answer.body and b"Traceback" not in answer.body
    assert answer.log == ["core:3"]


def test_a_filter_that_comes_to_its_end_too_early_is_not_taken_for_an_answer(world: MakeWorld) -> None:
    probe = Module("probe_module", "mod_probe.c", replayable=True)

    @probe.output_filter("EARLY", FilterType.CONTENT_SET)
    def make(r: Request) -> OutputFilter:
        def run(brigade: Brigade) -> Brigade:
            raise StopIteration

        return run

    @probe.hook(phases.handler, Order.FIRST)
    def answer(r: Request) -> Outcome:
        r.send(Data(b"answer"), End())
        r.output_filters.append((probe.filters[0], None))
        return Outcome.OK

    made = world().add(probe)
    with pytest.raises(RuntimeError):
        made.pipeline.start(made.begin("/")[0])


def test_a_body_that_cannot_be_read_ends_the_connection(world: MakeWorld) -> None:
    def reading(r: Request) -> Outcome:
        raise BodyError(413, "too long")

    answer = world("", {"htdocs/a": "a"}).add(answering(phases.handler, reading)).ask("/a")
    assert (answer.status, answer.reply.close, answer.log) == (413, True, ["http:6 AH01590"])


def test_a_handler_nobody_has(world: MakeWorld) -> None:
    declining = answering(phases.handler, lambda r: 500 if r.handler == "wanted" else DECLINED)
    answer = world("SetHandler Wanted", {"htdocs/a": "a"}).add(declining).ask("/a")
    assert answer.status == 500
    assert answer.r.handler == "wanted"


def test_a_log_hook_that_fails_keeps_no_other_from_logging(world: MakeWorld) -> None:
    made, seen = module(), []

    @made.hook(phases.log_transaction, Order.REALLY_FIRST)
    def fail(r: Request) -> Outcome:
        raise RuntimeError("no ink")

    @made.hook(phases.log_transaction, Order.LAST)
    def note(r: Request) -> Outcome:
        seen.append(r.uri)
        return OK

    there = world("", {"htdocs/a": "a"}).add(made)
    there.pipeline.log_transaction(there.ask("/a").r)
    assert seen == ["/a"]


def test_a_handler_found_by_default_is_not_kept(world: MakeWorld) -> None:
    assert world("", {"htdocs/a": "a"}).ask("/a").r.handler is None


def test_a_foreign_module_is_not_replayed_until_it_says_so(world: MakeWorld) -> None:
    assert world("", {"htdocs/a": "a"}).ask("/a").record.volatile is None


def test_the_record_holds_every_input(world: MakeWorld) -> None:
    w = world('<Directory "{root}/htdocs">\nAllowOverride All\n</Directory>\nAllowEncodedSlashes Off', {"htdocs/d/a": "a"})
    record = w.ask("/d/a").record
    looks = {(path.removeprefix(str(w.root)), look.value) for path, look in record.files}
    assert {("/htdocs/d/a", "stat"), ("/htdocs/d/a", "read"), ("/htdocs/d/.htaccess", "stat"), ("/htdocs/.htaccess", "stat")} <= looks
    assert "range" in record.headers and "user-agent" not in record.headers
    assert record.volatile is None
