"""The numbers of an MPM, made to fit together: what Apache corrects with a warning before it starts.

Each correction sees what those before it made of the numbers. Sentences, numbers and order compared with 2.4.71.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.outcome import Outcome, Result
from coachwhip.api.phases import check_config
from coachwhip.api.server import Startup

__all__ = ["EVENT", "PREFORK", "WORKER", "correct_at_start", "corrected"]

DIRECTIVE = " To increase, please see the {} directive."
SPARE = " to avoid almost certain server failure. Please read the documentation."
_DIRECTIVE_OF = {
    "server_limit": "ServerLimit",
    "thread_limit": "ThreadLimit",
    "threads_per_child": "ThreadsPerChild",
    "max_request_workers": "MaxRequestWorkers",
    "start_servers": "StartServers",
    "min_spare_threads": "MinSpareThreads",
    "min_spare_servers": "MinSpareServers",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one MPM has been built with, and Apache's numbers of its warnings by what they are about."""

    most_servers: int
    most_threads: int
    #: Settings as they are where nothing is said.
    defaults: dict[str, int]
    #: Those that the process model decides then, by the machine.
    open: tuple[str, ...]
    log_ids: dict[str, str]


def _threaded(first: int, most_threads: int) -> Bounds:
    """event and worker have the same warnings, one behind the other from `first` on."""
    offsets = {
        "server_limit most": 0, "server_limit least": 2, "thread_limit most": 5, "thread_limit least": 7,
        "threads_per_child most": 10, "threads_per_child least": 12, "workers too few": 14, "workers uneven": 16,
        "workers too many": 18, "start_servers least": 20, "min_spare_threads least": 22,
    }  # fmt: skip
    defaults = {"server_limit": 16, "thread_limit": 64, "threads_per_child": 25}
    log_ids = {about: f"AH{first + offset:05}" for about, offset in offsets.items()}
    return Bounds(20000, most_threads, defaults, ("start_servers", "min_spare_threads"), log_ids)


EVENT = _threaded(497, 100000)
WORKER = _threaded(300, 20000)
PREFORK = Bounds(
    200000,
    1,
    {"server_limit": 256},
    ("start_servers", "min_spare_servers"),
    {
        "server_limit most": "AH00175",
        "server_limit least": "AH00177",
        "workers too many": "AH00180",
        "workers too few": "AH00182",
        "start_servers least": "AH00184",
        "min_spare_servers least": "AH00186",
    },
)


@dataclass(slots=True)
class _Numbers:
    """Numbers under correction."""

    bounds: Bounds
    values: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def warn(self, about: str, text: str) -> None:
        self.warnings.append(f"{self.bounds.log_ids[about]}: WARNING: {text}")

    def at_least_one(self, name: str, more: str = ".") -> None:
        if self.values[name] < 1:
            self.warn(f"{name} least", f"{_DIRECTIVE_OF[name]} of {self.values[name]} not allowed, increasing to 1{more}")
            self.values[name] = 1

    def at_most(self, name: str, most: int, what: str, unit: str, more: str = "") -> None:
        if self.values[name] > most:
            text = f"{_DIRECTIVE_OF[name]} of {self.values[name]} exceeds {what} of {most} {unit}, decreasing to {most}.{more}"
            self.warn(f"{name} most", text)
            self.values[name] = most


def corrected(conf: ServerMpm, bounds: Bounds) -> tuple[ServerMpm, list[str]]:
    """The settings with every number that the MPM uses, and what was changed, as Apache says it."""
    said = {
        "server_limit": conf.server_limit,
        "thread_limit": conf.thread_limit,
        "threads_per_child": conf.threads_per_child,
        "start_servers": conf.start_servers,
        "min_spare_threads": conf.min_spare_threads,
        "min_spare_servers": conf.min_spare_servers,
    }
    values = {name: default if (value := said[name]) is None else value for name, default in bounds.defaults.items()}
    numbers = _Numbers(bounds, values)
    numbers.at_most("server_limit", bounds.most_servers, "compile-time limit", "servers")
    numbers.at_least_one("server_limit")
    if "threads_per_child" in values:
        _correct_threads(numbers)
        _correct_threaded_workers(numbers, conf.max_request_workers)
    else:
        _correct_processes(numbers, conf.max_request_workers)
    for name, more in zip(bounds.open, (".", SPARE), strict=True):
        if (value := said[name]) is not None:
            numbers.values[name] = value
            numbers.at_least_one(name, more)
    changes: dict[str, int] = numbers.values
    return replace(conf, **changes), numbers.warnings  # type: ignore[arg-type]


def _correct_threads(numbers: _Numbers) -> None:
    numbers.at_most("thread_limit", numbers.bounds.most_threads, "compile-time limit", "threads")
    numbers.at_least_one("thread_limit")
    limit = numbers.values["thread_limit"]
    numbers.at_most("threads_per_child", limit, "ThreadLimit", "threads", DIRECTIVE.format("ThreadLimit"))
    numbers.at_least_one("threads_per_child")


def _correct_threaded_workers(numbers: _Numbers, said: int | None) -> None:
    """MaxRequestWorkers: a multiple of ThreadsPerChild, in no more processes than there may be. The default is 16 times 25."""
    threads, limit = numbers.values["threads_per_child"], numbers.values["server_limit"]
    workers = 400 if said is None else said
    if workers < threads:
        more = "MaxRequestWorkers must be at least as large as the number of threads in a single server."
        text = f"MaxRequestWorkers of {workers} is less than ThreadsPerChild of {threads}, increasing to {threads}. {more}"
        numbers.warn("workers too few", text)
        workers = threads
    servers = workers // threads
    if workers % threads:
        even = servers * threads
        text = f"MaxRequestWorkers of {workers} is not an integer multiple of ThreadsPerChild of {threads}, "
        numbers.warn("workers uneven", f"{text}decreasing to nearest multiple {even}, for a maximum of {servers} servers.")
        workers = even
    if servers > limit:
        text = f"MaxRequestWorkers of {workers} would require {servers} servers and would exceed ServerLimit of {limit}, "
        workers = limit * threads
        numbers.warn("workers too many", f"{text}decreasing to {workers}.{DIRECTIVE.format('ServerLimit')}")
    numbers.values["max_request_workers"] = workers


def _correct_processes(numbers: _Numbers, said: int | None) -> None:
    """MaxRequestWorkers of prefork: processes."""
    workers, limit = 256 if said is None else said, numbers.values["server_limit"]
    if workers > limit:
        text = f"MaxRequestWorkers of {workers} exceeds ServerLimit value of {limit} servers, "
        numbers.warn("workers too many", f"{text}decreasing MaxRequestWorkers to {limit}.{DIRECTIVE.format('ServerLimit')}")
        workers = limit
    elif workers < 1:
        numbers.warn("workers too few", f"MaxRequestWorkers of {workers} not allowed, increasing to 1.")
        workers = 1
    numbers.values["max_request_workers"] = workers


def correct_at_start(module: Module, bounds: Bounds) -> None:
    """Let this MPM correct its numbers when the configuration is checked; `startup.mpm` has them then."""

    def correct(startup: Startup) -> Result:
        startup.mpm, warnings = corrected(startup.main.config(ServerMpm), bounds)
        startup.warnings += warnings
        return Outcome.OK

    module.hook(check_config)(correct)
