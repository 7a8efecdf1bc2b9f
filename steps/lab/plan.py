"""What is measured, and in which order: rounds in which every server has its turn, so that drift meets all alike.

The result is one JSON object; `text` and `plots` are made from it and from nothing else. No figure is written by hand.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from steps.lab.catalogue import FOLDER
from steps.lab.cost import count_calls, cpu_seconds, memory_mib
from steps.lab.forking import SUSPECTS, accuse, time_forks
from steps.lab.load import Load, ab, peak_connections, slow_clients
from steps.lab.servers import Live, Server, contestants, find_program, running

RESULTS = FOLDER / "results" / "measured.json"
SMALL, BIG = "/index.html", "/big.html"
SLOW = {"silent_1": (1, b""), "silent_100": (100, b""), "half_200": (200, b"GET /index.html HT")}


@dataclass(frozen=True, slots=True)
class Scale:
    """How much to measure.

    A steady load lasts `seconds`, or `requests` if that is not 0; `traced` requests are made under strace; `forks` are
    timed; each of the `suspects` of the fork affair gets `accused` requests; `slow` names kinds of slow clients.
    """

    rounds: int
    seconds: int
    requests: int
    traced: int
    forks: int
    accused: int
    suspects: tuple[str, ...] = SUSPECTS
    slow: tuple[str, ...] = tuple(SLOW)

    def load(self, port: int, target: str, concurrency: int, keep: bool = False, patience: int = 2) -> Load:
        """Put a steady load on a port."""
        return ab(port, target, concurrency, seconds=self.seconds, requests=self.requests, keep=keep, patience=patience)


FULL = Scale(rounds=3, seconds=1, requests=0, traced=400, forks=2000, accused=500)
QUICK = Scale(1, 0, requests=200, traced=40, forks=100, accused=50, suspects=SUSPECTS[:4], slow=("silent_100",))

Figures = dict[str, list[float]]


def measure(scale: Scale, only: Iterable[str] = (), say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure everything (or only the servers named by their keys); return what is to be stored."""
    begun = time.monotonic()
    servers = {server.key: server for server in contestants() if not only or server.key in only}
    rounds: dict[str, Figures] = {key: {} for key in servers}
    aborted: dict[str, dict[str, str]] = {key: {} for key in servers}
    left_out: dict[str, str] = {}
    for number in range(scale.rounds):
        for server in list(servers.values()) if number % 2 == 0 else reversed(list(servers.values())):
            say(f"round {number + 1} of {scale.rounds}: {server.title}")
            try:
                with running(server) as live:
                    one_round(live, scale, rounds[server.key], aborted[server.key])
            except RuntimeError as error:  # it does not start
                say(f"left out: {error}")
                left_out[server.key] = str(error)
                del servers[server.key]
    once = {}
    for server in servers.values():
        say(f"slow clients, system calls: {server.title}")
        once[server.key] = {"slow": slow(server, scale), **calls(server, scale)}
    say("the fork experiment")
    return {
        "machine": machine(),
        "scale": asdict(scale),
        "left_out": left_out,
        "servers": {
            server.key: {
                "title": server.title,
                "title_zh": server.title_zh,
                **{name: summary(values) for name, values in rounds[server.key].items()},
                "aborted": aborted[server.key],
                **once[server.key],
            }
            for server in servers.values()
        },
        "fork": fork_experiment(scale),
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }


def summary(values: list[float]) -> dict[str, float]:
    """Return median, least and greatest of one figure over the rounds."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def one_round(live: Live, scale: Scale, figures: Figures, aborted: dict[str, str]) -> None:
    """Give one server the blog's two loads, then steady ones with and without keep-alive."""

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    for size, target in (("small", SMALL), ("big", BIG)):
        load = ab(live.port, target, 500, requests=500, patience=10)
        note(f"blog_{size}", load.per_second)
        note(f"blog_{size}_failed", load.failed)
        if load.aborted:
            aborted[f"blog_{size}"] = load.aborted
            continue  # a longer run would be aborted as well
        for way, keep in (("close", False), ("keep", True)):
            if keep and not live.server.keeps_alive:
                continue
            before = cpu_seconds(live.session)
            load = scale.load(live.port, target, 64, keep)
            spent = cpu_seconds(live.session) - before
            note(f"{way}_{size}", load.per_second)
            if load.per_second:
                note(f"{way}_{size}_cpu_us", 1e6 * spent / load.requests)
            if load.aborted:
                aborted[f"{way}_{size}"] = load.aborted
    note("memory_mib", memory_mib(live.session))


def slow(server: Server, scale: Scale) -> dict[str, float]:
    """Return what is left of the throughput (1: all of it) for 16 others while some clients do not get on."""
    left = {}
    for kind in scale.slow:
        count, beginning = SLOW[kind]
        with running(server) as live:
            undisturbed = scale.load(live.port, SMALL, 16).per_second
            with slow_clients(live.port, count, beginning):
                disturbed = scale.load(live.port, SMALL, 16, patience=1).per_second
        left[kind] = disturbed / undisturbed if undisturbed else 0.0
    return left


def calls(server: Server, scale: Scale) -> dict[str, Any]:
    """Return system calls per request, by name, without and (where the server can) with keep-alive; `ab`'s own peak."""
    found: dict[str, Any] = {}
    for way in ("calls_close", "calls_keep") if server.keeps_alive else ("calls_close",):
        with running(server) as live:
            work = partial(ab, live.port, SMALL, 4, requests=scale.traced, keep=way == "calls_keep")
            counted = count_calls(live.session, work)
            found["ab_peak"] = peak_connections(live.port, 100)
        if counted:
            found[way] = {name: round(value, 2) for name, value in counted.items() if value >= 0.05}
    return found


def fork_experiment(scale: Scale) -> dict[str, Any]:
    """Measure each suspect of the fork affair apart from the others."""
    accused: dict[str, Figures] = {suspect: {} for suspect in scale.suspects}
    for _ in range(scale.rounds):
        for suspect, seen in accused.items():
            for name, value in accuse(suspect, scale.accused).items():
                seen.setdefault(name, []).append(value)
    return {
        "requests": scale.accused,
        "accused": {key: {name: median(values) for name, values in seen.items()} for key, seen in accused.items()},
        "by_memory": {str(size): time_forks(scale.forks // 4, ballast_mib=size) for size in (0, 64, 256)},
        "by_exit": {ending: time_forks(scale.forks // 4, ending=ending) for ending in ("_exit", "exit")},
        "zombies": scale.forks,
        "among_zombies": time_forks(scale.forks // 4, zombies=scale.forks),
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, system, versions of all that took part."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return {
        "processor": model.partition(":")[2].strip() or platform.machine(),
        "cores": os.cpu_count(),
        "pinned": bool(shutil.which("taskset")) and (os.cpu_count() or 1) > 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "apache": version("apache2", "-v"),
        "nginx": version("nginx", "-v"),
        "ab": version("ab", "-V"),
        "strace": version("strace", "-V"),
    }


def version(program: str, option: str) -> str:
    """Return the first line that a program says of its version; empty if it is not installed."""
    path = find_program(program)
    if not path:
        return ""
    done = subprocess.run([path, option], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0].removeprefix("Server version: ").removeprefix("nginx version: ")


def as_json(result: dict[str, Any]) -> str:
    """Return the result as text in which two runs can be compared line by line."""
    return json.dumps(rounded(result), indent=1, ensure_ascii=False) + "\n"


def store(result: dict[str, Any], path: Path = RESULTS) -> None:
    """Write the result where the texts and plots look for it."""
    path.write_text(as_json(result))


def rounded(value: Any) -> Any:
    """Return the same with four significant digits: more would be noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def say_progress(line: str) -> None:
    """Print progress at once, beside the results and not among them."""
    print(line, file=sys.stderr, flush=True)
