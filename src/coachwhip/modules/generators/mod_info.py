"""mod_info -- the handler `server-info`: the server's settings, modules, hooks and configuration as a page.

Reads the `Startup` record alone, so its answers change only with the configuration. What a page shows is escaped, except the
text of `AddModuleInfo`, which is HTML. Source: Apache manual, mod_info.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coachwhip import MODULE_MAGIC
from coachwhip.api import (
    Args,
    CoreServer,
    Data,
    Directive,
    DirectiveContext,
    End,
    Module,
    Outcome,
    Repeat,
    Request,
    Result,
    Startup,
    Where,
    append,
    phases,
    setting,
)
from coachwhip.api.identity import signature, software
from coachwhip.build import FEATURES, architecture, build_time, python_version
from coachwhip.util.escapes import escape_html
from coachwhip.util.patterns import ENGINE_VERSION


@dataclass(frozen=True, slots=True)
class InfoServer:
    """What `AddModuleInfo` lines say: (source name of the module, HTML)."""

    notes: tuple[tuple[str, str], ...] = setting((), fold=append)


def _read_note(context: DirectiveContext, module: str, html: str) -> tuple[tuple[str, str], ...]:
    return ((module, html),)


MODULE = Module(
    "info_module",
    "mod_info.c",
    (
        Directive("AddModuleInfo", Args.TWO, Where.SERVER, "notes", _read_note, Repeat.APPEND,
                  help="a module name and additional information on that module"),
    ),
    server_config=InfoServer,
    replayable=True,
)  # fmt: skip

HANDLER = "server-info"
_HEAD = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
  <title>Server Information</title>
</head>
<body><h1 style="text-align: center">Apache Server Information</h1>
"""
_SUBPAGES = (
    ("config", "Configuration Files"),
    ("server", "Server Settings"),
    ("list", "Module List"),
    ("hooks", "Active Hooks"),
    ("providers", "Available Providers"),
)
_SECTIONS = (
    ("modules", "Loaded Modules"),
    ("server", "Server Settings"),
    ("startup_hooks", "Startup Hooks"),
    ("request_hooks", "Request Hooks"),
    ("other_hooks", "Other Hooks"),
    ("providers", "Providers"),
)

#: Apache's hooks by the page section that lists them, under its titles; None where this server has no such phase.
_HOOKS: Mapping[str, tuple[tuple[phases.Phase | None, str], ...]] = {
    "startup_hooks": (
        (phases.pre_config, "Pre-Config"),
        (phases.check_config, "Check Configuration"),
        (phases.test_config, "Test Configuration"),
        (phases.post_config, "Post Configuration"),
        (phases.open_logs, "Open Logs"),
        (None, "Pre-MPM"),
        (None, "MPM"),
        (None, "Drop Privileges"),
        (None, "Retrieve Optional Functions"),
        (phases.child_init, "Child Init"),
    ),
    "request_hooks": (
        (phases.pre_connection, "Pre-Connection"),
        (None, "Create Connection"),
        (None, "Process Connection"),
        (phases.create_request, "Create Request"),
        (None, "Pre-Read Request"),
        (phases.post_read_request, "Post-Read Request"),
        (phases.header_parser, "Header Parse"),
        (None, "HTTP Scheme"),
        (None, "Default Port"),
        (phases.quick_handler, "Quick Handler"),
        (phases.pre_translate_name, "Pre-Translate Name"),
        (phases.translate_name, "Translate Name"),
        (phases.map_to_storage, "Map to Storage"),
        (phases.access_checker_ex, "Check Access"),
        (phases.access_checker, "Check Access (legacy)"),
        (phases.check_user_id, "Verify User ID"),
        (phases.note_auth_failure, "Note Authentication Failure"),
        (phases.auth_checker, "Verify User Access"),
        (phases.type_checker, "Check Type"),
        (phases.fixups, "Fixups"),
        (phases.insert_filter, "Insert Filters"),
        (phases.handler, "Content Handlers"),
        (phases.log_transaction, "Transaction Logging"),
        (phases.insert_error_filter, "Insert Errors"),
        (None, "Generate Log ID"),
    ),
    "other_hooks": (
        (None, "Monitor"),
        (None, "Child Status"),
        (None, "End Generation"),
        (None, "Error Logging"),
        (None, "Query MPM Attributes"),
        (None, "Query MPM Name"),
        (None, "Register Timed Callback"),
        (None, "Extend Expression Parser"),
        (None, "Set Management Items"),
    ),
}


@MODULE.hook(phases.handler, handlers=(HANDLER,))
def show_info(r: Request) -> Result:
    """Answer with the page that the query asks for: everything, one part, or one module."""
    r.allowed.add("GET")
    if r.method not in ("GET", "HEAD"):
        return Outcome.DECLINED
    r.set_content_type("text/html; charset=ISO-8859-1")
    body = "".join([_HEAD, *_content(r), signature(r), "</body></html>\n"])
    r.send(Data(body.encode("utf-8", "surrogateescape")), End())
    return Outcome.OK


def _content(r: Request) -> Iterator[str]:
    startup = r.engine.startup
    query = (r.args or "").encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")
    if r.args is None:
        yield from _everything(r, startup)
    elif query == "config":
        yield from _configuration(startup)
    elif query == "server":
        yield from _settings(r, startup)
        yield "<hr />"
    elif query == "list":
        yield "<dl><dt>Server Module List</dt>"
        yield from (f"<dd>{escape_html(module.source)}</dd>" for module in _modules(startup))
        yield "</dl><hr />"
    elif query == "hooks":
        yield from _hooks(r, link="?")
    elif query == "providers":
        yield from _providers(startup)
    else:
        yield from (text for module in _modules(startup) if module.source.lower() == query for text in _module(startup, module))


def _everything(r: Request, startup: Startup) -> Iterator[str]:
    links = ", ".join(f'<a href="?{name}">{title}</a>' for name, title in _SUBPAGES)
    yield f"<dl><dt><tt>Subpages:<br />{links}</tt></dt></dl><hr />"
    links = ", ".join(f'<a href="#{name}">{title}</a>' for name, title in _SECTIONS)
    yield f'<dl><dt><tt>Sections:<br />{links}</tt></dt></dl><hr /><h2><a name="modules">Loaded Modules</a></h2><dl><dt><tt>'
    yield "".join(f'<a href="#{m.source}">{escape_html(m.source)}</a>, ' for m in _modules(startup))
    yield "</tt></dt></dl><hr />"
    yield from _settings(r, startup)
    yield "<hr />"
    yield from _hooks(r, link="#")
    yield from _providers(startup)
    for module in _modules(startup):
        yield from _module(startup, module)


def _modules(startup: Startup) -> list[Module]:
    return sorted(startup.modules, key=lambda module: module.source)


def _settings(r: Request, startup: Startup) -> Iterator[str]:
    core = r.server.config(CoreServer)
    python, engine = python_version(), ENGINE_VERSION
    pairs = (
        ("Server loaded Python Version", python),
        ("Compiled with Python Version", python),
        ("Server loaded PCRE Version", engine),
        ("Compiled with PCRE Version", engine),
        ("Module Magic Number", "{}:{}".format(*MODULE_MAGIC)),
        ("Hostname/port", f"{escape_html(r.server_name())}:{r.server_port()}"),
        ("Timeouts", f"connection: {core.timeout:g} &nbsp;&nbsp; keep-alive: {core.keep_alive_timeout:g}"),
        ("MPM Name", escape_html(_mpm_name(startup))),
        ("MPM Information", _mpm_information(startup)),
        ("Server Architecture", architecture()),
        ("Server Root", escape_html(startup.server_root)),
        ("Config File", escape_html(_config_file(startup))),
    )
    yield '<h2><a name="server">Server Settings</a></h2><dl>'
    for title, value in (("Server Version", escape_html(software(r))), ("Server Built", build_time())):
        yield f'<dt><strong>{title}:</strong> <font size="+1"><tt>{value}</tt></font></dt>\n'
    yield from (f"<dt><strong>{title}:</strong> <tt>{value}</tt></dt>\n" for title, value in pairs)
    built = "".join(f" -D {one}\n" for one in FEATURES)
    yield f'<dt><strong>Server Built With:</strong>\n<tt style="white-space: pre;">\n{built}</tt></dt>\n</dl>'


def _mpm_name(startup: Startup) -> str:
    board = startup.scoreboard
    return board.mpm if board is not None else ""


def _mpm_information(startup: Startup) -> str:
    limits = startup.mpm
    processes = limits.server_limit if limits is not None else None
    threaded = "yes" if limits is not None and limits.threads_per_child else "no"
    return f"Max Daemons: {processes or 1} Threaded: {threaded} Forked: yes"


def _config_file(startup: Startup) -> str:
    """The file that the configuration begins in."""
    return startup.tree[0].location.file if startup.tree else ""


def _hooks(r: Request, *, link: str) -> Iterator[str]:
    """All phases with their hooks, as they run; `link` is what stands before a module's name in its address."""
    for section, title in _SECTIONS:
        if section not in _HOOKS:
            continue
        yield f'<h2><a name="{section}">{title}</a></h2>\n<dl>'
        for phase, name in _HOOKS[section]:
            found = [(hook.order, hook.module.source) for hook in r.engine.hooks.hooks(phase)] if phase is not None else []
            lines = "".join(f'&nbsp;&nbsp; {order:02d} <a href="{link}{s}">{s}</a> <br/>' for order, s in found)
            yield f"<dt><strong>{name}:</strong>\n <br /><tt>\n{lines}\n  </tt>\n</dt>\n"
        yield "</dl>\n<hr />\n"


def _providers(startup: Startup) -> Iterator[str]:
    yield '<h2><a name="providers">Providers</a></h2>\n<dl>'
    known = sorted({(kind, name) for module in startup.modules for kind, name, _ in module.providers})
    for group in sorted({kind for kind, _ in known}):
        names = "".join(f"<tt>&nbsp;&nbsp;{escape_html(name)}</tt><br/>" for kind, name in known if kind == group)
        yield f"<dt><strong>{escape_html(group)}</strong> (version <tt>0</tt>):\n <br />\n{names}\n</dt>\n"
    yield "</dl>\n<hr />\n"


def _module(startup: Startup, module: Module) -> Iterator[str]:
    source = escape_html(module.source)
    phases_of = {hook.phase for hook in module.hooks}
    records = ((module.dir_config, _DIR_PHASES), (module.server_config, _SERVER_PHASES))
    settings = _listed([name for record, names in records if record is not None for name in names])
    part = _listed([title for phase, title in _HOOKS["request_hooks"] if phase in phases_of])
    handlers = "yes" if phases.handler in phases_of else "none"
    yield f'<dl><dt><a name="{source}"><strong>Module Name:</strong></a> '
    yield f'<font size="+1"><tt><a href="?{source}">{source}</a></tt></font></dt>\n'
    yield f"<dt><strong>Content handlers:</strong> <tt> <em>{handlers}</em></tt></dt>"
    yield f"<dt><strong>Configuration Phase Participation:</strong>\n{settings}</dt>"
    yield f"<dt><strong>Request Phase Participation:</strong>\n{part}</dt>\n"
    if module.directives:
        rows = "".join(f"<dd><tt>{_title(row)} - <i>{escape_html(row.help)}</i></tt></dd>\n" for row in module.directives)
        yield f"<dt><strong>Module Directives:</strong></dt>{rows}<dt><strong>Current Configuration:</strong></dt>\n"
        yield from _lines_of(startup, {row.name.lower() for row in module.directives})
    else:
        yield "<dt><strong>Module Directives:</strong> <tt>none</tt></dt>"
    for name, html in startup.main.config(InfoServer).notes:
        if name == module.source:
            yield f"<dt><strong>Additional Information:</strong>\n</dt><dd>{html}</dd>"
    yield "</dl><hr />\n"


_DIR_PHASES = ("Create Directory Config", "Merge Directory Configs")
_SERVER_PHASES = ("Create Server Config", "Merge Server Configs")


def _listed(names: list[str]) -> str:
    return ", ".join(f"<tt>{name}</tt>" for name in names) or "<tt> <em>none</em></tt>"


def _title(row: Directive) -> str:
    return f"&lt;{row.name}&gt;" if row.section else row.name


def _configuration(startup: Startup) -> Iterator[str]:
    yield "<dl><dt><strong>Configuration:</strong>\n"
    yield from _lines_of(startup, None)
    yield "</dl><hr />"


def _lines_of(startup: Startup, names: set[str] | None) -> Iterator[str]:
    """The lines of these directives (None: all), with the containers around them, under the files they stand in."""
    file = ""
    for node, depth in _walk(startup.tree or (), 0, names):
        if isinstance(node, str):
            yield f"<dd><tt>{_number('')}:&nbsp;{_INDENT * depth}&lt;/{escape_html(node)}&gt;</tt></dd>"
            continue
        if node.location.file != file:
            file = node.location.file
            yield f"<dd><tt><strong>In file: {escape_html(file)}</strong></tt></dd>\n"
        yield f"<dd><tt>{_number(str(node.location.line))}:&nbsp;{_INDENT * depth}{_text(node)}</tt></dd>\n"


_INDENT = "&nbsp;&nbsp;"


def _number(line: str) -> str:
    return "&nbsp;" * (4 - len(line)) + line


def _text(node: Any) -> str:
    name, arguments = escape_html(node.name), escape_html(node.args)
    return f"{name} {arguments}" if node.name.startswith("<") else f"{name} <i>{arguments}</i>"


def _walk(nodes: Any, depth: int, names: set[str] | None) -> Iterator[tuple[Any, int]]:
    """The nodes that concern these directives, and the name of each container at its end, with their depths."""
    for node in nodes:
        if names is not None and not _concerns(node, names):
            continue
        yield node, depth
        yield from _walk(node.children, depth + 1, names)
        if node.name.startswith("<"):
            yield node.name[1:], depth


def _concerns(node: Any, names: set[str]) -> bool:
    """Whether a line, or one inside it, is of one of these directives."""
    return node.name.lstrip("<").lower() in names or any(_concerns(child, names) for child in node.children)
