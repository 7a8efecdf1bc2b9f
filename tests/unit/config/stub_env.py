"""Stands for mod_env where only its directives' names and shapes matter."""

from coachwhip.api import Args, Directive, Module, Where

MODULE = Module(
    "env_module",
    "mod_env.c",
    directives=(
        Directive("SetEnv", args=Args.ONE_OR_TWO, where=Where.FILEINFO, value=lambda context, *words: None, help="x"),
        Directive("UnsetEnv", args=Args.WORDS, where=Where.FILEINFO, value=lambda context, *words: None, help="x"),
    ),
)
