"""The containers of `core` that make sections: `<Directory>`, `<Files>`, `<Location>`, `<If>`, `<Limit>`, `<VirtualHost>`.

Their rows are in `modules/core/`, without a `value`; what they do is here, since sections belong to this room.
Source: Apache manual, "Configuration Sections"; checks and sentences compared with 2.4.71.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from coachwhip.api.core import CoreServer
from coachwhip.api.directives import DirectiveError
from coachwhip.config.context import Context, Methods, Scope
from coachwhip.config.evaluation import SectionReader, Walker
from coachwhip.config.sections import Section, SectionKind
from coachwhip.config.shapes import inside_bracket, section_argument
from coachwhip.expr import ExprError, Expression, parse
from coachwhip.util.paths import is_fnmatch
from coachwhip.util.patterns import Pattern, PatternError

__all__ = ["container_readers"]

#: Methods that Apache knows without being told.
STANDARD_METHODS = frozenset(
    ("GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
     "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE",
     "MKACTIVITY", "BASELINE-CONTROL", "MERGE")
)  # fmt: skip

#: What a new `<VirtualHost>` is told to: its place, addresses as written, and the walk of its lines.
AddVirtualHost = Callable[[Context, Section], Scope]


def _refuse(message: str) -> DirectiveError:
    return DirectiveError(message, alone=True)


def _check_place(context: Context, *inside: str) -> None:
    """Refuse a container in a `<Limit>`, or below one of the containers `inside`.

    `<Directory>` and `<Location>` in another section need no check: their rows are for server level only.
    """
    if context.scope.methods is not None:
        raise _refuse(f"{context.node.title} cannot occur within <Limit> or <LimitExcept> section")
    above = context.node.parent
    while above is not None:
        if above.name.lower() in inside:
            raise _refuse(f"{context.node.title} cannot occur within {above.title} section")
        above = above.parent


def _pattern_of(context: Context, raw: str, *, is_match: bool) -> tuple[str, bool]:
    """The path or pattern of a container, and whether it is a regular expression."""
    name = context.row.name
    inside = section_argument(name, raw)
    word, rest = context.word(inside)
    is_regex = is_match
    if not is_match and word == "~":
        is_regex = True
        word, rest = context.word(rest)
    if rest:
        raise _refuse(f"Multiple <{name}> arguments not (yet) supported.")
    return word, is_regex


def _compile(pattern: str) -> Pattern:
    try:
        return Pattern(pattern)
    except PatternError as error:
        raise _refuse("Regex could not be compiled") from error


def _open(context: Context, raw: str, plain: SectionKind, match: SectionKind, path: Callable[[str], str]) -> Section:
    """A new section of one of two kinds, its pattern read; `path` prepares a plain one."""
    pattern, is_regex = _pattern_of(context, raw, is_match=context.row.name == match.value)
    kind = match if is_regex else plain
    if is_regex:
        return Section(kind, pattern, context.location, regex=_compile(pattern))
    pattern = path(pattern)
    return Section(kind, pattern, context.location, is_glob=is_fnmatch(pattern))


def _walk(walker: Walker, context: Context, section: Section) -> None:
    scope = context.scope.inside(section, section.pattern, is_regex=section.regex is not None)
    walker.walk(context.node.children, scope)


def _directory(walker: Walker, context: Context, raw: str) -> None:
    _check_place(context)
    section = _open(context, raw, SectionKind.DIRECTORY, SectionKind.DIRECTORY_MATCH, _directory_path)
    _walk(walker, context, section)
    context.scope.directories.append(section)


def _directory_path(path: str) -> str:
    """Absolute, without "." and "..", with a slash at the end."""
    if path == "/":
        return path
    if not path or "\0" in path:
        raise _refuse(f'<Directory "{path}"> path is invalid.')
    return os.path.normpath(os.path.join(os.getcwd(), path)).replace("//", "/").rstrip("/") + "/"


def _location(walker: Walker, context: Context, raw: str) -> None:
    _check_place(context)
    section = _open(context, raw, SectionKind.LOCATION, SectionKind.LOCATION_MATCH, lambda path: path)
    _walk(walker, context, section)
    context.scope.locations.append(section)


def _files(walker: Walker, context: Context, raw: str) -> None:
    _check_place(context, "<location", "<locationmatch")
    section = _open(context, raw, SectionKind.FILES, SectionKind.FILES_MATCH, lambda name: name)
    _walk(walker, context, section)
    context.scope.section.files.append(section)


def _if(walker: Walker, context: Context, raw: str) -> None:
    _check_place(context)
    kind = SectionKind(context.row.name)
    inside = inside_bracket(kind.value, raw)
    section = Section(kind, "", context.location)
    if kind is not SectionKind.ELSE:
        section.pattern, rest = context.word(section_argument(kind.value, raw))
        if rest:
            raise _refuse(f"Multiple <{kind.value}> arguments not supported.")
        section.condition = _condition(context, section.pattern)
    elif inside:
        raise _refuse("<Else> does not take an argument")
    before = context.scope.section.ifs
    if kind is not SectionKind.IF and (not before or before[-1].kind is SectionKind.ELSE):
        raise _refuse("<Else> or <ElseIf> section without previous <If> or <ElseIf> section in same scope")
    walker.walk(context.node.children, context.scope.inside(section, "*If", is_regex=False))
    before.append(section)


def _condition(context: Context, text: str) -> Expression:
    try:
        return parse(text, restricted=context.in_htaccess)
    except ExprError as error:
        raise _refuse(f"Cannot parse condition clause: {error.message}") from error


def _limit(walker: Walker, context: Context, raw: str) -> None:
    name = context.row.name
    listed = frozenset(context.words(section_argument(name, raw)))
    is_except = name == "LimitExcept"
    if "TRACE" in listed and not is_except:
        raise _refuse("TRACE cannot be controlled by <Limit>, see TraceEnable")
    _register(context, listed)
    if listed & {"GET", "HEAD"}:
        # One method to Apache.
        listed |= {"GET", "HEAD"}
    methods = Methods(listed, is_except).within(context.scope.methods)
    if methods.is_empty:
        raise _refuse(f"{context.node.title} directive excludes all methods")
    if methods == context.scope.methods:
        raise _refuse(f"{context.node.title} directive specifies methods already excluded")
    walker.walk(context.node.children, replace(context.scope, methods=methods))


def _register(context: Context, listed: frozenset[str]) -> None:
    """A method that a server's own files limit is known from then on; a `.htaccess` cannot make one known."""
    known: frozenset[str] = context.scope.server.get(CoreServer, "registered_methods") or frozenset()
    new = listed - STANDARD_METHODS - known
    if not new:
        return
    if context.in_htaccess:
        raise _refuse(f"Could not register method '{min(new)}' for {context.node.name} from .htaccess configuration")
    context.scope.server.set(CoreServer, "registered_methods", known | new, context.location)


def _virtual_host(add: AddVirtualHost) -> SectionReader:
    def read(walker: Walker, context: Context, raw: str) -> None:
        if context.scope.in_virtual_host:
            raise _refuse(f"{context.node.title} cannot occur within <VirtualHost> section")
        inside = section_argument("VirtualHost", raw)
        section = Section(SectionKind.VIRTUAL_HOST, inside, context.location)
        walker.walk(context.node.children, add(context, section))

    return read


def container_readers(add_virtual_host: AddVirtualHost) -> dict[str, SectionReader]:
    """Lower-case name → how the container is read."""
    return {
        "<directory": _directory,
        "<directorymatch": _directory,
        "<location": _location,
        "<locationmatch": _location,
        "<files": _files,
        "<filesmatch": _files,
        "<if": _if,
        "<elseif": _if,
        "<else": _if,
        "<limit": _limit,
        "<limitexcept": _limit,
        "<virtualhost": _virtual_host(add_virtual_host),
    }
