"""The bars: how Coachwhip must compare, and whether a run met them. CPU per request, as a ratio of medians; lower is better."""

from __future__ import annotations

from dataclasses import dataclass

from coachwhip.bench.results import Run

__all__ = ["ABSOLUTE", "RATIOS", "Verdict", "judge"]

OURS = "coachwhip"
FLOOR = "floor"
#: A server that used less of its core than this was waiting for the generator.
BUSY = 0.9

#: Workload → the highest ratio to nginx and to Apache's event MPM.
RATIOS: dict[str, dict[str, float]] = {
    "page": {"nginx": 0.80, "apache": 0.22},
    "vary": {"nginx": 1.00, "apache": 0.27},
    "new": {"nginx": 0.90, "apache": 0.40},
    "burst": {"nginx": 0.90, "apache": 0.40},
    "medium": {"nginx": 0.95, "apache": 0.35},
    "304": {"nginx": 0.80, "apache": 0.25},
    "gzip": {"nginx": 0.10, "apache": 0.10},
    "htaccess": {"apache": 0.12},
    "1m": {"nginx": 1.10, "apache": 1.10},
    "1g": {"nginx": 1.10, "apache": 1.10},
}
#: Workload → (what is measured, unit, the highest value): bars that are no comparison.
ABSOLUTE: dict[str, tuple[str, str, float]] = {
    "miss": ("cpu_us", "µs per request", 150.0),
    "idle": ("bytes_per_connection", "bytes per idle connection", 4096.0),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar against one run."""

    workload: str
    #: "cpu nginx", "rate apache", "µs per request" and the like.
    what: str
    bar: float
    found: float
    #: None: cannot be judged; `text` says why.
    met: bool | None
    text: str
    #: The ratio for reading and writing alone, where that was measured: no server in Python can be lower.
    floor: float | None = None

    @property
    def is_below_floor(self) -> bool:
        """Whether not even reading and writing alone would meet this bar."""
        return self.floor is not None and self.floor > self.bar


def judge(run: Run) -> list[Verdict]:
    """All bars for which the run has figures, in the table's order."""
    verdicts: list[Verdict] = []
    for workload, bars in RATIOS.items():
        for other, bar in bars.items():
            ratio = run.ratio(workload, "cpu_us", OURS, other)
            if ratio is not None:
                floor = run.ratio(workload, "cpu_us", FLOOR, other)
                verdicts += [_at_most(workload, f"cpu {other}", bar, ratio, floor), _rate(run, workload, other, bar)]
    for workload, (what, unit, bar) in ABSOLUTE.items():
        row = run.row(workload, OURS)
        found = None if row is None else row.extra.get(what) if what in row.extra else row.median(what) if row.samples else None
        if found is not None:
            verdicts.append(_at_most(workload, unit, bar, found))
    return verdicts


def _at_most(workload: str, what: str, bar: float, found: float, floor: float | None = None) -> Verdict:
    """`floor`: what the same would be for reading and writing alone."""
    met = found <= bar
    text = "met" if met else _missed(found / bar - 1)
    return Verdict(workload, what, bar, found, met, text, floor)


def _rate(run: Run, workload: str, other: str, bar: float) -> Verdict:
    """Requests per second: at least one over the bar, where our server was the limit."""
    least = 1 / bar
    found = run.ratio(workload, "rate", OURS, other) or 0.0
    row = run.row(workload, OURS)
    busy = (row.median("busy") if row else None) or 0.0
    if found >= least:
        return Verdict(workload, f"rate {other}", least, found, True, "met")
    if busy < BUSY:
        text = f"not judged: the server was {busy:.0%} busy, so it was not the limit"
        return Verdict(workload, f"rate {other}", least, found, None, text)
    return Verdict(workload, f"rate {other}", least, found, False, _missed(1 - found / least))


def _missed(share: float) -> str:
    return f"missed by {share:.0%}" if share >= 0.005 else "missed by less than 1%"
