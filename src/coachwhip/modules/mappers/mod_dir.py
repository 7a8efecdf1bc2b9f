"""mod_dir -- index files, the trailing slash, and a fallback for what does not exist.

Runs last in `fixups`: by then mod_alias, mod_negotiation and mod_rewrite have settled what the URL stands for. A folder becomes its
index file by a sub-request whose outcome the request takes over. Source: Apache manual, mod_dir.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from coachwhip.api import (
    DECLINED,
    DIRECTORY,
    MISSING,
    REGULAR,
    Args,
    Directive,
    DirectiveContext,
    DirectiveError,
    Headers,
    Module,
    Order,
    Request,
    Result,
    Settings,
    Where,
    phases,
)
from coachwhip.util.escapes import escape_path

__all__ = ["MODULE", "DirConfig"]

#: The type that stands in for a handler where a folder has none.
DIRECTORY_TYPE = "httpd/unix-directory"
#: mod_rewrite is about to redirect internally; the folder is not ours.
REWRITE_HANDLER = "redirect-handler"
_NUMBER = re.compile(r"[0-9]{1,9}")
_REDIRECTS = {"on": 302, "off": 0, "permanent": 301, "temp": 302, "seeother": 303}


@dataclass(frozen=True, slots=True)
class DirConfig:
    """What this directory says."""

    index: tuple[str, ...] = ("index.html",)
    slash: bool = True
    #: Leave folders alone that have a handler already.
    check_handler: bool = False
    #: Status with which to send the client to the index file; 0 to serve it in place.
    index_redirect: int = 0
    fallback: str | None = None


def _index(context: DirectiveContext, raw: str) -> tuple[str, ...] | None:
    words = context.words(raw)
    return None if len(words) == 1 and words[0].lower() == "disabled" else tuple(words)


def _together(lines: Sequence[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Names add up within a section; `disabled` alone empties the list."""
    names: list[str] = []
    for line in lines:
        if line is None:
            names.clear()
        else:
            names += line
    return tuple(names)


def _index_redirect(context: DirectiveContext, word: str) -> int:
    known = _REDIRECTS.get(word.lower())
    if known is not None:
        return known
    if not word[:1] or word[0] not in "0123456789":
        raise DirectiveError("DirectoryIndexRedirect ON|OFF|permanent|temp|seeother|3xx", alone=True)
    number = int(word) if _NUMBER.fullmatch(word) else 0
    if not 300 <= number <= 399:
        raise DirectiveError("DirectoryIndexRedirect only accepts values between 300 and 399", alone=True)
    return number


def _fallback(context: DirectiveContext, path: str) -> str | None:
    return None if path.lower() == "disabled" else path


MODULE = Module(
    "dir_module",
    "mod_dir.c",
    dir_config=DirConfig,
    replayable=True,
    directives=(
        Directive("FallbackResource", Args.ONE, Where.INDEXES, sets="fallback", value=_fallback, help="Set a default handler"),
        Directive("DirectoryIndex", Args.RAW, Where.INDEXES, sets="index", value=_index, repeat=_together, help="a list of file names"),
        Directive("DirectorySlash", Args.FLAG, Where.INDEXES, sets="slash", help="On or Off"),
        Directive("DirectoryCheckHandler", Args.FLAG, Where.INDEXES, sets="check_handler", help="On or Off"),
        Directive(
            "DirectoryIndexRedirect",
            Args.ONE,
            Where.INDEXES,
            sets="index_redirect",
            value=_index_redirect,
            help="On, Off, or a 3xx status code.",
            differs="The Location is percent-encoded; Apache sends the decoded path.",
        ),
    ),
)


@MODULE.provider("index", "dir")
def first_index(settings: Settings) -> str | None:
    """The name of the file that a folder's request becomes if it is there, whatever else there is; None if these settings do not say."""
    conf = settings.get(DirConfig)
    return conf.index[0] if conf.index and not conf.index_redirect else None


@MODULE.hook(phases.fixups, Order.LAST, by_extension=True, in_place=True)
def serve_directory(r: Request) -> Result:
    """Turn a folder into its index file, and what does not exist into the fallback."""
    if r.finfo.kind is DIRECTORY:
        return _directory(r)
    if r.finfo.kind is MISSING and r.handler is None and r.uri != "*":
        return _serve_fallback(r)
    return DECLINED


def _directory(r: Request) -> Result:
    conf = r.config(DirConfig)
    if r.handler is None:
        r.handler = DIRECTORY_TYPE
    if r.path_info:
        return DECLINED
    if r.uri[-1:] != "/":
        return _add_slash(r) if conf.slash else DECLINED
    if r.handler == REWRITE_HANDLER or (conf.check_handler and r.handler != DIRECTORY_TYPE):
        if r.content_type == DIRECTORY_TYPE:
            r.content_type = None
        return DECLINED
    return _serve_index(r, conf)


def _add_slash(r: Request) -> Result:
    if r.method not in ("GET", "HEAD") and "redirect-carefully" in r.env:
        return DECLINED
    query = "" if r.args is None else f"?{r.args}"
    return r.redirect(301, r.construct_url(f"{_escaped(r.uri)}/{query}"))


def _escaped(path: str) -> str:
    return escape_path(path.encode("utf-8", "surrogateescape")).decode("ascii")


def _serve_index(r: Request, conf: DirConfig) -> Result:
    """The first name that is a file; else the last error met on the way; else the fallback."""
    error = 0
    for number, name in enumerate(conf.index, 1):
        sub = _look_up(r, name)
        if _is_found(sub):
            if conf.index_redirect:
                return r.redirect(conf.index_redirect, r.construct_url(_escaped(sub.uri)))
            return r.becomes(sub)
        if 300 <= sub.status < 400 or (number == len(conf.index) and sub.status in (401, 406)):
            return _pass_on(r, sub)
        if sub.status not in (200, 404):
            error = sub.status
    if error:
        return error
    r.notes["dir-index-names"] = ",".join(conf.index)
    return _serve_fallback(r)


def _serve_fallback(r: Request) -> Result:
    fallback = r.config(DirConfig).fallback
    if fallback is None:
        return DECLINED
    sub = _look_up(r, fallback)
    if _is_found(sub):
        return r.becomes(sub)
    if 300 <= sub.status < 400:
        return _pass_on(r, sub)
    return sub.status if sub.status not in (200, 404) else DECLINED


def _look_up(r: Request, name: str) -> Request:
    """The query takes part: the other resource may refuse it."""
    return r.lookup_uri(name if r.args is None else f"{name}?{r.args}")


def _is_found(sub: Request) -> bool:
    """Only a regular file counts: `/x/index.html` may well be `/x` with path info."""
    return sub.status == 200 and (sub.finfo.kind is REGULAR or sub.handler == "proxy-server")


def _pass_on(r: Request, sub: Request) -> int:
    """End as the sub-request did, with its notes and headers."""
    for name, note in sub.notes.items():
        r.notes.setdefault(name, note)
    r.headers_out = Headers([*r.headers_out.items(), *sub.headers_out.items()])
    r.err_headers_out = Headers([*r.err_headers_out.items(), *sub.err_headers_out.items()])
    return sub.status
