"""A configured server without sockets: heads go in, answers come out, by the real phases. For targets that lie behind the parser."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coachwhip.api.buckets import File
from coachwhip.api.request import Request
from coachwhip.api.server import Connection
from coachwhip.config import LoadOptions
from coachwhip.protocol.http1 import parse_head
from coachwhip.request import intake
from coachwhip.request.files import RecordedFiles, RegularFile
from coachwhip.request.pipeline import Pipeline
from coachwhip.request.reply import Reply
from coachwhip.server import Instance, build

__all__ = ["MODULES", "World", "lay_out", "loads", "opened_files"]

MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile", "access_compat",
    "alias", "autoindex", "deflate", "dir", "env", "filter", "mime", "mime_magic", "negotiation", "setenvif", "status", "info",
    "log_config", "logio", "macro", "reqtimeout",
)  # fmt: skip


def loads(modules: tuple[str, ...] = MODULES) -> str:
    """The `LoadModule` lines."""
    return "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in modules)


def lay_out(root: Path, files: Mapping[str, bytes | str | None]) -> None:
    """Make files by path: bytes are a content, a str is where a link leads, None is a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        elif isinstance(content, str):
            path.symlink_to(content.replace("{root}", str(root)))
        else:
            path.write_bytes(content)
            os.utime(path, (1_600_000_000, 1_600_000_000))


@dataclass(slots=True)
class Answer:
    """What came of a head. The body is read to its end."""

    status: int
    head: bytes
    body: bytes
    request: Request


class World:
    """One configuration, asked again and again. A fault of a hook is raised, not answered with 500."""

    def __init__(self, root: Path, config: str) -> None:
        path = f"{root}/httpd.conf"
        text = f"ServerName localhost\nListen 127.0.0.1:1\nServerRoot {root}\n{config}".replace("{root}", str(root))
        options = LoadOptions(str(root), path, texts={path: text.encode()}, environment={})
        self.instance: Instance = build(options, open_logs=False)
        self.pipeline: Pipeline = self.instance.pipeline
        self.pipeline.report = _raise  # type: ignore[method-assign]

    def ask(self, head: bytes) -> Answer:
        """Answer a head. Raises BadRequest for what is none, and whatever a hook raised."""
        server = self.pipeline.hosts.by_address("127.0.0.1", 80)
        connection = Connection(server, ("127.0.0.1", 50000), ("127.0.0.1", 80), id=1)
        r, _, status = intake.begin(self.pipeline, connection, parse_head(head), 1_700_000_000.0)
        r.may_block = True
        waiting = self.pipeline.answer(r) if status == 200 else self.pipeline.refuse(r, status)
        try:
            next(waiting)
        except StopIteration as end:
            return _read(end.value)
        raise RuntimeError("nothing here has to be waited for")


def _raise(r: Request, error: BaseException) -> None:
    raise error


def _read(reply: Reply) -> Answer:
    pieces = [piece.read() if isinstance(piece, File) else piece for piece in reply.body or ()]
    return Answer(reply.request.status, reply.head, b"".join(pieces), reply.request)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """The file layer tells what it really opened and listed: the path that the system has for the descriptor, whatever was asked for."""
    opened: list[str] = []
    plain_open, plain_folder = RecordedFiles.open, RecordedFiles._folder

    def recording_open(self: RecordedFiles, *arguments: Any, **named: Any) -> RegularFile:
        file = plain_open(self, *arguments, **named)
        opened.append(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        return file

    @contextmanager
    def recording_folder(self: RecordedFiles, path: str) -> Iterator[int]:
        with plain_folder(self, path) as fd:
            opened.append(os.readlink(f"/proc/self/fd/{fd}"))
            yield fd

    RecordedFiles.open, RecordedFiles._folder = recording_open, recording_folder  # type: ignore[method-assign]
    try:
        yield opened
    finally:
        RecordedFiles.open, RecordedFiles._folder = plain_open, plain_folder  # type: ignore[method-assign]
