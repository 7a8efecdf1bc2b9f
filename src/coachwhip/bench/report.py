"""`BENCHMARKS.md` from a saved run: every figure in it comes out of the JSON, lost rows included."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from coachwhip.bench.bars import judge
from coachwhip.bench.results import Run
from coachwhip.bench.show import amount

__all__ = ["markdown"]


def markdown(run: Run, source: str) -> str:
    """The page. `source`: the name of the JSON file, for the line that says how the page was made."""
    text = files("coachwhip.bench").joinpath("report.md.j2").read_text(encoding="utf-8")
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=False)  # noqa: S701 -- Markdown
    environment.filters["amount"] = amount
    environment.filters["percent"] = lambda value: f"{value:.0%}"
    verdicts = judge(run)
    return environment.from_string(text).render(
        run=run, source=source, verdicts=verdicts, lost=[verdict for verdict in verdicts if verdict.met is False],
        titles={server.key: server.title for server in run.servers}, workloads={item.name: item for item in run.workloads},
    )  # fmt: skip
