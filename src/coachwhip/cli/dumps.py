"""What `-S`, `-M` and `-L` print about a configuration that was read: pure text in Apache's shapes, which programs parse.

`-DDUMP_INCLUDES` and `-DDUMP_CONFIG` are in `config/dump.py`, beside the trees they show. Shapes compared with 2.4.71.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from coachwhip.api.core import CoreServer
from coachwhip.api.directives import Directive, Where
from coachwhip.api.module import Module
from coachwhip.api.mpm import ServerMpm
from coachwhip.api.server import Server
from coachwhip.config import Loaded
from coachwhip.modules import STATIC
from coachwhip.mpm.privileges import PrivilegeError, find_group, find_user

__all__ = ["directives_text", "modules_text", "run_settings_text", "virtual_hosts_text"]

Address = tuple[str | None, int | None]


def modules_text(loaded: Loaded) -> str:
    """`-M`: the modules in load order, the built-in ones first."""
    lines = [f" {module.identifier} ({'static' if module.identifier in STATIC else 'shared'})" for module in loaded.modules]
    return "".join([f"{line}\n" for line in ("Loaded Modules:", *lines)])


# -- -S, first part


def virtual_hosts_text(loaded: Loaded) -> str:
    """The virtual hosts by address: those that name one, then the wildcards; hosts of one address in order of appearance."""
    by_address = _hosts_by_address(loaded.servers)
    named = [address for address in by_address if address[0] is not None]
    wild = [address for address in by_address if address[0] is None]
    lines = ["VirtualHost configuration:"]
    for address in named + wild:
        lines += _address_lines(address, by_address[address])
    return "".join([f"{line}\n" for line in lines])


def _hosts_by_address(servers: Iterable[Server]) -> dict[Address, list[Server]]:
    """Apache reads the hosts from the last to the first and puts each new address in front."""
    found: dict[Address, list[Server]] = {}
    for server in reversed(list(servers)):
        for address in server.addresses:
            hosts = found.setdefault(address, [])
            if server not in hosts:
                hosts.insert(0, server)
    return dict(reversed(found.items()))


def _address_lines(address: Address, hosts: list[Server]) -> Iterator[str]:
    title = f"{_host_text(address[0])}:{_port_text(address[1])}"
    if len(hosts) == 1:
        yield f"{title:<22} {_host_line(hosts[0])}"
        return
    yield f"{title:<22} is a NameVirtualHost"
    yield f"{'':8} default server {_host_line(hosts[0])}"
    for host in hosts:
        yield f"{'':8} port {_port_text(address[1])} namevhost {_host_line(host)}"
        core = host.config(CoreServer)
        yield from [f"{'':16} alias {name}" for name in core.aliases]
        yield from [f"{'':16} wild alias {name}" for name in core.wild_aliases]


def _host_text(host: str | None) -> str:
    if host is None:
        return "*"
    return f"[{host}]" if ":" in host else host


def _port_text(port: int | None) -> str:
    return "*" if port is None else str(port)


def _host_line(server: Server) -> str:
    place = f" ({server.location.file}:{server.location.line})" if server.location is not None else ""
    return f"{server.name}{place}"


# -- -S, second part


def run_settings_text(loaded: Loaded, defines: Iterable[str]) -> str:
    """Roots, logs, mutexes, pid file, defines, user and group; `defines` are the names of the command line."""
    core, mpm = loaded.main.config(CoreServer), loaded.main.config(ServerMpm)
    lines = [
        f'ServerRoot: "{loaded.server_root}"',
        f'Main DocumentRoot: "{core.document_root}"',
        f'Main ErrorLog: "{_log_target(core.error_log, loaded.server_root)}"',
        *_mutex_lines(loaded, core),
        f'PidFile: "{_below(loaded.server_root, mpm.pid_file)}"',
        *_define_lines(loaded, defines),
        f"User: {_identity(mpm.user, find_user)}",
        f"Group: {_identity(mpm.group, find_group)}",
    ]
    return "".join([f"{line}\n" for line in lines])


def _below(root: str, path: str) -> str:
    return path if path.startswith("/") else f"{root}/{path}"


def _log_target(target: str, root: str) -> str:
    return target if target.startswith("|") or target.split(":")[0] == "syslog" else _below(root, target)


def _mutex_lines(loaded: Loaded, core: CoreServer) -> Iterator[str]:
    folder = f"{loaded.runtime_dir or loaded.server_root + '/logs'}/"
    for name, word in {"default": "default", **core.mutexes}.items():
        mechanism, _, own = word.partition(":")
        where = _below(loaded.server_root, own) if own else folder
        mechanism = {"file": "fcntl", "sem": "posixsem"}.get(mechanism.lower(), mechanism.lower())
        yield f'Mutex {name}: dir="{where}" mechanism={mechanism} '


def _define_lines(loaded: Loaded, defines: Iterable[str]) -> Iterator[str]:
    for name in dict.fromkeys([*defines, *loaded.defines]):
        value = loaded.defines.get(name, "")
        yield f"Define: {name}={value}" if value else f"Define: {name}"


def _identity(name: str, find: Callable[[str], int]) -> str:
    try:
        number = find(name) & 0xFFFFFFFF
    except PrivilegeError:
        number = 0xFFFFFFFF
    return f'name="{name}" id={number}' + ("" if os.geteuid() == 0 else " not_used")


# -- -L


def directives_text(loaded: Loaded) -> str:
    """Every directive of the loaded modules with its help line and where it may stand."""
    return "".join([_directive_text(row, module) for module in loaded.modules for row in module.directives])


def _directive_text(row: Directive, module: Module) -> str:
    name = f"<{row.name}" if row.section else row.name
    place = _allowed(row.where, has_settings=module.dir_config is not None)
    return f"{name} ({module.source})\n\t{row.help}\n\tAllowed in *.conf {place}\n"


def _allowed(where: Where, *, has_settings: bool) -> str:
    """In Apache's words."""
    override = where.override
    at_server = bool(where & Where.SERVER) or bool(override & ~(Where.AUTHCONFIG | Where.LIMIT))
    in_section = bool(where & Where.SECTION) or bool(override)
    place = "anywhere" if at_server and in_section else _ONE_PLACE[at_server]
    if not override:
        return place
    if not has_settings:
        place += " [no per-dir config]"
    return f"{place} and in .htaccess\n\t{_override_text(override)}"


_ONE_PLACE = {
    True: "only outside <Directory>, <Files>, <Location>, or <If>",
    False: "only inside <Directory>, <Files>, <Location>, or <If>",
}
_CLASSES = (
    (Where.AUTHCONFIG, "AuthConfig"),
    (Where.LIMIT, "Limit"),
    (Where.OPTIONS, "Options"),
    (Where.FILEINFO, "FileInfo"),
    (Where.INDEXES, "Indexes"),
)


def _override_text(override: Where) -> str:
    if override == Where.ALL:
        return "when AllowOverride isn't None"
    return "when AllowOverride includes " + " or ".join([word for bit, word in _CLASSES if override & bit])
