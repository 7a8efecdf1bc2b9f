"""The blog's claims, each with what was measured and a verdict that the figures themselves decide.

The sentences are written once; which of them is printed depends on the figures, so a new measurement cannot leave an
old verdict standing.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

Figures = dict[str, Any]


def claims(figures: Figures, language: str) -> str:
    """Return the Markdown list of claims: what was said, what was measured, what is to be thought of it."""
    chosen = 1 if language == "zh" else 0
    labels = (("Measured", "Verdict"), ("实测", "结论"))[chosen]
    colon = (": ", "：")[chosen]
    lines = []
    for index, judge in enumerate(JUDGES, 1):
        said, measured, verdict = (sentences[chosen] for sentences in judge(figures))
        lines.append(f"{index}. **{said}**<br>{labels[0]}{colon}{measured}<br>*{labels[1]}{colon}{verdict}*")
    return "\n".join(lines)


Judgement = tuple[tuple[str, str], tuple[str, str], tuple[str, str]]


def figure(figures: Figures, key: str, name: str) -> float:
    """Return a median of one server; 0 if it was not measured."""
    return float(figures["servers"].get(key, {}).get(name, {}).get("median") or 0.0)


def string(figures: Figures) -> Judgement:
    """2,000 requests/s for the string."""
    rate, peak = figure(figures, "01_string", "blog_small"), figures["servers"]["01_string"].get("ab_peak")
    times = rate / 2000
    alone = peak == 1
    return (
        ("“About 2,000 requests a second for the string.”", "“只返回字符串，大约每秒 2000 个请求。”"),
        (
            f"{rate:,.0f} a second, {times:.1f} times as many."
            + (f" But `ab -c100` had {peak} connection under way at a time: before it starts the others, it waits for "
               "the head of the first response, and this server never sends one." if alone else ""),
            f"每秒 {rate:,.0f} 个，是 {times:.1f} 倍。"
            + (f"但是 `ab -c100` 同时只有 {peak} 个连接：它要等到第一个响应的头，才会发起其余连接，而这个服务器从不发头。"
               if alone else ""),
        ),
        (
            "the order is right for a slower machine; what was measured is one client after the other."
            if alone else "a matter of the machine.",
            "对慢一些的机器来说数量级不错；但测到的其实是一个接一个的客户端。" if alone else "取决于机器。",
        ),
    )  # fmt: skip


def files(figures: Figures) -> Judgement:
    """A quarter less when files are read."""
    string_cpu, files_cpu = (figure(figures, key, "close_small_cpu_us") for key in ("01_string", "02_files"))
    change = figure(figures, "02_files", "close_small") / figure(figures, "01_string", "close_small") - 1
    less = 1 - string_cpu / files_cpu
    if 0.15 <= less <= 0.35:
        verdict = ("confirmed.", "成立。")
    elif less > 0.35:
        verdict = ("it costs more than a quarter.", "损失不止四分之一。")
    else:
        verdict = ("it costs less than a quarter.", "损失不到四分之一。")
    return (
        ("“A quarter less when files are read.”", "“改成读文件，慢四分之一。”"),
        (
            f"{string_cpu:.0f} µs of processor time become {files_cpu:.0f} µs, so a core can do {less:.0%} less; the requests "
            f"that `ab` got through changed by {change:+.0%}.",
            f"处理器时间从 {string_cpu:.0f} 微秒变成 {files_cpu:.0f} 微秒，一个核能做的事少了 {less:.0%}；"
            f"`ab` 实际跑完的请求数变化 {change:+.0%}。",
        ),
        verdict,
    )


def faster(figures: Figures) -> Judgement:
    """A little faster than Apache below 1 KB."""
    said = ("“Still a little faster than Apache below 1 KB.”", "“1 KB 以下仍比 Apache 略快。”")
    apache, bare, headed = (figure(figures, key, "blog_small") for key in ("apache", "02_files", "03_head"))
    cpu = [figure(figures, key, "close_small_cpu_us") for key in ("apache", "03_head")]
    if not apache:
        return said, ("Apache was not installed.", "没有安装 Apache。"), ("not measured.", "没有测。")
    wins = (headed > apache, cpu[1] < cpu[0])
    if all(wins):
        verdict = ("confirmed, as long as one client at a time is enough.", "成立，只要一次只伺候一个客户端就够了。")
    elif any(wins):
        verdict = (
            "undecided: the short burst says one thing, the processor time another.",
            "难分高下：短促的突发是一个结果，处理器时间是另一个结果。",
        )
    else:
        verdict = ("refuted, once both send a proper head.", "不成立：两边都发送像样的头之后就不是这样了。")
    return (
        said,
        (
            f"`-n500 -c500`: step 2 {bare:,.0f}, step 3 {headed:,.0f}, Apache (event) {apache:,.0f} requests/s. "
            f"Processor time with `-c64`: step 3 {cpu[1]:.0f} µs, Apache {cpu[0]:.0f} µs a request.",
            f"`-n500 -c500`：步骤 2 {bare:,.0f}，步骤 3 {headed:,.0f}，Apache (event) {apache:,.0f} 请求/秒。"
            f"`-c64` 时每个请求的处理器时间：步骤 3 {cpu[1]:.0f} 微秒，Apache {cpu[0]:.0f} 微秒。",
        ),
        verdict,
    )


def headless(figures: Figures) -> Judgement:
    """51 KB cannot be served without a head."""
    reason = figures["servers"]["02_files"]["aborted"].get("blog_big", "")
    rate = figure(figures, "03_head", "blog_big")
    if reason:
        verdict = (
            "confirmed, but it was `ab` that failed. The server had sent every byte; `ab` looks for the end of a head in "
            "the first 8,191 bytes, and a shorter page passes only because the connection ends before that.",
            "现象成立，但失败的是 `ab`。服务器已经发完每一个字节；`ab` 要在前 8191 个字节里找到响应头的结尾，"
            "更短的页面能过关，只是因为连接先结束了。",
        )
    else:
        verdict = ("refuted: this `ab` bears it.", "不成立：这个版本的 `ab` 受得了。")
    return (
        ("“51 KB cannot be served without a proper head.”", "“没有像样的响应头，51 KB 的页面就发不出去。”"),
        (
            f"step 2: `{reason or 'no failure'}`; step 3, with a head: {rate:,.0f} requests/s.",
            f"步骤 2：`{reason or '没有失败'}`；步骤 3 加上头之后：{rate:,.0f} 请求/秒。",
        ),
        verdict,
    )


def forked(figures: Figures) -> Judgement:
    """106 requests/s with fork."""
    accused, requests = figures["fork"]["accused"], figures["fork"]["requests"]
    quick, slow = accused["5 fork leave _exit"]["per_second"], accused["511 fork leave exit"]["per_second"]
    stuck = accused["5 fork leave exit"]
    ends = (
        (f"aborted after {stuck['completed']:.0f} of {requests}", f"应答 {requests} 个中的 {stuck['completed']:.0f} 个之后中止")
        if not stuck["per_second"]
        else (f"{stuck['per_second']:,.0f}", f"{stuck['per_second']:,.0f} 个")
    )
    near = 0.5 <= slow / 106 <= 2
    return (
        ("“106 requests a second with fork.”", "“用 fork 之后，每秒 106 个请求。”"),
        (
            f"{quick:,.0f} when the child ends with `os._exit(0)`; {slow:,.0f} when it ends with `sys.exit(0)` and the queue is "
            f"long; with `sys.exit(0)` and `listen(5)`: {ends[0]}.",
            f"子进程用 `os._exit(0)` 结束时 {quick:,.0f} 个；用 `sys.exit(0)` 结束而队列够长时 {slow:,.0f} 个；"
            f"`sys.exit(0)` 加 `listen(5)`：{ends[1]}。",
        ),
        (
            "the figure fits children that end by `sys.exit` or with the script."
            if near
            else "not met here; how a child ends decides more than anything else.",
            "这个数字与“子进程用 `sys.exit` 结束或跑完脚本自然退出”相符。" if near else "这里测不到这个数；影响最大的是子进程怎样结束。",
        ),
    )


def culprit(figures: Figures) -> Judgement:
    """Is fork the culprit?"""
    fork = figures["fork"]
    quick, apart = fork["by_exit"]["_exit"], fork["by_exit"]["exit"]
    call, life, slow = median(quick["call_us"]), median(quick["life_us"]), median(apart["life_us"])
    among = median(fork["among_zombies"]["life_us"])
    accused = {key: seen["per_second"] for key, seen in fork["accused"].items()}
    queue = accused["511 fork leave _exit"] / accused["5 fork leave _exit"] - 1
    dead = accused["511 fork reap _exit"] / accused["511 fork leave _exit"] - 1
    harmless = abs(dead) < 0.15 and among / life < 1.25
    alone, forking = accused["511 one leave _exit"], accused["511 fork leave _exit"]
    stuck, brief = fork["accused"]["5 fork leave exit"], fork["accused"]["5 fork leave _exit"]
    return (
        ("“`os.fork` is what makes it slow.”", "“慢就慢在 `os.fork`。”"),
        (
            f"without fork {alone:,.0f} requests/s, with it {forking:,.0f}. The call takes {call:.0f} µs, a child's whole life "
            f"{life:.0f} µs with {quick['child_faults']:.0f} page faults; with `sys.exit` {slow:,.0f} µs with "
            f"{apart['child_faults']:,.0f}. A queue of 511 instead of 5 changes the throughput by {queue:+.0%}, reaping by "
            f"{dead:+.0%}; among {fork['zombies']:,} zombies a child costs {among:,.0f} µs. "
            f"SYNs repeated with `listen(5)`: {brief['TCPSynRetrans']:,.0f} with `_exit`, {stuck['TCPSynRetrans']:,.0f} with "
            "`sys.exit`.",
            f"不 fork 时 {alone:,.0f} 请求/秒，fork 时 {forking:,.0f}。调用本身 {call:.0f} 微秒，子进程一生 {life:.0f} 微秒、"
            f"{quick['child_faults']:.0f} 次缺页；用 `sys.exit` 则是 {slow:,.0f} 微秒、{apart['child_faults']:,.0f} 次。"
            f"队列从 5 加到 511，吞吐量变化 {queue:+.0%}；回收子进程，变化 {dead:+.0%}；"
            f"身边有 {fork['zombies']:,} 个僵尸时，一个子进程 {among:,.0f} 微秒。"
            f"`listen(5)` 时重发的 SYN：`_exit` {brief['TCPSynRetrans']:,.0f} 个，`sys.exit` {stuck['TCPSynRetrans']:,.0f} 个。",
        ),
        (
            f"yes, but it had help: forking makes a request {alone / forking:.0f} times dearer, and an interpreter that takes "
            f"itself apart makes a child {slow / life:.0f} times dearer again. "
            + ("Zombies do not count. " if harmless else "Zombies count as well. ")
            + ("The queue of 5 does not count while the burst is over in a second, and ruins everything when it is not."
               if not stuck["per_second"] else "The queue of 5 costs waiting, not throughput."),
            f"是它，但有帮凶：fork 使一个请求贵了 {alone / forking:.0f} 倍，解释器的自我拆除又使一个子进程再贵 "
            f"{slow / life:.0f} 倍。" + ("僵尸没有影响。" if harmless else "僵尸也有影响。")
            + ("长度为 5 的队列，在一秒之内能结束的突发里没有影响，超过一秒就毁掉一切。"
               if not stuck["per_second"] else "长度为 5 的队列增加的是等待，不是吞吐量的损失。"),
        ),
    )  # fmt: skip


JUDGES: tuple[Callable[[Figures], Judgement], ...] = (string, files, faster, headless, forked, culprit)
