"""`coachwhip explain URL`: which lines of the configuration decided an answer, without a running server.

The configuration is read as `httpd` reads it, the request is run in this process, and what took part is shown, for people or as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from coachwhip.api import phases
from coachwhip.api.directives import Location
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.outcome import Outcome
from coachwhip.api.server import Connection
from coachwhip.cli.nobody import NobodyAtWork
from coachwhip.config import ConfigError, LoadOptions
from coachwhip.connection.finding import MAX_HEAD
from coachwhip.connection.judging import Unusual
from coachwhip.connection.lines import Lines
from coachwhip.logs.targets import LogRoom
from coachwhip.protocol.errors import BadRequest
from coachwhip.request.explain import Explanation, explain
from coachwhip.server import Instance, StartRefused, build
from coachwhip.util.networks import parse_address

__all__ = ["run"]

#: Columns where nobody looks on: a line is never broken, so that `file:line` can be searched for.
UNBROKEN = 10_000
#: Kinds of steps that are shown with their kind.
_NAMED = ("filter", "mistake", "redirect", "sub-request")


def run(arguments: list[str]) -> int:
    """Explain one URL; returns the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        found = _explain(asked)
    except (ConfigError, StartRefused, BadRequest, ValueError, OSError) as error:
        print(f"coachwhip explain: {error.reason if isinstance(error, BadRequest) else error}", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        _show(found)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coachwhip explain", description="Show which lines decided the answer to a request.")
    parser.add_argument("url", help="http://host[:port]/path, or a path alone")
    parser.add_argument("-X", dest="method", default="GET", metavar="METHOD", help="the method (default GET)")
    parser.add_argument("-H", dest="headers", action="append", default=[], metavar="'NAME: VALUE'", help="a request field; may be repeated")
    parser.add_argument("-f", dest="file", default="conf/httpd.conf", metavar="FILE", help="the configuration (default conf/httpd.conf)")
    parser.add_argument("-d", dest="root", default=".", metavar="DIR", help="ServerRoot, against which FILE is taken (default .)")
    parser.add_argument("-D", dest="defines", action="append", default=[], metavar="NAME", help="as httpd's -D; may be repeated")
    parser.add_argument("--client", default="127.0.0.1", metavar="ADDRESS", help="the client's address (default 127.0.0.1)")
    parser.add_argument("--local", metavar="ADDRESS", help="the address that the client connects to (default: the URL's, or 127.0.0.1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


# -- running it


def _explain(asked: argparse.Namespace) -> Explanation:
    for address in filter(None, (asked.client, asked.local)):
        if parse_address(address) is None:
            raise ValueError(f"'{address}' is no IP address")
    instance = _instance(LoadOptions(os.path.abspath(asked.root), asked.file, defines=asked.defines))
    main = instance.startup.main
    ports = [one.port for one in main.config(ServerMpm).listeners]
    url = urlsplit(asked.url if "://" in asked.url else f"http://{main.name}{_suffix(ports)}{asked.url}")
    is_odd = not asked.url.isascii() or re.search(r"[\x00-\x20\x7f]", asked.url) or ("://" not in asked.url and asked.url[:1] != "/")
    if url.scheme not in ("http", "https") or not url.hostname or is_odd:
        raise ValueError(f"'{asked.url}' is no URL: http://host/path, https://host/path or /path is")
    is_tls = url.scheme == "https"
    host = url.hostname
    local = asked.local or (host if parse_address(host) is not None else "127.0.0.1")
    port = url.port or (443 if is_tls else 80)
    if ports and port not in ports:
        print(f"coachwhip explain: nobody listens on port {port}; this is what port {ports[0]} would answer", file=sys.stderr)
        port = ports[0]
    address = (local, port)
    server = instance.pipeline.hosts.by_address(*address)
    connection = Connection(server, (asked.client, 50_000), address, id=0, is_tls=is_tls)
    head = _head(asked.method, url.path or "/", url.query, url.netloc.rpartition("@")[2], asked.headers)
    loop = asyncio.new_event_loop()

    async def finish(awaitable: Awaitable[Any]) -> Any:
        return await awaitable

    try:
        found = explain(instance.pipeline, head, connection, lambda one: loop.run_until_complete(finish(one)), _text_of)
    finally:
        loop.close()
    if not found.volatile and not _is_ordinary(head, found.headers):
        found.volatile = "out of the ordinary"
    return found


def _suffix(ports: list[int]) -> str:
    """What follows the host in a URL that leads to the first of these ports."""
    return f":{ports[0]}" if ports and ports[0] != 80 else ""


def _is_ordinary(head: bytes, fields: list[str]) -> bool:
    """Whether kept answers are looked for when this head comes; answers depend on these fields."""
    lines = Lines()
    lines.care_about(fields)
    try:
        line, _, _ = lines.read(head, MAX_HEAD)
        lines.judge.check_request_line(line)
    except Unusual:
        return False
    return len(head) <= MAX_HEAD


def _instance(options: LoadOptions) -> Instance:
    """The server, with what modules read after the configuration; no log is opened."""
    instance = build(options, open_logs=False)
    startup = instance.startup
    startup.logs = LogRoom(startup.server_root)
    startup.scoreboard = NobodyAtWork()
    if instance.pipeline.hooks.run(phases.post_config, startup) not in (Outcome.OK, Outcome.DECLINED):
        raise StartRefused("; ".join(startup.errors) or "a module refuses to start")
    return instance


def _head(method: str, path: str, query: str, host: str, headers: list[str]) -> bytes:
    target = f"{path}?{query}" if query else path
    own = [] if any(line.lower().startswith("host:") for line in headers) else [f"Host: {host}"]
    return "\r\n".join((f"{method} {target} HTTP/1.1", *own, *headers, "", "")).encode("latin-1", "replace")


def _text_of(at: Location) -> str:
    """The line as it stands in its file."""
    try:
        with open(at.file, encoding="utf-8", errors="replace") as file:
            return next((line.strip() for number, line in enumerate(file, 1) if number == at.line), "")
    except OSError:
        return ""


# -- showing it


def _show(found: Explanation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = UNBROKEN

    def title(words: str) -> None:
        console.print()
        console.print(Text(words, style="bold"))

    def rows(lines: list[tuple[str, str]]) -> None:
        table = Table.grid(padding=(0, 3))
        table.add_column(overflow="fold")
        table.add_column(overflow="fold", style="dim")
        for left, right in lines:
            table.add_row(Text("  " + left), Text(right))
        console.print(table)

    console.print(Text.assemble((found.request, "bold"), "  →  ", (str(found.status), "bold green" if found.status < 400 else "bold red")))
    title("Virtual host")
    rows([(f"{found.host}, {found.host_reason}", found.host_source)])
    title("Sections, in order")
    rows([(text, source) for kind, text, source in found.steps if kind == "section"] or [("none", "")])
    title("Lines that took part")
    rows([(line.text, line.source) for line in found.lines] or [("none", "")])
    title("Hooks and filters that acted")
    rows([(f"{kind} {text}" if kind in _NAMED else text, source) for kind, text, source in found.steps if kind != "section"])
    title("Looked at")
    rows([(f"field {name}", "") for name in found.headers] + [(f"{name} = {value}", "") for name, value in found.facts.items()])
    rows([(f"{look.how:<5} {look.path}", "" if look.found else "absent") for look in found.files])
    if found.log:
        title("Error log")
        rows([(line, "") for line in found.log])
    title("Answer")
    rows([(f"file {found.filename}", f"handler {found.handler}" if found.handler else "")])
    rows([("replayed while nothing of this changes" if not found.volatile else f"not replayed: {found.volatile}", "")])
    console.print()
    console.print(Text("\n".join("  " + line for line in found.head.split("\r\n") if line)))
