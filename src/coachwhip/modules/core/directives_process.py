"""Directives of the process model that core has whatever the MPM: they set `ServerMpm`, which `coachwhip.mpm` acts on.

Source: Apache manual, "Apache MPM Common Directives"; sentences compared with 2.4.71.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from coachwhip.api.directives import Args, Directive, DirectiveContext, Where
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.values import leading_int, refuse

__all__ = ["PROCESS_ROWS"]


#: Said of both names of one directive.
COUNTED_LATE = "of event and worker up to 63 more: connections are accepted in bursts"
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def _path(context: DirectiveContext, word: str) -> str:
    return context.server_path(word)


def _count(context: DirectiveContext, word: str) -> int:
    return leading_int(context.directive, word)


def _folder(context: DirectiveContext, word: str) -> str:
    path = context.server_path(word)
    if not context.is_directory(path):
        raise refuse(f"CoreDumpDirectory {path} {'is not a directory' if context.exists(path) else 'does not exist'}")
    return path


def _kibibytes(context: DirectiveContext, word: str) -> int:
    value = leading_int(context.directive, word)
    if value < 0:
        raise refuse(f"Invalid {context.directive} value: {word}")
    return value


def _size(context: DirectiveContext, word: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12})([KMG]?)", word, re.ASCII | re.IGNORECASE)
    if found is None:
        raise refuse(f"{context.directive} must be a number of bytes, with K, M or G behind it or nothing")
    return int(found[1]) * _UNITS[found[2].lower()]


def _seconds(context: DirectiveContext, word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", word, re.ASCII):
        raise refuse(f"{context.directive} must be a number of seconds")
    return int(word)


def _row(name: str, field: str, read: Callable[[DirectiveContext, str], Any], help: str, differs: str = "") -> Directive:
    def value(context: DirectiveContext, word: str) -> None:
        context.set(ServerMpm, field, read(context, word))

    return Directive(name, args=Args.ONE, where=Where.SERVER, value=value, global_only=True, help=help, differs=differs)


PROCESS_ROWS = (
    _row("PidFile", "pid_file", _path, "where the parent's process id is written"),
    _row(
        "ScoreBoardFile", "scoreboard_file", _path, "the file of the shared counters", "accepted; the counters are in memory without a name"
    ),
    _row(
        "MaxConnectionsPerChild",
        "max_connections_per_child",
        _count,
        "connections until a process is replaced, 0 for never",
        COUNTED_LATE,
    ),
    _row("MaxRequestsPerChild", "max_connections_per_child", _count, "old name of MaxConnectionsPerChild", COUNTED_LATE),
    _row(
        "CoreDumpDirectory",
        "core_dump_directory",
        _folder,
        "the working folder of workers, for core dumps",
        "without it processes do not change their folder; the system decides whether a core dump is written",
    ),
    _row("MaxMemoryPerChild", "max_memory_per_child", _size, "resident bytes at which a process is replaced, with K, M or G; 0 for never"),
    _row("MaxAgePerChild", "max_age_per_child", _seconds, "seconds after which a process is replaced, 0 for never"),
    _row("MaxMemFree", "max_mem_free", _kibibytes, "KiB that an allocator may keep", "accepted; Python's allocator decides itself"),
    _row("ThreadStackSize", "thread_stack_size", _kibibytes, "bytes of a thread's stack", "accepted; threads have the system's stack"),
)
