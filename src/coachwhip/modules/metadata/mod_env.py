"""mod_env -- SetEnv, PassEnv and UnsetEnv: variables for scripts, logs and expressions.

They are laid under what is there already when `fixups` runs: a variable of SetEnvIf or a rewrite rule keeps its value.
Source: Apache manual, mod_env; order and precedence as 2.4.71 has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coachwhip.api import Args, Directive, DirectiveContext, Module, Outcome, Request, Result, Where, phases, setting
from coachwhip.expr import octets

__all__ = ["MODULE", "EnvDir", "Variables"]


@dataclass(frozen=True, slots=True)
class Variables:
    """What one section says: lower-case name → (name, value), and the names that it takes back from enclosing ones."""

    #: The value is None for what is passed on from the server's own environment.
    values: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


def fold_variables(outer: Variables, inner: Variables) -> Variables:
    """Taking back comes first, so that a section may unset a variable and set it anew."""
    kept = {key: value for key, value in outer.values.items() if key not in inner.removed}
    return Variables({**kept, **inner.values})


@dataclass(frozen=True, slots=True)
class EnvDir:
    """What this directory says, after all enclosing sections were folded together."""

    variables: Variables = setting(Variables(), fold=fold_variables)


def _together(lines: Sequence[Variables]) -> Variables:
    """The lines of one section. What was taken back may be set anew, and the other way round."""
    values: dict[str, tuple[str, str | None]] = {}
    removed: set[str] = set()
    for line in lines:
        for key in line.removed:
            values.pop(key, None)
        removed |= line.removed
        values |= line.values
    return Variables(values, frozenset(removed))


def _with(names: Iterable[str], value: str | None) -> Variables:
    return Variables({octets(name).lower(): (octets(name), value) for name in names})


def _set(context: DirectiveContext, name: str, value: str = "") -> Variables:
    if "=" in name:
        before, _, after = name.partition("=")
        text = f"Spurious usage of '=' in an environment variable name. 'SetEnv {before} {after}' expected instead?"
        context.warn(text, "AH10032")
    return _with((name,), octets(value))


def _pass(context: DirectiveContext, *names: str) -> Variables:
    return _with(names, None)


def _unset(context: DirectiveContext, *names: str) -> Variables:
    return Variables({}, frozenset(octets(name).lower() for name in names))


MODULE = Module(
    "env_module",
    "mod_env.c",
    dir_config=EnvDir,
    replayable=True,
    directives=(
        Directive("SetEnv", Args.ONE_OR_TWO, Where.FILEINFO, sets="variables", value=_set, repeat=_together,
                  help="an environment variable name and optional value to pass to CGI."),
        Directive("PassEnv", Args.WORDS, Where.FILEINFO, sets="variables", value=_pass, repeat=_together,
                  help="a list of environment variables to pass to CGI.",
                  differs="no warning (AH01506) for a variable that the server's environment does not have"),
        Directive("UnsetEnv", Args.WORDS, Where.FILEINFO, sets="variables", value=_unset, repeat=_together,
                  help="a list of variables to remove from the CGI environment."),
    ),
)  # fmt: skip


@MODULE.hook(phases.fixups, by_extension=True, acts=lambda server, settings: bool(settings.get(EnvDir).variables.values))
def add_variables(r: Request) -> Result:
    """Set what nobody has set before."""
    values = r.config(EnvDir).variables.values
    if not values:
        return Outcome.DECLINED
    for name, said in values.values():
        value = r.os_environ(name) if said is None else said
        if value is not None and name not in r.env:
            r.env[name] = value
    return Outcome.OK
