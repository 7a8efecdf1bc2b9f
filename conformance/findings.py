"""What a comparison run found: questions whose two answers differ, and the counts around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from conformance.answers import Answer
from conformance.asking import Question
from conformance.compare import Difference, allowance_for, compare


@dataclass(frozen=True, slots=True)
class Finding:
    """A question whose answers differ: each difference with the name of the allowance that covers it, or nothing."""

    question: Question
    expected: Answer
    got: Answer
    differences: tuple[tuple[Difference, str], ...]

    @property
    def is_allowed(self) -> bool:
        """Whether every difference is on the written list."""
        return all(allowance for _, allowance in self.differences)


@dataclass(slots=True)
class Outcome:
    """A run's result: questions asked by category, differences accepted by allowance, findings that are not."""

    asked: Counter[str] = field(default_factory=Counter)
    allowed: Counter[str] = field(default_factory=Counter)
    unlisted: list[Finding] = field(default_factory=list)

    def judge(self, question: Question, expected: Answer, got: Answer, *, with_order: bool) -> None:
        """Compare one pair of answers and count it."""
        self.asked[question.category] += 1
        differences = compare(expected, got, with_order=with_order)
        if not differences:
            return
        rows = [allowance_for(difference, expected, got) for difference in differences]
        names = tuple(row.name if row else "" for row in rows)
        self.allowed.update(name for name in names if name)
        finding = Finding(question, expected, got, tuple(zip(differences, names, strict=True)))
        if not finding.is_allowed:
            self.unlisted.append(finding)

    def by_category(self) -> Counter[str]:
        """Unlisted findings by category of question."""
        return Counter(finding.question.category for finding in self.unlisted)

    def by_part(self) -> Counter[str]:
        """Unlisted differences by the part of the answer."""
        return Counter(d.part for finding in self.unlisted for d, allowance in finding.differences if not allowance)
