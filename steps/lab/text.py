"""Fill the marked places of the READMEs from the stored figures, and draw the plots.

Two kinds of mark, both invisible when the page is rendered:

    <!-- figures: NAME --> … <!-- end -->       a table of `tables` or the list of `claims`
    <!--= PATH FORMAT -->…<!--/-->              one figure: keys joined by dots; `PATH / PATH` is a ratio
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

from steps.lab.catalogue import FOLDER
from steps.lab.claims import claims
from steps.lab.plan import RESULTS
from steps.lab.plots import Row, bars, colour_table
from steps.lab.tables import TABLES, WORDS, Figures, title

READMES = {"en": FOLDER / "README.md", "zh": FOLDER / "README.zh.md"}
BLOCK = re.compile(r"(<!-- figures: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
INLINE = re.compile(r"(<!--= ([^>]+?) ([^ >]+) -->)[^<]*(<!--/-->)")
MAKERS = {**TABLES, "claims": claims}
COMPETITORS = ("apache", "nginx", "15_coachwhip")


def look_up(figures: Figures, path: str) -> float:
    """Return one figure by its path (`servers.03_head.close_small.median`); of a list the median; `A / B` is a ratio."""
    if " / " in path:
        above, _, below = path.partition(" / ")
        return look_up(figures, above) / look_up(figures, below)
    value: Any = figures
    for key in path.split("."):
        value = value[key]
    return float(median(value) if isinstance(value, list) else value)


def figure(figures: Figures, path: str, style: str) -> str:
    """Return one figure as text; a dash for a server that was not there when the others were measured."""
    try:
        return f"{look_up(figures, path):{style}}"
    except KeyError as missing:
        if missing.args[0] in COMPETITORS:
            return "–"
        raise


def fill(page: str, figures: Figures, language: str) -> str:
    """Return the page with all its marks filled; raise KeyError for a mark that names nothing."""
    page = BLOCK.sub(lambda mark: f"{mark[1]}{MAKERS[mark[2]](figures, language)}\n{mark[3]}", page)
    return INLINE.sub(lambda mark: f"{mark[1]}{figure(figures, mark[2], mark[3])}{mark[4]}", page)


#: name → language → title, note, and what is said to the reader of each series.
PLOTS: dict[str, dict[str, tuple[str, ...]]] = {
    "throughput": {
        "en": ("Requests per second, small page", "ab -c64; more is better", "new connections", "keep-alive"),
        "zh": ("每秒请求数，小页面", "ab -c64；越大越好", "每次新建连接", "长连接"),
    },
    "cpu": {
        "en": ("Processor time per request, small page", "µs, logarithmic; less is better", "new connections", "keep-alive"),
        "zh": ("每个请求的处理器时间，小页面", "微秒，对数刻度；越小越好", "每次新建连接", "长连接"),
    },
    "calls": {
        "en": ("System calls per request", "strace -c; logarithmic; less is better", "new connections", "keep-alive"),
        "zh": ("每个请求的系统调用次数", "strace -c；对数刻度；越少越好", "每次新建连接", "长连接"),
    },
    "slow": {
        "en": ("What slow clients leave to the others", "share of the undisturbed throughput, 16 quick clients"),
        "zh": ("慢客户端给别人留下多少", "相对于不受干扰时的吞吐量，16 个快客户端"),
    },
    "fork": {
        "en": ("What a child costs from its fork to its end", "µs; less is better"),
        "zh": ("一个子进程从 fork 到结束的代价", "微秒；越小越好"),
    },
}


def draw(figures: Figures, language: str) -> dict[str, str]:
    """Return file name → SVG of all plots in one language."""
    servers, fork = figures["servers"].values(), figures["fork"]

    def pairs(suffix: str) -> list[Row]:
        names = [f"{way}_small{suffix}" for way in ("close", "keep")]
        return [(title(s, language), [s.get(name, {}).get("median") or None for name in names]) for s in servers]

    sums = [sum(s[way].values()) if way in s else None for s in servers for way in ("calls_close", "calls_keep")]
    counted: list[Row] = [(title(s, language), sums[2 * n : 2 * n + 2]) for n, s in enumerate(servers)]
    kinds = ("silent_1", "silent_100", "half_200")
    children = {
        "fork + _exit": fork["by_exit"]["_exit"],
        **{f"fork + _exit, +{size} MiB": seen for size, seen in fork["by_memory"].items() if size != "0"},
        "fork + sys.exit": fork["by_exit"]["exit"],
        "fork + _exit, zombies": fork["among_zombies"],
    }
    lives: list[Row] = [(name, [median(seen["life_us"])]) for name, seen in children.items()]
    words = {name: told[language] for name, told in PLOTS.items()}
    left = [(title(s, language), [s["slow"][kind] for kind in kinds]) for s in servers]
    drawn = {
        "throughput": bars(words["throughput"], pairs("")),
        "cpu": bars(words["cpu"], pairs("_cpu_us"), logarithmic=True),
        "calls": bars(words["calls"], counted, logarithmic=True),
        "slow": colour_table(words["slow"], [WORDS[language][kind] for kind in kinds], left),
        "fork": bars(words["fork"], lives),
    }
    suffix = "" if language == "en" else f".{language}"
    return {f"{name}{suffix}.svg": svg for name, svg in drawn.items()}


def everything() -> dict[Path, str]:
    """Return what each generated file ought to contain now."""
    figures = json.loads(RESULTS.read_text())
    made = {}
    for language, readme in READMES.items():
        made[readme] = fill(readme.read_text(), figures, language)
        made.update({RESULTS.with_name(name): svg for name, svg in draw(figures, language).items()})
    return made


def write_all() -> None:
    """Write all generated files."""
    for path, content in everything().items():
        path.write_text(content)
