"""Directives of the process model that core has whatever the MPM: they set `ServerMpm`, which `coachwhip.mpm` acts on.

Source: Apache manual, "Apache MPM Common Directives"; sentences compared with 2.4.71.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coachwhip.api.directives import Args, Directive, DirectiveContext, Where
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.values import leading_int, refuse

__all__ = ["PROCESS_ROWS"]


#: Said of both names of one directive.
NEVER_REPLACED = "accepted; a worker process is not replaced until the next reload"


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


def _row(name: str, field: str, read: Callable[[DirectiveContext, str], Any], help: str, differs: str = "") -> Directive:
    def value(context: DirectiveContext, word: str) -> None:
        context.set(ServerMpm, field, read(context, word))

    return Directive(name, args=Args.ONE, where=Where.SERVER, value=value, global_only=True, help=help, differs=differs)


PROCESS_ROWS = (
    _row("PidFile", "pid_file", _path, "where the parent's process id is written"),
    _row("ScoreBoardFile", "scoreboard_file", _path, "the file of the shared counters", "accepted; no such file is made"),
    _row(
        "MaxConnectionsPerChild",
        "max_connections_per_child",
        _count,
        "connections until a process is replaced, 0 for never",
        NEVER_REPLACED,
    ),
    _row("MaxRequestsPerChild", "max_connections_per_child", _count, "old name of MaxConnectionsPerChild", NEVER_REPLACED),
    _row(
        "CoreDumpDirectory",
        "core_dump_directory",
        _folder,
        "the working folder of processes, for core dumps",
        "accepted; the system decides where a core dump goes",
    ),
    _row("MaxMemFree", "max_mem_free", _kibibytes, "KiB that an allocator may keep", "accepted; Python's allocator decides itself"),
    _row("ThreadStackSize", "thread_stack_size", _kibibytes, "bytes of a thread's stack", "accepted; threads have the system's stack"),
)
