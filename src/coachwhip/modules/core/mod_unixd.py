"""mod_unixd -- whom workers run as, what they take for the file system's root, and what they may never gain.

Names are kept as written (`#1000` is a number); who they are is found out, and everything is acted on, by `mpm/privileges.py`.
`NoNewPrivileges` and `Umask` are ours; Apache has no counterpart. Source: Apache manual, mod_unixd.
"""

from __future__ import annotations

import re

from coachwhip.api import Args, Directive, DirectiveContext, Module, Where
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.values import refuse


def _user(context: DirectiveContext, word: str) -> str:
    number = re.match(r"#[ \t]*([+-]?[0-9]{1,10})?", word, re.ASCII)
    is_root = word == "root" or (number and not int(number[1] or 0))
    if is_root and not context.value_of(ServerMpm, "allow_root"):
        raise refuse("User must not be root: a fault in any module would then be root's")
    return word


def _chroot(context: DirectiveContext, word: str) -> str:
    if not word.startswith("/"):
        raise refuse("ChrootDir must be an absolute path")
    if not context.is_directory(word):
        raise refuse("ChrootDir must be a valid directory")
    return word


def _umask(context: DirectiveContext, word: str) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", word, re.ASCII):
        raise refuse(f"Umask '{word}' is not three octal digits, such as 027")
    return int(word, 8)


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
            sets="chroot_dir",
            value=_chroot,
            args=Args.ONE,
            where=Where.SERVER,
            global_only=True,
            help="the folder that workers take for the file system's root",
            differs="a relative path is refused",
        ),
        Directive(
            "NoNewPrivileges",
            sets="no_new_privileges",
            args=Args.FLAG,
            where=Where.SERVER,
            global_only=True,
            help="whether programs run by workers have no more rights than these, set-user-ID ones too",
        ),
        Directive(
            "Umask",
            sets="umask",
            value=_umask,
            args=Args.ONE,
            where=Where.SERVER,
            global_only=True,
            help="the permissions that files made by the server do not get, in octal",
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
