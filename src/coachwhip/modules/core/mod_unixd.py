"""mod_unixd -- the user and group that workers run as.

Names are kept as written (`#1000` is a number); who they are is found out by `mpm/` when it drops privileges.
"""

from __future__ import annotations

import re
from typing import NoReturn

from coachwhip.api import Args, Directive, DirectiveContext, Module, Where
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.values import refuse


def _user(context: DirectiveContext, word: str) -> str:
    number = re.match(r"#[ \t]*([+-]?[0-9]{1,10})?", word, re.ASCII)
    if word == "root" or (number and not int(number[1] or 0)):
        raise refuse("User must not be root: a fault in any module would then be root's")
    return word


def _chroot(context: DirectiveContext, word: str) -> NoReturn:
    if not context.is_directory(word):
        raise refuse("ChrootDir must be a valid directory")
    raise refuse("ChrootDir is not supported yet: the server would run outside of it")


def _suexec(context: DirectiveContext, wanted: bool) -> bool:
    if wanted:
        raise refuse("suEXEC isn't supported: a suexec binary is not part of this server")
    return wanted


MODULE = Module(
    "unixd_module",
    "mod_unixd.c",
    server_config=ServerMpm,
    replayable=True,
    directives=(
        Directive(
            "User",
            sets="user",
            value=_user,
            args=Args.ONE,
            where=Where.SERVER,
            global_only=True,
            help="the user that workers run as",
        ),
        Directive("Group", sets="group", args=Args.ONE, where=Where.SERVER, global_only=True, help="the group that workers run as"),
        Directive(
            "ChrootDir",
            value=_chroot,
            args=Args.ONE,
            where=Where.SERVER,
            global_only=True,
            help="the folder to change the root to",
            differs="refused: the server would run outside of it",
        ),
        Directive(
            "Suexec",
            sets="suexec",
            value=_suexec,
            args=Args.FLAG,
            where=Where.SERVER,
            global_only=True,
            help="whether scripts run as other users",
            differs="On is refused",
        ),
    ),
)
