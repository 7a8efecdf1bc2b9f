"""`coachwhip serve [DIR]`: a folder, now, with good defaults; without DIR the welcome site.

The configuration behind it is `sites/folder.conf` (or the welcome site's own), an ordinary httpd.conf with a few names filled in.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib.resources import files

from coachwhip.api.mpm import ServerMpm
from coachwhip.config import ConfigError, LoadOptions
from coachwhip.launch import launch
from coachwhip.server import StartRefused

__all__ = ["run"]


def run(arguments: list[str]) -> int:
    """Serve until interrupted; returns the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.folder is not None and not os.path.isdir(asked.folder):
        print(f"coachwhip serve: '{asked.folder}' is not a folder", file=sys.stderr)
        return 1
    options = _options(asked)
    host, port = asked.host, asked.port

    def ready() -> None:
        shown = f"[{host}]" if ":" in host else host
        what = os.path.realpath(asked.folder) if asked.folder is not None else "the welcome site"
        print(f"Coachwhip serves {what} on http://{shown}:{port}/  (Ctrl-C ends it)", flush=True)

    try:
        return launch(options, ready=ready)
    except (ConfigError, StartRefused, OSError) as error:
        print(f"coachwhip serve: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coachwhip serve", description="Serve a folder; without DIR, the welcome site.")
    parser.add_argument("folder", nargs="?", metavar="DIR", help="the folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; :: for all)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default 8080)")
    parser.add_argument("--htaccess", action="store_true", help="let .htaccess files in DIR take part")
    parser.add_argument("--quiet", action="store_true", help="print no line per request")
    parser.add_argument("-c", action="append", default=[], metavar="LINE", help="a configuration line, read last")
    return parser


def _options(asked: argparse.Namespace) -> LoadOptions:
    sites = str(files("coachwhip").joinpath("sites"))
    listen = f"[{asked.host}]:{asked.port}" if ":" in asked.host else f"{asked.host}:{asked.port}"
    names = {"SITES": sites, "ADDRESS": listen, "NAME": f"localhost:{asked.port}"}
    defines = [] if asked.quiet else ["LOG_TO_TERMINAL"]
    if asked.folder is None:
        conf = os.path.join(sites, "welcome", "conf", "httpd.conf")
    else:
        conf = os.path.join(sites, "folder.conf")
        names |= {"FOLDER": os.path.realpath(asked.folder), "OVERRIDE": "All" if asked.htaccess else "None"}
    # Serving a folder is done as whoever asks for it, root included; `httpd` wants a `User` for that.
    own = {"user": f"#{os.getuid()}", "group": f"#{os.getgid()}"}
    if os.geteuid() == 0:
        print("coachwhip serve: running as root; everything in the folder can be read by the server", file=sys.stderr)
    return LoadOptions(sites, conf, defines=defines, after=asked.c, environment=names, preset={ServerMpm: own})
