"""mod_so -- `LoadModule` and `LoadFile`. What they do is the configuration reader's work; here are their rows."""

from __future__ import annotations

from coachwhip.api import Args, Directive, Module, Where

MODULE = Module(
    "so_module",
    "mod_so.c",
    replayable=True,
    directives=(
        Directive(
            "LoadModule",
            args=Args.TWO,
            where=Where.SERVER,
            on_read=True,
            help="a module's identifier and where it is",
            differs="finds our module by its identifier; no file is loaded, but `python:package.module` names a module of one's own",
        ),
        Directive(
            "LoadFile",
            args=Args.WORDS,
            where=Where.SERVER,
            on_read=True,
            help="shared objects to load",
            differs="refused: a Python server cannot use shared objects",
        ),
    ),
)
