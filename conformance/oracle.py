"""`python -m conformance.oracle`: ask Apache and the candidate everything about a real site, and compare.

One pass over the scenario for Apache (skipped for answers that are already stored), one for the candidate; the two
never run at the same time. Prints counts by category and the first differences, writes all of them as JSON, and ends
with status 1 when there is a difference that `compare.ALLOWED` does not cover, 2 when a server would not start.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from coachwhip.testing.launch import StartFailed, start_command
from conformance import namespace, report
from conformance.answers import Answer, AnswerStore
from conformance.asking import Asker, Question
from conformance.findings import Outcome
from conformance.manual_site import DEBIAN, ManualSite, build, fingerprint
from conformance.matrix import GZIP, first_questions, further_questions, targets

REFERENCE = "/usr/sbin/apache2"
CANDIDATE = f"{sys.executable} -m coachwhip httpd"
TARGETS_AT_ONCE = 25
OTHER_PORT = 8480


def chosen_targets(site: ManualSite, options: argparse.Namespace) -> list[bytes]:
    """Return the targets to ask about: all, those that match `--only`, or a repeatable sample of them."""
    everything = list(targets(site.trees))
    if options.only:
        pattern = re.compile(os.fsencode(options.only))
        everything = [target for target in everything if pattern.search(target)]
    if options.sample and options.sample < len(everything):
        everything = sorted(random.Random(options.seed).sample(everything, options.sample))  # noqa: S311
    return everything


def in_groups(everything: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield the targets a few at a time: that many are asked, stored and compared before the next."""
    for at in range(0, len(everything), TARGETS_AT_ONCE):
        yield everything[at : at + TARGETS_AT_ONCE]


def record_reference(everything: Sequence[bytes], store: AnswerStore, asker: Asker, tick: Callable[[], None]) -> None:
    """Ask Apache whatever the store does not know yet."""
    for group in in_groups(everything):
        first = [question for target in group for question in first_questions(target)]
        known = _complete(store, asker, first)
        _complete(store, asker, _further(group, known))
        tick()


def _complete(store: AnswerStore, asker: Asker, questions: Sequence[Question]) -> dict[bytes, Answer]:
    known = store.find(question.request for question in questions)
    missing = [question for question in questions if question.request not in known]
    fresh = [(q.request, answer) for q, answer in zip(missing, asker.ask(missing), strict=True)]
    store.put(fresh)
    return known | dict(fresh)


def _further(group: Iterable[bytes], known: dict[bytes, Answer]) -> list[Question]:
    questions: list[Question] = []
    for target in group:
        plain, packed = (known[Question("", b"GET", target, fields).request] for fields in ((), (GZIP,)))
        questions += further_questions(target, plain, packed)
    return questions


def compare_candidate(
    everything: Sequence[bytes], store: AnswerStore, asker: Asker, with_order: bool, tick: Callable[[], None]
) -> Outcome:
    """Ask the candidate the same questions and compare with what is stored."""
    outcome = Outcome()
    for group in in_groups(everything):
        questions = [question for target in group for question in first_questions(target)]
        known = store.find(question.request for question in questions)
        further = _further(group, known)
        known |= store.find(question.request for question in further)
        questions += further
        for question, got in zip(questions, asker.ask(questions), strict=True):
            outcome.judge(question, known[question.request], got, with_order=with_order)
        tick()
    return outcome


@contextmanager
def serving(command: str, site: ManualSite, change: str = "") -> Iterator[Asker]:
    """Run an httpd-like command on the scenario, with one more configuration line when `change` is given."""
    arguments = [*shlex.split(command), *site.arguments, *(("-c", change) if change else ())]
    running = start_command(arguments, site.port, environment=site.environment)
    try:
        with Asker(("127.0.0.1", site.port)) as asker:
            yield asker
    finally:
        running.stop()


def run(options: argparse.Namespace, port: int) -> int:
    """Do both passes and report; returns the exit status."""
    work = work_folder(options.work)
    debian = Path(options.debian)
    site = build(work / f"site-{fingerprint(debian, port)}", debian=debian, port=port)
    everything = chosen_targets(site, options)
    groups = len(list(in_groups(everything)))
    print(f"{len(everything)} targets; site {site.root}; port {port}", flush=True)
    store = AnswerStore(site.root / "answers.sqlite")
    try:
        with serving(options.reference, site) as asker:
            record_reference(everything, store, asker, report.progress("reference", groups))
        with serving(options.candidate, site, options.change) as asker:
            outcome = compare_candidate(everything, store, asker, options.order, report.progress("candidate", groups))
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        store.close()
    report.print_outcome(outcome, options.show)
    path = Path(options.json or work / "differences.json")
    report.write_json(outcome, path)
    print(f"all differences: {path}")
    return 1 if outcome.unlisted else 0


def work_folder(chosen: str) -> Path:
    """Return the folder that keeps sites and answers between runs; it must be ours alone to write."""
    path = Path(chosen or Path(tempfile.gettempdir(), f"coachwhip-oracle-{os.geteuid()}"))
    path.mkdir(mode=0o755, exist_ok=True)
    if path.lstat().st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to someone else; choose another folder with --work")
    return path


def main(arguments: Sequence[str]) -> int:
    """Read the command line; enter a network namespace when that lets Debian's port 80 stay as it is."""
    parser = argparse.ArgumentParser(prog="python -m conformance.oracle", description=__doc__)
    parser.add_argument("--candidate", default=CANDIDATE, metavar="CMD", help="an httpd-like command (default: ours)")
    parser.add_argument("--reference", default=REFERENCE, metavar="CMD", help="the real Apache")
    parser.add_argument("--change", default="", metavar="LINE", help="a configuration line for the candidate alone")
    parser.add_argument("--debian", default=str(DEBIAN), metavar="DIR", help="where Debian's configuration is")
    parser.add_argument("--only", default="", metavar="PATTERN", help="targets that match this regular expression")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N targets, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--order", action="store_true", help="also compare the order of header lines")
    parser.add_argument("--show", type=int, default=10, metavar="N", help="print the first N differences")
    parser.add_argument("--json", default="", metavar="FILE", help="where all differences go")
    parser.add_argument("--work", default="", metavar="DIR", help="keeps the site and Apache's answers between runs")
    parser.add_argument("--port", type=int, default=0, help="serve a copy on this port, not on 80 in a namespace")
    options = parser.parse_args(arguments)
    if namespace.is_inside():
        namespace.bring_up_loopback()
        return run(options, 80)
    if not options.port and namespace.is_possible():
        return namespace.enter("conformance.oracle", arguments)
    return run(options, options.port or OTHER_PORT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
