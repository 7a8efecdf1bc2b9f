"""Charts of a run, as SVG and PNG: CPU per request against the others, requests per second, scaling, memory of idle connections.

Needs matplotlib (`pip install 'coachwhip[bench]'`), which is imported when a chart is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from coachwhip.bench.results import Run

__all__ = ["NoPlots", "draw"]

_COLOURS = {"coachwhip": "#1b7f5c", "nginx": "#8a94a6", "apache": "#c9a227"}
_OTHERS = ("#5b7db1", "#a86a8f", "#6b6b6b", "#b5651d", "#7fa650", "#4aa3a2", "#996699")
_SCALING = "open-"
#: Bars of ratios end here, so that one workload does not make the others unreadable; their figure still says how long they are.
_LONGEST = 2.0
_STYLE: Any = {
    "font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "svg.hashsalt": "coachwhip", "figure.dpi": 100, "savefig.dpi": 200, "savefig.bbox": "tight", "legend.frameon": False,
}  # fmt: skip


class NoPlots(Exception):
    """matplotlib is not installed."""


def draw(run: Run, folder: Path) -> list[Path]:
    """Draw what the run has figures for; returns the files written.

    Raises:
        NoPlots: the extra `bench` is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise NoPlots("charts need matplotlib: pip install 'coachwhip[bench]'") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    written: list[Path] = []
    with matplotlib.rc_context(_STYLE):
        for name, make in _CHARTS.items():
            figure = make(run, pyplot)
            if figure is None:
                continue
            for kind in ("svg", "png"):
                path = folder / f"{name}.{kind}"
                figure.savefig(path, metadata={"Date": None} if kind == "svg" else None)
                written.append(path)
            pyplot.close(figure)
    return written


def _colour(run: Run, key: str) -> str:
    others = [server.key for server in run.servers if server.key not in _COLOURS]
    return _COLOURS.get(key) or _OTHERS[others.index(key) % len(_OTHERS)]


def _bars(run: Run, plt: Any, value: Callable[[str, str], float | None], title: str, label: str, reference: bool) -> Any:
    """Grouped horizontal bars: workloads down, servers beside each other."""
    names = [w for w in run.workloads if not w.name.startswith((_SCALING, "idle")) and any(value(w.name, s.key) for s in run.servers)]
    if not names:
        return None
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.17 * len(names) * (len(run.servers) + 1)), layout="constrained")
    height = 0.85 / len(run.servers)
    longest = _LONGEST if reference else float("inf")
    for number, server in enumerate(run.servers):
        points = [(at, found) for at, w in enumerate(names) if (found := value(w.name, server.key)) is not None]
        places = [at + number * height for at, _ in points]
        lengths = [min(found, longest) for _, found in points]
        drawn = axes.barh(places, lengths, height * 0.92, label=server.title, color=_colour(run, server.key))
        axes.bar_label(drawn, [_figure(found, longest) for _, found in points], padding=3, fontsize=8)
    axes.set_ylim(-height, len(names) - 0.15)
    axes.set_yticks([at + height * (len(run.servers) - 1) / 2 for at in range(len(names))], [w.title for w in names])
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.set_title(title, pad=14)
    if reference:
        axes.axvline(1, color="#444444", linewidth=0.8, linestyle=":")
    figure.legend(loc="outside lower center", ncol=min(len(run.servers), 6))
    return figure


def _figure(value: float, longest: float) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
    return f"{text} ▸" if value > longest else text


def _ratios(run: Run, plt: Any) -> Any:
    base = next((key for key in ("apache", "nginx") if any(server.key == key for server in run.servers)), None)
    if base is None:
        return None
    title = next(server.title for server in run.servers if server.key == base)
    return _bars(
        run, plt, lambda workload, server: run.ratio(workload, "cpu_us", server, base), f"CPU per request, {title} = 1 (less is better)",
        "ratio of medians", True,
    )  # fmt: skip


def _rates(run: Run, plt: Any) -> Any:
    figure = _bars(
        run, plt, lambda workload, server: row.median("rate") if (row := run.row(workload, server)) else None,
        "Requests per second, one core each (more is better)", "requests per second, logarithmic", False,
    )  # fmt: skip
    if figure is not None:
        figure.axes[0].set_xscale("log")
    return figure


def _scaling(run: Run, plt: Any) -> Any:
    steps = sorted((w.connections, w.name) for w in run.workloads if w.name.startswith(_SCALING))
    if len(steps) < 2:
        return None
    figure, both = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for axes, what, title in zip(both, ("rate", "cpu_us"), ("Requests per second", "CPU µs per request"), strict=True):
        for server in run.servers:
            points = [(n, m) for n, name in steps if (row := run.row(name, server.key)) and (m := row.median(what)) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", label=server.title, color=_colour(run, server.key))
        axes.set_xscale("log")
        axes.set_xticks([n for n, _ in steps], [f"{n:,}" for n, _ in steps])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("open connections")
        axes.set_title(title)
    figure.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncol=min(len(run.servers), 6))
    return figure


def _idle(run: Run, plt: Any) -> Any:
    rows = [row for row in run.rows if "bytes_per_connection" in row.extra]
    if not rows:
        return None
    titles = {server.key: server.title for server in run.servers}
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.5 * len(rows)))
    values = [row.extra["bytes_per_connection"] / 1024 for row in rows]
    drawn = axes.barh([titles[row.server] for row in rows], values, color=[_colour(run, row.server) for row in rows])
    axes.bar_label(drawn, [f"{value:.1f}" for value in values], padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("KiB")
    axes.set_title("Memory per idle connection (less is better)")
    return figure


_CHARTS: dict[str, Callable[[Run, Any], Any]] = {"cpu": _ratios, "rate": _rates, "scaling": _scaling, "idle": _idle}
