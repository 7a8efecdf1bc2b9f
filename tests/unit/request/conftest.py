"""`world`: a configuration and files, asked in this process through the real phases; no sockets, no processes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coachwhip.api.buckets import File
from coachwhip.api.module import Module
from coachwhip.api.record import Record
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.config import LoadOptions
from coachwhip.hooks import HookTable
from coachwhip.protocol.http1 import parse_head
from coachwhip.request import intake
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.reply import Reply
from coachwhip.server import build

#: 2024-01-02 03:04:05, in seconds.
LONG_AGO = 1704164645


@dataclass
class Answer:
    """What came of one request."""

    status: int
    fields: dict[str, str]
    body: bytes
    reply: Reply
    #: "core:3 AH00037", without the words.
    log: list[str]

    @property
    def r(self) -> Request:
        """The record that answered."""
        return self.reply.request

    @property
    def record(self) -> Record:
        """What was looked at."""
        return self.reply.request.record


@dataclass
class World:
    """A configuration that was read, and the folder it serves."""

    root: Path
    pipeline: Pipeline
    lines: list[str] = field(default_factory=list)

    def write(self, level: int, module: str, log_id: str, message: str, **_: Any) -> None:
        """As an error log."""
        self.lines.append(f"{module}:{level} {log_id}".rstrip())

    def add(self, *modules: Module) -> World:
        """Hang a test's own hooks on the phases."""
        self.pipeline.hooks = HookTable([*self.pipeline.startup.modules, *modules])
        return self

    def begin(self, line: str, fields: Mapping[str, str] | None = None) -> tuple[Request, int]:
        """The record of a request before its first phase, and 200 or the status of its refusal."""
        named = {"Host": "localhost", **(fields or {})}
        text = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
        head = parse_head(f"{line if ' ' in line else f'GET {line}'} HTTP/1.1\r\n{text}\r\n".encode("latin-1"))
        server = self.pipeline.hosts.by_address("127.0.0.1", 80)
        connection = Connection(server, ("127.0.0.1", 50000), ("127.0.0.1", 80), id=1)
        r, _, status = intake.begin(self.pipeline, connection, head, time.time())
        r.may_block = True
        return r, status

    def ask(self, line: str, fields: Mapping[str, str] | None = None) -> Answer:
        """Answer `METHOD target` (GET if only a target is given)."""
        self.lines.clear()
        r, status = self.begin(line, fields)
        waiting = self.pipeline.answer(r) if status == 200 else self.pipeline.refuse(r, status)
        try:
            next(waiting)
        except StopIteration as end:
            return self._read(end.value)
        raise AssertionError("nothing here has to be waited for")

    def _read(self, reply: Reply) -> Answer:
        first, *rest = reply.head.decode("latin-1").split("\r\n")
        named = dict(line.split(": ", 1) for line in rest if line)
        body = b"".join(b.read() if isinstance(b, File) else b for b in reply.body or ())
        found = re.match(r"HTTP/1\.1 ([0-9]{3})", first)
        assert found is not None
        return Answer(int(found[1]), named, body, reply, list(self.lines))


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    """A function: configuration lines (`{root}` is filled in), files by path (a str is content, None a folder) → World."""

    def make(config: str = "", files: Mapping[str, str | None] | None = None, modules: Sequence[str] = ("authz_core",)) -> World:
        (tmp_path / "htdocs").mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir(exist_ok=True)
                continue
            if content.startswith("-> "):
                path.symlink_to(content[3:])
                continue
            path.write_text(content)
            os.utime(path, (LONG_AGO, LONG_AGO))
        loads = "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in modules)
        text = f'{loads}DocumentRoot "{{root}}/htdocs"\nServerName localhost\nLogLevel info\n{config}\n'
        conf = str(tmp_path / "httpd.conf")
        texts = {conf: text.replace("{root}", str(tmp_path)).encode()}
        instance = build(LoadOptions(str(tmp_path), conf, texts=texts), open_logs=False)
        made = World(tmp_path, instance.pipeline)
        for server in (instance.startup.main, *instance.startup.servers):
            server.errors = made
        return made

    return make
