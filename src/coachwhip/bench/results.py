"""What a run of the bench has found, as records and as JSON. Knows neither servers nor tools; reports and plots read only this."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coachwhip.bench.stats import Spread, spread

__all__ = ["BadResult", "Row", "Run", "Sample", "ServerFacts", "WorkloadFacts", "load", "save"]

FORMAT = 1


class BadResult(Exception):
    """A file that holds no run of the bench."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One server under one workload for one round."""

    requests: float
    seconds: float
    bytes: int
    errors: int
    #: CPU time of the server's process tree per request, microseconds.
    cpu_us: float
    #: Share of the server's core that was used, 0 to 1.
    busy: float
    p50_ms: float
    p99_ms: float
    pss_kib: int
    rss_kib: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Row:
    """One server under one workload."""

    workload: str
    server: str
    samples: list[Sample] = field(default_factory=list)
    #: Why there are no figures, or what is to be known about them.
    note: str = ""
    #: Figures of one workload only, e.g. bytes per idle connection.
    extra: dict[str, float] = field(default_factory=dict)

    def spread(self, what: str) -> Spread | None:
        """Median and spread of a field of the samples (or `rate`); None without samples."""
        return spread([float(getattr(sample, what)) for sample in self.samples]) if self.samples else None

    def median(self, what: str) -> float | None:
        """The median alone."""
        found = self.spread(what)
        return None if found is None else found.median


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server that took part."""

    key: str
    title: str
    version: str
    command: str
    conf: str
    note: str


@dataclass(frozen=True, slots=True)
class WorkloadFacts:
    """A workload as it was run."""

    name: str
    title: str
    tool: str
    connections: int


@dataclass(slots=True)
class Run:
    """One whole run."""

    started: str
    machine: dict[str, str]
    rounds: int
    seconds: int
    servers: list[ServerFacts] = field(default_factory=list)
    workloads: list[WorkloadFacts] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def row(self, workload: str, server: str) -> Row | None:
        """The row of a workload and server, if there is one."""
        return next((row for row in self.rows if row.workload == workload and row.server == server), None)

    def ratio(self, workload: str, what: str, server: str, to: str) -> float | None:
        """Median of one server over that of another; None if either is missing or the latter is 0."""
        mine, theirs = self.row(workload, server), self.row(workload, to)
        a = mine.median(what) if mine else None
        b = theirs.median(what) if theirs else None
        return a / b if a is not None and b else None


def save(run: Run, path: Path) -> None:
    """Write a run as JSON."""
    path.write_text(json.dumps({"format": FORMAT, **asdict(run)}, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """Read a run back.

    Raises:
        BadResult: the file cannot be read or holds something else.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise BadResult(f"{path}: written in another format; expected format {FORMAT}")
        data["servers"] = [ServerFacts(**facts) for facts in data["servers"]]
        data["workloads"] = [WorkloadFacts(**facts) for facts in data["workloads"]]
        data["rows"] = [Row(**{**row, "samples": [Sample(**sample) for sample in row["samples"]]}) for row in data["rows"]]
        return Run(**data)
    except OSError as error:
        raise BadResult(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadResult(f"{path}: expected the JSON that `coachwhip bench` saves") from None
