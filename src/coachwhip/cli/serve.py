"""`coachwhip serve [DIR]`: a folder, now, with good defaults; without DIR the welcome site.

The configuration behind it is `sites/folder.conf` (or the welcome site's own), an ordinary httpd.conf with a few names filled in.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import re
import socket
import sys
from importlib.resources import files

from coachwhip.api.mpm import ServerMpm
from coachwhip.checks import configure
from coachwhip.config import ConfigError, LoadOptions
from coachwhip.launch import launch
from coachwhip.mpm.generation import StartFailed
from coachwhip.mpm.listeners import BindError
from coachwhip.mpm.privileges import PrivilegeError, main_group
from coachwhip.mpm.signals import GUNICORNS
from coachwhip.server import StartRefused

__all__ = ["run"]

#: Seconds that requests under way get when it is told to end; gunicorn's figure.
GRACE = 30.0


def run(arguments: list[str]) -> int:
    """Serve until interrupted; returns the exit status."""
    asked = _parser().parse_args(arguments)
    if asked.folder is not None and (wrong := _wrong_with(asked.folder)):
        print(f"coachwhip serve: '{_printable(asked.folder)}' {wrong}", file=sys.stderr)
        return 1
    if refusal := _wrong_with_user(asked):
        print(f"coachwhip serve: {refusal}", file=sys.stderr)
        return 1
    if os.geteuid() == 0 and asked.user is None:
        print("coachwhip serve: running as root; everything in the folder can be read by the server", file=sys.stderr)
    host, port = asked.host, asked.port

    def ready() -> None:
        shown = f"[{host}]" if ":" in host else host
        what = _printable(os.path.realpath(asked.folder)) if asked.folder is not None else "the welcome site"
        print(f"Coachwhip serves {what} on http://{shown}:{port}/  (Ctrl-C ends it)", flush=True)

    try:
        options = _options(asked)
        return launch(configure(options), options, has_pid_file=False, ready=ready, table=GUNICORNS)
    except BindError as error:
        print(f"coachwhip serve: {_explain(error, host, port)}", file=sys.stderr)
    except (ConfigError, StartRefused, StartFailed, PrivilegeError, OSError) as error:
        print(f"coachwhip serve: {error}", file=sys.stderr)
    return 1


def _wrong_with(folder: str) -> str:
    """Why a folder cannot be served; "" if it can."""
    if not os.path.isdir(folder):
        return "is not a folder"
    if not os.access(folder, os.R_OK | os.X_OK):
        return "may not be read by you"
    return ""


def _wrong_with_user(asked: argparse.Namespace) -> str:
    """Why nothing is served by whoever asks for it; "" if it is."""
    if os.geteuid() != 0:
        return "only root can serve as somebody else (--user)" if asked.user is not None else ""
    if asked.user is not None or asked.allow_root:
        return ""
    if _is_loopback(asked.host):
        return ""
    return "you are root: say --user NAME for whom to serve others as, or --allow-root if it must be root"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _explain(error: BindError, host: str, port: int) -> str:
    """Why an address cannot be had, and what to type instead."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; try --port {_free_port(host, port)}"
    if error.errno == errno.EACCES:
        return f"port {port} is for root alone; try --port {_free_port(host, 8080)}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; try --host 127.0.0.1"
    return str(error)


def _free_port(host: str, first: int) -> int:
    """The next port that nothing listens on now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + 100, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    return first


def _printable(path: str) -> str:
    """A path for a terminal: whatever is no printable character is escaped."""
    return "".join([char if char.isprintable() else ascii(char)[1:-1] for char in path])


def _port(word: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", word, re.ASCII) or not 1 <= int(word) <= 65535:
        raise argparse.ArgumentTypeError(f"'{word}' is no port: a number from 1 to 65535 is")
    return int(word)


def quoted(path: str) -> str:
    """A path as it stands between double quotes in a configuration."""
    return path.replace("\\", "\\\\").replace('"', '\\"')


def pattern(path: str) -> str:
    """The `<Directory>` pattern that matches this path and nothing else, as it stands between double quotes.

    A path is a pattern only if it has an unescaped wildcard in it; in a class of its own a wildcard means itself.
    """
    if not re.search(r"[*?\[]", path):
        return quoted(path)
    return quoted(re.sub(r"[*?\[]", r"[\g<0>]", path.replace("\\", "\\\\")))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="coachwhip serve", description="Serve a folder; without DIR, the welcome site.")
    parser.add_argument("folder", nargs="?", metavar="DIR", help="the folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1; :: for all)")
    parser.add_argument("--port", type=_port, default=8080, help="port to listen on (default 8080)")
    parser.add_argument("--htaccess", action="store_true", help="let .htaccess files in DIR take part")
    parser.add_argument("--user", metavar="NAME[:GROUP]", help="whom to serve as, if you are root")
    parser.add_argument("--allow-root", action="store_true", help="serve others as root")
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
        folder = os.path.realpath(asked.folder)
        names |= {"FOLDER": quoted(folder), "FOLDER_PATTERN": pattern(folder), "OVERRIDE": "All" if asked.htaccess else "None"}
    # Serving a folder is done as whoever asks for it; `httpd` wants a `User` for that.
    user, _, group = (asked.user or f"#{os.getuid()}:#{os.getgid()}").partition(":")
    own = {"user": user, "group": group or main_group(user), "allow_root": asked.user is None, "graceful_shutdown_timeout": GRACE}
    return LoadOptions(sites, conf, defines=defines, after=asked.c, environment=names, preset={ServerMpm: own})
