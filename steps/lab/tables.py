"""The tables of the two READMEs, made from the stored figures; each is a function of the figures and the language.

Nothing here measures, and nothing reads a file. A figure that is missing (a server that was not installed) is a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from steps.lab.catalogue import STEPS

Figures = dict[str, Any]

#: what is said in each language, English and Chinese
SAID = {
    "server": ("server", "服务器"),
    "blog_small": ("`-n500 -c500`, small", "`-n500 -c500`，小页"),
    "blog_big": ("the same, 52 KB", "同上，52 KB"),
    "close": ("new connections", "每次新建连接"),
    "keep": ("keep-alive", "长连接"),
    "per_second": ("requests/s", "请求/秒"),
    "cpu": ("CPU µs", "CPU 微秒"),
    "memory": ("MiB", "MiB"),
    "aborted": ("aborted", "中止"),
    "calls": ("system calls per request (≥ 0.05), new connections", "每个请求的系统调用（≥ 0.05 次），每次新建连接"),
    "sum": ("sum", "合计"),
    "setting": ("setting", "设置"),
    "longest": ("longest wait, ms", "最长等待，毫秒"),
    "overflows": ("listen queue full", "监听队列满"),
    "resent": ("SYNs repeated", "重发的 SYN"),
    "timeouts": ("TCP time-outs", "TCP 超时"),
    "answered": ("answered", "已应答"),
    "life": ("life of a child, µs", "子进程一生，微秒"),
    "call": ("the call alone, µs", "仅 fork 调用，微秒"),
    "faults": ("page faults of the child", "子进程缺页"),
    "memory_of": ("the same, a process {} MiB larger", "同上，进程大 {} MiB"),
    "silent_1": ("1 silent", "1 个沉默"),
    "silent_100": ("100 silent", "100 个沉默"),
    "half_200": ("200 with half a head", "200 个只发半个头"),
    "among": ("the same among {:,} zombies", "同上，身边有 {:,} 个僵尸"),
    "file": ("script", "脚本"),
    "new": ("new", "新内容"),
    "properly": ("properly", "做到位的"),
}
WORDS = {language: {key: said[index] for key, said in SAID.items()} for index, language in enumerate(("en", "zh"))}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first hold numbers and are set flush right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def title(server: Figures, language: str) -> str:
    """Return a server's name in one language."""
    return str(server["title_zh" if language == "zh" else "title"])


def number(server: Figures, name: str) -> str:
    """Return the median of one figure, or a dash."""
    value = server.get(name, {}).get("median")
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def loads(figures: Figures, language: str) -> str:
    """Throughput, processor time and memory of every server."""
    words = WORDS[language]
    head = [words["server"], words["blog_small"], words["blog_big"]]
    head += [f"{words[way]}: {words[unit]}" for way in ("close", "keep") for unit in ("per_second", "cpu")]
    rows = []
    for server in figures["servers"].values():
        row = [title(server, language)]
        row += [words["aborted"] if name in server["aborted"] else number(server, name) for name in ("blog_small", "blog_big")]
        row += [number(server, f"{way}_small{unit}") for way in ("close", "keep") for unit in ("", "_cpu_us")]
        rows.append([*row, number(server, "memory_mib")])
    return table([*head, words["memory"]], rows)


def large(figures: Figures, language: str) -> str:
    """The same for the page of 52,000 bytes."""
    words = WORDS[language]
    units = [(way, unit) for way in ("close", "keep") for unit in ("per_second", "cpu")]
    head = [words["server"], *(f"{words[way]}: {words[unit]}" for way, unit in units)]
    rows = [
        [title(server, language), *(number(server, f"{way}_big{unit}") for way in ("close", "keep") for unit in ("", "_cpu_us"))]
        for server in figures["servers"].values()
    ]
    return table(head, rows)


def calls(figures: Figures, language: str) -> str:
    """What strace counts, most frequent first."""
    words = WORDS[language]
    rows = []
    for server in figures["servers"].values():
        counted = server.get("calls_close", {})
        order = sorted(counted.items(), key=lambda item: -item[1])
        listed = " · ".join(name if 0.9 <= count <= 1.1 else f"{name} {count:.{0 if count >= 10 else 1}f}" for name, count in order)
        kept = sum(server["calls_keep"].values()) if "calls_keep" in server else None
        sums = [f"{sum(counted.values()):.0f}" if counted else "–", "–" if kept is None else f"{kept:.1f}"]
        rows.append([title(server, language), *sums, listed or "–"])
    head = [words["server"], f"{words['sum']}, {words['close']}", f"{words['sum']}, {words['keep']}", words["calls"]]
    return table(head, rows)


def slow(figures: Figures, language: str) -> str:
    """What is left of the throughput for the others."""
    words = WORDS[language]
    names = ("silent_1", "silent_100", "half_200")
    rows = [[title(server, language), *(f"{min(server['slow'][name], 1):.0%}" for name in names)] for server in figures["servers"].values()]
    return table([words["server"], *(words[name] for name in names)], rows)


def suspects(figures: Figures, language: str) -> str:
    """The fork affair under load: one switch after the other."""
    words = WORDS[language]
    rows = []
    for key, seen in figures["fork"]["accused"].items():
        backlog, work, fate, ending = key.split()
        parts = [f"`listen({backlog})`"]
        if work == "fork":
            exits = "`os._exit(0)`" if ending == "_exit" else "**`sys.exit(0)`**"
            parts = ["`os.fork`", f"`listen({backlog})`", "`waitpid`" if fate == "reap" else "zombies", exits]
        rate = f"{seen['per_second']:,.0f}" if seen["per_second"] else words["aborted"]
        counted = [f"{seen[name]:,.0f}" for name in ("completed", "ListenOverflows", "TCPSynRetrans", "TCPTimeouts")]
        rows.append([", ".join(parts), rate, f"{seen['longest_ms']:,.0f}" if seen["per_second"] else "–", *counted])
    head = [words[name] for name in ("setting", "per_second", "longest", "answered", "overflows", "resent", "timeouts")]
    return table(head, rows)


def forks(figures: Figures, language: str) -> str:
    """The cost of a fork alone: by memory, by the way of ending, by what becomes of the dead."""
    words, fork = WORDS[language], figures["fork"]
    rows = [
        ("`fork`, `_exit`, `waitpid`", fork["by_exit"]["_exit"]),
        *((words["memory_of"].format(size), seen) for size, seen in fork["by_memory"].items() if size != "0"),
        (words["among"].format(fork["zombies"]), fork["among_zombies"]),
        ("`fork`, **`sys.exit`**, `waitpid`", fork["by_exit"]["exit"]),
    ]
    told = [
        [name, f"{median(seen['call_us']):,.0f}", f"{median(seen['life_us']):,.0f}", f"{seen['child_faults']:,.0f}"] for name, seen in rows
    ]
    return table([words["setting"], words["call"], words["life"], words["faults"]], told)


def steps(_: Figures, language: str) -> str:
    """The table of contents."""
    words = WORDS[language]
    rows = []
    for step in STEPS:
        properly = ", ".join(f"[{name}](../src/coachwhip/{name})" for name in step.properly)
        name = step.title_zh if language == "zh" else step.title
        rows.append(f"| {step.number} | [{step.file}]({step.file}) | {name} | {properly or '–'} |")
    head = f"| | {words['file']} | {words['new']} | {words['properly']} |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def machine(figures: Figures, language: str) -> str:
    """One paragraph on what was measured where."""
    told, scale = figures["machine"], figures["scale"]
    programs = ", ".join(name for name in (f"Python {told['python']}", told["apache"], told["nginx"]) if name)
    if language == "zh":
        pinned = "服务器绑定一个核，`ab` 绑定另一个" if told["pinned"] else "没有绑定处理器核"
        return (
            f"{told['processor']}，{told['cores']} 核，{told['system']}；{programs}。{pinned}；"
            f"{scale['rounds']} 轮交错进行，每项 {scale['seconds']} 秒，表中为中位数；全程 {figures['minutes']:.0f} 分钟。"
        )
    pinned = "the server on one core, `ab` on the other" if told["pinned"] else "no pinning to cores"
    return (
        f"{told['processor']}, {told['cores']} cores, {told['system']}; {programs}. Interleaved rounds: {scale['rounds']}, "
        f"{scale['seconds']} s for each load, {pinned}; medians; {figures['minutes']:.0f} minutes in all."
    )


TABLES: dict[str, Callable[[Figures, str], str]] = {
    function.__name__: function for function in (loads, large, calls, slow, suspects, forks, steps, machine)
}
