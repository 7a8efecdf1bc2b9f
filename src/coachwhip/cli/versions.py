"""What `-v`, `-V` and `-l` print, and the built-in places of the configuration.

Programs that drive an httpd binary run these three and parse them, so the shapes are Apache's and nothing heavy is imported: no
configuration is read, and a module's source name follows from its identifier.
"""

from __future__ import annotations

import os

from coachwhip import APACHE_VERSION, MODULE_MAGIC, __version__
from coachwhip.build import FEATURES, architecture, build_time, python_version
from coachwhip.modules import STATIC

__all__ = ["PLACES", "built_in_place", "compiled_in", "server_version", "settings"]

#: (ServerRoot, configuration in it), where distributions of Apache keep theirs; the first that is there is used.
PLACES = (
    ("/etc/coachwhip", "httpd.conf"),
    ("/etc/apache2", "apache2.conf"),
    ("/etc/httpd", "conf/httpd.conf"),
    ("/etc/apache2", "httpd.conf"),
    ("/usr/local/etc/apache24", "httpd.conf"),
    ("/usr/local/apache2", "conf/httpd.conf"),
)

#: Identifiers whose source file is not `mod_NAME.c`.
_SOURCES = {"core_module": "core.c", "http_module": "http_core.c"}


def built_in_place() -> tuple[str, str]:
    """ServerRoot and configuration file where `-d` and `-f` name none."""
    for root, name in PLACES:
        if os.path.exists(os.path.join(root, name)):
            return root, name
    return PLACES[0]


def server_version() -> str:
    """Two lines: `Server version:` and `Server built:`."""
    version = ".".join(map(str, APACHE_VERSION))
    return f"Server version: Apache/{version} (Coachwhip {__version__})\nServer built:   {build_time()}\n"


def compiled_in() -> str:
    """The modules that need no `LoadModule`, one source name a line."""
    names = [_SOURCES.get(identifier, f"mod_{identifier.removesuffix('_module')}.c") for identifier in STATIC]
    return "Compiled in modules:\n" + "".join([f"  {name}\n" for name in names])


def settings() -> str:
    """All of `-V`."""
    root, name = built_in_place()
    python = python_version()
    facts = (
        ("Server's Module Magic Number:", "{}:{}".format(*MODULE_MAGIC)),
        ("Server loaded: ", python),
        ("Compiled using:", python),
        ("Architecture:  ", architecture()),
        ("Server MPM:    ", "event"),
        ("  threaded:    ", "yes (fixed thread count)"),
        ("    forked:    ", "yes (variable process count)"),
    )
    values = (
        ("HTTPD_ROOT", root),
        ("SUEXEC_BIN", ""),
        ("DEFAULT_PIDLOG", "logs/httpd.pid"),
        ("DEFAULT_SCOREBOARD", "logs/apache_runtime_status"),
        ("DEFAULT_ERRORLOG", "logs/error_log"),
        ("AP_TYPES_CONFIG_FILE", "conf/mime.types"),
        ("SERVER_CONFIG_FILE", name),
    )
    lines = [f"{label} {value}" for label, value in facts]
    lines.append("Server compiled with....")
    lines += [f" -D {one}" for one in FEATURES]
    lines += [f' -D {label}="{value}"' for label, value in values if value]
    return server_version() + "".join([f"{line}\n" for line in lines])
