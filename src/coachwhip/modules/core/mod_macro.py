"""mod_macro -- macros, expanded while the configuration is read."""

from __future__ import annotations

from coachwhip.api import Args, Directive, Module, Where

MODULE = Module(
    "macro_module",
    "mod_macro.c",
    replayable=True,
    directives=(
        Directive(
            "Macro", args=Args.RAW, where=Where.ALL, section=True, on_read=True, help="a name and parameters, for lines to use"
        ),
        Directive("Use", args=Args.RAW, where=Where.ALL, on_read=True, help="a macro and its arguments"),
        Directive("UndefMacro", args=Args.ONE, where=Where.ALL, on_read=True, help="a macro to forget"),
        Directive("MacroIgnoreBadNesting", args=Args.NONE, where=Where.ALL, on_read=True, help="no warning of unbalanced macros"),
        Directive("MacroIgnoreEmptyArgs", args=Args.NONE, where=Where.ALL, on_read=True, help="no warning of empty arguments"),
    ),
)
