"""mod_unixd -- whom workers run as, what they take for the file system's root, and what they may never gain.

Names are kept as written (`#1000` is a number); who they are is found out, and everything is acted on, by `mpm/privileges.py`.
`NoNewPrivileges` and `Umask` are ours; Apache has no counterpart. Source: Apache manual, mod_unixd.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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


def _row(name: str, args: Args, sets: str, value: Callable[..., Any] | None = None, *, help: str, differs: str = "") -> Directive:
    """Of the whole server, all of them."""
    return Directive(name, args, Where.SERVER, sets, value, global_only=True, help=help, differs=differs)


MODULE = Module(
    "unixd_module",
    "mod_unixd.c",
    (
        _row("User", Args.ONE, "user", _user, help="the user that workers run as"),
        _row("Group", Args.ONE, "group", help="the group that workers run as"),
        _row("ChrootDir", Args.ONE, "chroot_dir", _chroot, help="the folder that workers take for the file system's root",
             differs="a relative path is refused"),
        _row("NoNewPrivileges", Args.FLAG, "no_new_privileges",
             help="whether programs run by workers have no more rights than these, set-user-ID ones too"),
        _row("Umask", Args.ONE, "umask", _umask, help="the permissions that files made by the server do not get, in octal"),
        _row("Suexec", Args.FLAG, "suexec", _suexec, help="whether scripts run as other users", differs="On is refused"),
    ),
    server_config=ServerMpm,
    replayable=True,
)  # fmt: skip
