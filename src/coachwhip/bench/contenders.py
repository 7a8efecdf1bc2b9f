"""The servers that can take part: how each is found, named, configured and started. One row of `CONTENDERS` per server.

All get one worker process, the access log on a file in the combined format, the same files, and the settings that serve them best
without changing what is answered. Nothing under /etc is read or touched.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from coachwhip import __version__
from coachwhip.bench.site import TYPES
from coachwhip.bench.workloads import Features, Serves

__all__ = ["CONTENDERS", "Contender", "Place", "found", "render", "worker_user"]

_MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules", "/usr/libexec/apache2")
#: Threads of Apache's only worker: more than the standard load has connections, or it would close kept ones to make room.
THREADS = 128
_APP = "coachwhip.bench.app"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server runs: its own folder (configuration, logs), the files it serves, and its port."""

    folder: Path
    root: Path
    port: int
    #: Open connections it has to bear.
    connections: int
    features: Features
    #: False: every request comes on a connection of its own.
    keeps: bool = True


@dataclass(frozen=True, slots=True)
class Contender:
    """A server: a key for the figures, a title for people, and its abilities."""

    key: str
    title: str
    #: Path of the program or name of the Python module; empty if there is none.
    find: Callable[[], str]
    version: Callable[[str], str]
    #: (what `find` gave, configuration file, place) → command that stays in the foreground.
    command: Callable[[str, Path, Place], list[str]]
    #: Template in `configs/`; empty: the command says it all.
    template: str = ""
    #: What it can answer; others may take part with less than all.
    serves: Serves = Serves.FILES
    #: Lines of the access log are gathered before they are written.
    buffered: bool = False
    #: Takes part without being asked for.
    default: bool = True
    #: What is unlike the others.
    note: str = ""

    def prepare(self, place: Place) -> list[str]:
        """Write the configuration into the place; return the command to start."""
        conf = place.folder / "server.conf"
        conf.write_text(render(self, place), encoding="utf-8")
        (place.folder / "mime.types").write_text("".join(f"{kind} {ext}\n" for ext, kind in TYPES.items()), encoding="ascii")
        return self.command(self.find(), conf, place)


def render(contender: Contender, place: Place) -> str:
    """The text of a server's configuration; empty if it has none."""
    if not contender.template:
        return ""
    user, group = worker_user()
    text = files("coachwhip.bench").joinpath("configs", contender.template).read_text(encoding="utf-8")
    template = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, autoescape=False).from_string(text)  # noqa: S701
    return template.render(
        is_coachwhip=contender.key.startswith("coachwhip"), buffered=contender.buffered, user=user, group=group, types=TYPES,
        folder=place.folder, root=place.root, port=place.port, connections=place.connections, threads=THREADS,
        descriptors=2 * place.connections + 2048, modules=_modules(), gzip=place.features.gzip, htaccess=place.features.htaccess,
        hosts=place.features.hosts, replay=place.features.replay,
    )  # fmt: skip


def found(keys: list[str] | None = None) -> list[Contender]:
    """The servers on this machine, in the table's order; with `keys`, exactly those.

    Raises:
        LookupError: a key is unknown, or its server is not installed.
    """
    if keys is None:
        return [contender for contender in CONTENDERS if contender.default and contender.find()]
    by_key = {contender.key: contender for contender in CONTENDERS}
    for key in keys:
        if key not in by_key:
            raise LookupError(f"there is no server '{key}'; known are {', '.join(by_key)}")
        if not by_key[key].find():
            raise LookupError(f"'{key}' is not installed")
    return [contender for contender in CONTENDERS if contender.key in keys]


def _modules() -> str:
    return next((folder for folder in _MODULES if os.path.isdir(folder)), "modules")


def worker_user() -> tuple[str, str]:
    """Whom a server started by root becomes; two empty strings for anybody else."""
    if os.geteuid() != 0:
        return "", ""
    for name in ("www-data", "apache", "http", "nobody"):
        try:
            return name, grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name
        except KeyError:
            continue
    return "nobody", "nogroup"


def _program(*names: str) -> Callable[[], str]:
    """Finds a program, also in the folders that are only in root's PATH."""

    def find() -> str:
        path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        return next((where for name in names if (where := shutil.which(name, path=path))), "")

    return find


def _module(name: str) -> Callable[[], str]:
    """Finds a Python module of this interpreter."""
    return lambda: name if find_spec(name) is not None else ""


def _asked(*flags: str, pattern: str = r"[0-9]+(?:\.[0-9]+)+") -> Callable[[str], str]:
    """Asks a program for its version."""

    def version(program: str) -> str:
        command = [program, *flags] if os.sep in program else [sys.executable, "-m", program, *flags]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return "?"
        match = re.search(pattern, done.stdout + done.stderr)
        return match[0] if match else "?"

    return version


def _coachwhip(_: str, conf: Path, place: Place) -> list[str]:
    return [sys.executable, "-m", "coachwhip", "httpd", "-d", str(place.folder), "-f", str(conf), "-DFOREGROUND"]


def _apache(program: str, conf: Path, place: Place) -> list[str]:
    return [program, "-d", str(place.folder), "-f", str(conf), "-DFOREGROUND"]


def _nginx(program: str, conf: Path, place: Place) -> list[str]:
    return [program, "-e", str(place.folder / "error.log"), "-p", str(place.folder), "-c", str(conf)]


def _gunicorn(name: str, _: Path, place: Place) -> list[str]:
    log = str(place.folder / "access.log")
    return [sys.executable, "-m", name, "-w", "1", "-k", "sync", "-b", f"127.0.0.1:{place.port}", "--access-logfile", log, f"{_APP}:wsgi"]


def _uvicorn(name: str, _: Path, place: Place) -> list[str]:
    return [sys.executable, "-m", name, "--port", str(place.port), "--backlog", "4096", "--timeout-keep-alive", "300", f"{_APP}:asgi"]


def _granian(name: str, _: Path, place: Place) -> list[str]:
    shape = ["--workers", "1", "--backlog", "4096", "--access-log"]
    return [sys.executable, "-m", name, "--interface", "asgi", "--port", str(place.port), *shape, f"{_APP}:asgi"]


def _floor(name: str, _: Path, place: Place) -> list[str]:
    return [sys.executable, "-m", name, str(place.port), str(place.root), "keep" if place.keeps else "new"]


_OWN_LOG = "writes an access log of its own format to its output, which goes to a file"

CONTENDERS = (
    Contender("coachwhip", "Coachwhip", lambda: sys.executable, lambda _: __version__, _coachwhip, "apache.conf.j2"),
    Contender("apache", "Apache (event)", _program("apache2", "httpd"), _asked("-v"), _apache, "apache.conf.j2"),
    Contender("nginx", "nginx", _program("nginx"), _asked("-v"), _nginx, "nginx.conf.j2"),
    Contender(
        "coachwhip-buffered", "Coachwhip, BufferedLogs", lambda: sys.executable, lambda _: __version__, _coachwhip,
        "apache.conf.j2", buffered=True, default=False,
    ),
    Contender(
        "apache-buffered", "Apache (event), BufferedLogs", _program("apache2", "httpd"), _asked("-v"), _apache,
        "apache.conf.j2", buffered=True, default=False,
    ),
    Contender(
        "nginx-buffered", "nginx, log buffer=64k", _program("nginx"), _asked("-v"), _nginx,
        "nginx.conf.j2", buffered=True, default=False,
    ),
    Contender(
        "lighttpd", "lighttpd", _program("lighttpd"), _asked("-v"), lambda program, conf, _: [program, "-D", "-f", str(conf)],
        "lighttpd.conf.j2", note="gathers lines of its access log before it writes them; that cannot be switched off",
    ),
    Contender(
        "caddy", "Caddy", _program("caddy"), _asked("version"),
        lambda program, conf, _: [program, "run", "--adapter", "caddyfile", "--config", str(conf)],
        "caddy.conf.j2", note="logs JSON; one process with threads of its own, bound to one core",
    ),
    Contender(
        "granian", "Granian (ASGI)", _module("granian"), _asked("--version"), _granian, serves=Serves.APP, note=_OWN_LOG,
    ),
    Contender(
        "uvicorn", "Uvicorn (ASGI)", _module("uvicorn"), _asked("--version"), _uvicorn, serves=Serves.APP, note=_OWN_LOG,
    ),
    Contender(
        "gunicorn", "Gunicorn (sync WSGI)", _module("gunicorn"), _asked("--version"), _gunicorn, serves=Serves.APP,
        note="has no keep-alive in sync workers",
    ),
    Contender(
        "floor", "the floor", lambda: "coachwhip.bench.floor" if sys.platform == "linux" else "", lambda _: __version__, _floor,
        serves=Serves.ONE,
        note="no server: gives the same answer to whatever it reads, from Python; what reading and writing cost by themselves",
    ),
)  # fmt: skip
