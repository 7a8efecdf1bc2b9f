"""Stands for mod_authz_core where only its directives' names and places matter."""

from coachwhip.api import Args, Directive, Module, Where

MODULE = Module(
    "authz_core_module",
    "mod_authz_core.c",
    directives=(Directive("Require", args=Args.RAW, where=Where.AUTHCONFIG, value=lambda context, raw: None),),
)
