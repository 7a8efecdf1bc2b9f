"""mod_mime_magic -- the type of a file by its content, where its name says nothing.

Runs in `type_checker` behind mod_mime, only on what has no type yet, and only where `MimeMagicFile` is set. It looks at the
first few thousand bytes, also inside gzip. Source: Apache manual, mod_mime_magic.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from coachwhip.api import Args, Directive, FileKind, Module, Outcome, Request, Result, Startup, Where, phases
from coachwhip.modules.metadata.mod_mime_magic.magicfile import SPACES, MagicTest, parse_magic
from coachwhip.modules.metadata.mod_mime_magic.sniff import READ, guess

__all__ = ["MODULE", "MagicServer", "split_guess"]

SOURCE = "mod_mime_magic.c"
#: Compressed bytes that give at least READ plain ones of what is worth looking at.
_COMPRESSED = 3 * READ
_GZIP = b"\x1f\x8b"
_OTHERS = {b"\x1f\x9d": "x-compress", b"\x1f\x1e": "x-gzip"}
_REVISION = re.compile(r"@[0-9]+\Z")
_TYPE = re.compile(r"[ \t\n\v\f\r]*([^/ \t\n\v\f\r]+/[^ \t\n\v\f\r]*)(?:[ \t\n\v\f\r]+([^ \t\n\v\f\r]+))?")
_LOWER = {ord(c): c.lower() for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@dataclass(frozen=True, slots=True)
class MagicServer:
    """What this server says."""

    file: str | None = None


MODULE = Module(
    "mime_magic_module",
    SOURCE,
    server_config=MagicServer,
    replayable=True,
    directives=(
        Directive(
            "MimeMagicFile",
            Args.ONE,
            Where.SERVER,
            sets="file",
            value=lambda context, path: context.server_path(path),
            help="Path to MIME Magic file (in file(1) format)",
            differs="Files packed by compress or pack are told by their first bytes, but not looked into.",
        ),
    ),
)
LOG = MODULE.log


@MODULE.hook(phases.post_config)
def read_magic(startup: Startup) -> Result:
    """Read the magic files. One that cannot be read is complained about and leaves the module idle."""
    for server in {id(one): one for one in (startup.main, *startup.servers)}.values():
        path = server.config(MagicServer).file
        if path is None:
            continue
        try:
            data = startup.read_file(path)
        except OSError as error:
            LOG.error(server, "AH01515", "mod_mime_magic: can't read magic file %s", path, error=error)
            continue
        found = parse_magic(data.decode("latin-1"))
        for log_id, message in found.complaints:
            LOG.error(server, log_id, "%s", message)
        server.state[SOURCE] = found.tests
    return Outcome.OK


@MODULE.hook(phases.type_checker, after=("mod_mime.c",))
def find_type(r: Request) -> Result:
    """Set the type that the content looks like."""
    tests: Sequence[MagicTest] | None = r.server.state.get(SOURCE)
    if not tests or r.finfo.kind is FileKind.MISSING or not r.filename or r.content_type:
        return Outcome.DECLINED
    if _as_other_revision(r):
        return Outcome.OK
    if r.finfo.kind is FileKind.DIRECTORY:
        r.set_content_type("httpd/unix-directory")
        return Outcome.OK
    if r.finfo.kind is not FileKind.REGULAR:
        r.set_content_type("application/octet-stream")
        return Outcome.OK
    if not r.finfo.size:
        r.set_content_type("text/plain")
        return Outcome.OK
    return _take_guess(r, tests)


def _as_other_revision(r: Request) -> bool:
    """For `name@12`, an earlier state of `name`: what that file is."""
    name = r.filename or ""
    found = _REVISION.search(name)
    if found is None:
        return False
    sub = r.lookup_file(name[: found.start()])
    if sub.content_type:
        r.set_content_type(sub.content_type)
    r.content_encodings = list(sub.content_encodings) or r.content_encodings
    r.content_languages = list(sub.content_languages) or r.content_languages
    return bool(sub.content_type)


def _take_guess(r: Request, tests: Sequence[MagicTest]) -> Result:
    path = r.filename or ""
    try:
        file = r.files.open(path)
    except OSError as error:
        LOG.error(r, "AH01512", "mod_mime_magic: can't read `%s'", path, error=error)
        return Outcome.DECLINED
    try:
        data = file.read_at(0, _COMPRESSED)
    except OSError as error:
        LOG.error(r, "AH01513", "mod_mime_magic: read failed: %s", path)
        return 500 if error.errno else Outcome.DECLINED
    finally:
        file.close()
    return _set(r, _look_inside(r, tests, data))


def _look_inside(r: Request, tests: Sequence[MagicTest], data: bytes) -> str:
    """The guess for a file, or for what gzip packed in it."""
    if data[:2] in _OTHERS:
        return ""
    if not data.startswith(_GZIP):
        return guess(tests, data)
    try:
        plain = zlib.decompressobj(wbits=31).decompress(data, READ)
    except zlib.error:
        plain = b""
    if not plain:
        LOG.error(r, "AH01554", "mod_mime_magic: read failed from uncompress of %s", r.filename)
        return ""
    r.content_encodings = ["x-gzip"]
    # Apache ends the text in place of its last octet.
    return guess(tests, plain[:-1])


def _set(r: Request, said: str) -> Result:
    kind, encoding = split_guess(said)
    if kind is None:
        return Outcome.DECLINED
    r.set_content_type(kind)
    if encoding is not None:
        r.content_encodings = [encoding]
    return Outcome.OK


def split_guess(said: str) -> tuple[str | None, str | None]:
    """Type and coding in lower case; None for what is missing. More words are not looked at."""
    found = _TYPE.match(said + SPACES[0])
    if found is None:
        return None, None
    return found[1].translate(_LOWER), found[2].translate(_LOWER) if found[2] else None
