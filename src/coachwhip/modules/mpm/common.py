"""Directives that all MPMs share (`mpm_common`): listeners, processes, threads, limits; checked here, acted on in `coachwhip.mpm`.

Source: Apache manual, "Apache MPM Common Directives"; accepted words and sentences compared with 2.4.71.
"""

from __future__ import annotations

import re
from typing import Any

from coachwhip.api.directives import Args, Directive, DirectiveContext, Repeat, Where
from coachwhip.api.mpm import Listener, ServerMpm
from coachwhip.api.values import leading_int, refuse

__all__ = ["COMMON_ROWS", "THREAD_ROWS", "count", "mpm_row"]


#: What is true of several rows: connections and answers that are given again need no thread.
BY_CORES = "if not said: event and worker start as many as there are processor cores, 2 at least"
IN_THREADS = "event and worker: most requests at the same time in threads and `async` handlers (if not said, in threads); files and kept \
answers need neither"
NO_CEILING = "if not said, the limit on open files is the only one on connections; idle ones are not closed before their time"
SPARE = "threads are started when there is work for them: idle are those of ThreadsPerChild without work, of a worker whose processor \
is not busy; if not said, {}"


def count(context: DirectiveContext, word: str) -> int:
    """The whole number that `word` begins with."""
    return leading_int(context.directive, word)


def _positive(context: DirectiveContext, word: str) -> int:
    found = re.match(r"[ \t]*\+?([0-9]{1,9})", word, re.ASCII)
    if found is None or not int(found[1]):
        raise refuse(f"{context.directive} must be > 0")
    return int(found[1])


def _buffer(context: DirectiveContext, word: str) -> int:
    value = leading_int(context.directive, word)
    if value < 512 and value != 0:
        raise refuse(f"{context.directive} must be >= 512 bytes, or 0 for system default.")
    return value


def _listen(context: DirectiveContext, *words: str) -> tuple[Listener, ...]:
    if not 1 <= len(words) <= 2:
        raise refuse("Listen requires 1 or 2 arguments.")
    host, port = _address(words[0])
    protocol = words[1].lower() if len(words) == 2 else ("https" if port == 443 else None)
    others: tuple[Listener, ...] = context.value_of(ServerMpm, "listeners") or ()
    if any((other.host, other.port) == (host, port) for other in others):
        raise refuse("Cannot define multiple Listeners on the same IP:port")
    return (Listener(host, port, protocol, context.location),)


def _address(text: str) -> tuple[str | None, int]:
    found = re.fullmatch(r"(?:(.*):)?0*([0-9]{1,5})", text, re.ASCII | re.DOTALL)
    if found is None and not re.fullmatch(r"(?:.*:)?[0-9]+", text, re.ASCII | re.DOTALL):
        raise refuse("Port must be specified")
    if found is None or not 1 <= int(found[2]) <= 65535 or found[1] == "":
        raise refuse("Invalid address or port")
    host = found[1]
    if host is not None and host.startswith("["):
        if not host.endswith("]"):
            raise refuse("Invalid address or port")
        host = host[1:-1]
    return None if host == "*" else host, int(found[2])


def mpm_row(
    name: str,
    sets: str | None,
    value: Any = count,
    *,
    help: str,
    args: Args = Args.ONE,
    repeat: Repeat = Repeat.REPLACE,
    differs: str = "",
) -> Directive:
    """A row of an MPM: server level, never in a `<VirtualHost>`."""
    return Directive(
        name, args=args, where=Where.SERVER, sets=sets, value=value, repeat=repeat, global_only=True, help=help, differs=differs
    )


COMMON_ROWS = (
    mpm_row(
        "Listen",
        "listeners",
        _listen,
        args=Args.ARGV,
        repeat=Repeat.APPEND,
        help="a port, or an address and a port, and a protocol",
    ),
    mpm_row("ListenBacklog", "listen_backlog", _positive, help="connections that may wait to be accepted"),
    mpm_row(
        "ListenCoresBucketsRatio",
        "listen_cores_buckets_ratio",
        _positive,
        help="CPU cores for each set of listeners",
        differs="accepted; all workers accept from one set of listeners, so that none is lost with a worker",
    ),
    mpm_row("ListenTCPDeferAccept", "listen_tcp_defer_accept", _positive, help="seconds that the system waits for a first byte"),
    mpm_row(
        "SendBufferSize",
        "send_buffer_size",
        _buffer,
        help="bytes of a socket's send buffer, 0 for the system's own",
    ),
    mpm_row(
        "ReceiveBufferSize",
        "receive_buffer_size",
        _buffer,
        help="bytes of a socket's receive buffer, 0 for the system's own",
    ),
    mpm_row("StartServers", "start_servers", help="processes at the start", differs=BY_CORES),
    mpm_row("ServerLimit", "server_limit", help="most processes"),
    mpm_row("MaxRequestWorkers", "max_request_workers", help="most requests at the same time", differs=IN_THREADS),
    mpm_row("MaxClients", "max_request_workers", help="old name of MaxRequestWorkers", differs=IN_THREADS),
    mpm_row(
        "GracefulShutdownTimeout",
        "graceful_shutdown_timeout",
        help="seconds that open connections get when the server stops",
        differs="after a graceful reload too; there, without it, requests are cut that make no progress for 30 seconds",
    ),
)

THREAD_ROWS = (
    mpm_row("MinSpareThreads", "min_spare_threads", help="least idle threads", differs=SPARE.format("those of one process")),
    mpm_row(
        "MaxSpareThreads",
        "max_spare_threads",
        help="most idle threads",
        differs=SPARE.format("those of one process more than at the start"),
    ),
    mpm_row(
        "ThreadsPerChild",
        "threads_per_child",
        help="threads of a process",
        differs="most threads for work that may block; connections need none",
    ),
    mpm_row(
        "ThreadLimit",
        "thread_limit",
        help="most threads of a process",
    ),
)
