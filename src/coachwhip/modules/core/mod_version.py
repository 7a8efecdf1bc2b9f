"""mod_version -- `<IfVersion>`, decided while the configuration is read."""

from __future__ import annotations

from coachwhip.api import Args, Directive, Module, Where

MODULE = Module(
    "version_module",
    "mod_version.c",
    replayable=True,
    directives=(
        Directive(
            "IfVersion",
            args=Args.ONE_TO_THREE,
            where=Where.ALL,
            section=True,
            on_read=True,
            help="an operator and a version, for lines that count if they fit",
        ),
    ),
)
