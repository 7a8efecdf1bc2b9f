"""The steps as one table: number, script, title in two languages, what it can do, where Coachwhip does it properly.

Tests compare it with the scripts; the measurements and the texts are made from it. It knows no sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
PACKAGE = FOLDER.parent / "src" / "coachwhip"


@dataclass(frozen=True, slots=True)
class Step:
    """One script. `properly` names files of Coachwhip, relative to its package."""

    number: int
    file: str
    title: str
    title_zh: str
    properly: tuple[str, ...] = ()
    keeps_alive: bool = False

    @property
    def key(self) -> str:
        """The name that figures are kept under, such as `04_fork`."""
        return self.file.removesuffix(".py")


STEPS = (
    Step(1, "01_string.py", "a string for everyone", "给所有人同一个字符串"),
    Step(2, "02_files.py", "files from a DocumentRoot", "从 DocumentRoot 读文件"),
    Step(3, "03_head.py", "a proper response head", "像样的响应头"),
    Step(4, "04_fork.py", "a process per connection", "每个连接一个进程"),
    Step(5, "05_reap.py", "children reaped, a longer queue", "回收子进程，加长队列"),
    Step(6, "06_prefork.py", "processes forked beforehand", "预先 fork 好的进程", ("mpm/parent.py", "mpm/children.py")),
    Step(7, "07_threads.py", "threads", "线程", ("mpm/worker.py",)),
    Step(8, "08_epoll.py", "one thread, many connections", "一个线程，许多连接", ("mpm/worker.py",)),
    Step(9, "09_keepalive.py", "keep-alive and a strict parser", "长连接与严格的解析器",
         ("protocol/http1.py", "connection/serve.py"), keeps_alive=True),
    Step(10, "10_sendfile.py", "the kernel sends the file", "由内核发送文件", ("connection/outbox.py",), keeps_alive=True),
    Step(11, "11_asyncio.py", "asyncio", "asyncio", ("connection/serve.py", "connection/timing.py"), keeps_alive=True),
    Step(12, "12_processes.py", "several processes on one port", "多个进程共用一个端口",
         ("mpm/listeners.py", "mpm/children.py"), keeps_alive=True),
    Step(13, "13_interned.py", "interned header lines", "驻留的头部行",
         ("connection/hot.py", "protocol/http1.py"), keeps_alive=True),
    Step(14, "14_replay.py", "replay", "重放", ("request/replay.py", "request/watch.py"), keeps_alive=True),
    Step(15, "15_coachwhip.py", "Coachwhip", "Coachwhip", ("cli/serve.py", "server.py"), keeps_alive=True),
)  # fmt: skip
