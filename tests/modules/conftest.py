"""`serve`: a configuration and a folder of files, asked in this process through the real configuration and pipeline.

No sockets: a request is parsed, run through the phases and answered as one `Answer`. What needs the wire has a case file instead.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.config import ConfigError, LoadOptions
from coachwhip.protocol.http1 import parse_head
from coachwhip.request import intake
from coachwhip.request.pipeline import Pipeline
from coachwhip.server import build

AUTH = ("authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile", "access_compat")
ENV = ("env", "setenvif")
#: 2024-01-02, in seconds.
LONG_AGO = 1704164645


@dataclass
class Answer:
    """What came of one request."""

    status: int
    headers: list[tuple[str, str]]
    request: Request
    #: "AH01630: client denied …", as logged, without time and module.
    log: list[str]

    def get(self, name: str) -> str | None:
        """The first header field of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def ids(self) -> list[str]:
        """The AH numbers that were logged, in order."""
        return [found[0] for line in self.log if (found := re.match(r"AH[0-9]{5}", line))]


@dataclass
class Served:
    """A configuration that was read."""

    root: Path
    pipeline: Pipeline
    warnings: list[str]
    lines: list[str] = field(default_factory=list)

    def write(self, level: int, module: str, log_id: str, message: str, **_: Any) -> None:
        """As an error log."""
        self.lines.append(f"{log_id}: {message}" if log_id else message)

    def ask(
        self, target: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", client: str = "127.0.0.1"
    ) -> Answer:
        """Answer one request as a worker thread would."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **(headers or {})}.items())
        head = parse_head(f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1"))
        connection = Connection(self.pipeline.startup.main, (client, 50000), ("127.0.0.1", 80), id=1)
        r, _, _ = intake.begin(self.pipeline, connection, head, time.time())
        r.may_block = True
        self.lines.clear()
        steps = self.pipeline.answer(r)
        try:
            while True:
                next(steps)
        except StopIteration as end:
            reply = end.value
        status, *rest = reply.head.decode("latin-1").split("\r\n")
        split = [line.partition(": ") for line in rest if line]
        named = [(name, value) for name, _, value in split]
        return Answer(int(status.split(" ")[1]), named, reply.request, list(self.lines))


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Served]:
    """A function: configuration lines (`{root}` is filled in), files by path, modules by short name → Served."""

    def make(config: str, files: Mapping[str, str | bytes] | None = None, modules: Sequence[str] = AUTH + ENV) -> Served:
        (tmp_path / "htdocs").mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            os.utime(path, (LONG_AGO, LONG_AGO))  # what changed a moment ago may not be replayed
        loads = "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in modules)
        text = f'{loads}DocumentRoot "{{root}}/htdocs"\nServerName localhost\nLogLevel info\n{config}\n'
        text = text.replace("{root}", str(tmp_path))
        conf = str(tmp_path / "httpd.conf")
        instance = build(LoadOptions(str(tmp_path), conf, texts={conf: text.encode()}), open_logs=False)
        served = Served(tmp_path, instance.pipeline, [warning.message for warning in instance.loaded.warnings])
        for server in (instance.startup.main, *instance.startup.servers):
            server.errors = served
        return served

    return make


@pytest.fixture
def refused(serve: Callable[..., Served]) -> Callable[[str], str]:
    """A function: lines inside a `<Directory>` → the sentence with which they are refused, "" if they are not."""
    def read(lines: str) -> str:
        try:
            serve(f'<Directory "{{root}}/htdocs">\n{lines}\n</Directory>')
        except ConfigError as error:
            return error.message
        return ""

    return read
