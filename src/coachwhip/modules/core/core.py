"""core's module record: its names, its settings, and its table of directives.

The settings records are in `api/core.py`, since the pipeline and other modules read them. Rows that act while the configuration is
read and rows that open sections have no `value`: they are the configuration reader's own work.
"""

from __future__ import annotations

from coachwhip.api.core import CoreDir, CoreServer
from coachwhip.api.directives import Args, Directive, Where
from coachwhip.api.module import Module
from coachwhip.modules.core.directives_dir import DIR_ROWS
from coachwhip.modules.core.directives_process import PROCESS_ROWS
from coachwhip.modules.core.directives_server import SERVER_ROWS

__all__ = ["MODULE"]

ANYWHERE = Where.SERVER | Where.SECTION


def _section(name: str, where: Where, help: str, *, on_read: bool = False) -> Directive:
    return Directive(name, args=Args.RAW, where=where, section=True, on_read=on_read, help=help)


def _on_read(name: str, args: Args, where: Where, help: str) -> Directive:
    return Directive(name, args=args, where=where, on_read=True, help=help)


SECTION_ROWS = (
    _section("Directory", Where.SERVER, "what holds below a folder"),
    _section("DirectoryMatch", Where.SERVER, "what holds in folders that match a regular expression"),
    _section("Location", Where.SERVER, "what holds below a URL path"),
    _section("LocationMatch", Where.SERVER, "what holds for URL paths that match a regular expression"),
    _section("VirtualHost", Where.SERVER, "a server of its own, by one or more addresses"),
    _section("Files", Where.ALL, "what holds for files of a name"),
    _section("FilesMatch", Where.ALL, "what holds for files whose name matches a regular expression"),
    _section("If", Where.ALL, "what holds for requests that meet a condition"),
    _section("ElseIf", Where.ALL, "what holds for requests that meet this condition and none before it"),
    _section("Else", Where.ALL, "what holds for requests that meet no condition before it"),
    _section("Limit", Where.AUTHCONFIG | Where.LIMIT, "access rules for some methods"),
    _section("LimitExcept", Where.AUTHCONFIG | Where.LIMIT, "access rules for all methods but some"),
    _section("IfModule", Where.ALL, "lines that count if a module is loaded", on_read=True),
    _section("IfDefine", Where.ALL, "lines that count if a name is defined", on_read=True),
    _section("IfFile", Where.ALL, "lines that count if a file exists", on_read=True),
    _section("IfDirective", Where.ALL, "lines that count if there is such a directive", on_read=True),
    _section("IfSection", Where.ALL, "lines that count if there is such a section", on_read=True),
)

READING_ROWS = (
    _on_read("Define", Args.ONE_OR_TWO, ANYWHERE, "a name, and the value that ${name} stands for"),
    _on_read("UnDefine", Args.ONE, ANYWHERE, "a name to forget"),
    _on_read("Include", Args.ONE, ANYWHERE, "a file, folder or pattern to read here; it must exist"),
    _on_read("IncludeOptional", Args.ONE, ANYWHERE, "a file, folder or pattern to read here if it exists"),
    _on_read("ServerRoot", Args.ONE, Where.SERVER, "the folder that relative paths start from"),
    _on_read("DefaultRuntimeDir", Args.ONE, Where.SERVER, "the folder for files of the running server"),
)

MODULE = Module(
    "core_module",
    "core.c",
    dir_config=CoreDir,
    server_config=CoreServer,
    replayable=True,
    directives=SECTION_ROWS + READING_ROWS + DIR_ROWS + SERVER_ROWS + PROCESS_ROWS,
)
