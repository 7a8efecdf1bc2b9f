"""A throw-away site: a temporary root with files, a configuration around the lines under test, a server, its logs.

The server is any command that takes Apache's flags (`-d -f -DFOREGROUND`), or Coachwhip when none is given; `launch.py`
knows how each is started and ended. A site must never touch anything outside its root and listens on the loopback only.
"""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from coachwhip.testing.launch import Running, StartFailed, start_command, start_ours
from coachwhip.testing.raw import Client, Response

__all__ = ["MODULES", "Content", "FileSpec", "Link", "Site", "StartFailed", "free_port"]

# The modules that are loaded unless a site names its own: those whose behaviour plain configurations rely on.
MODULES: tuple[str, ...] = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile",
    "access_compat", "alias", "autoindex", "deflate", "dir", "env", "filter", "macro", "mime",
    "negotiation", "reqtimeout", "setenvif",
)  # fmt: skip

# Compiled into Debian's binary and therefore never a LoadModule line of ours.
BUILT_IN = frozenset({"core", "so", "http", "log_config", "logio", "version", "unixd", "watchdog"})

DEFAULT_MTIME = calendar.timegm((2024, 1, 2, 3, 4, 5))

_MIME_TYPES = """\
text/html html htm
text/plain txt conf log
text/css css
text/javascript js
text/xml xml
application/json json
application/pdf pdf
application/x-troff t tr roff
application/ecmascript es
application/zip zip
image/gif gif
image/png png
image/jpeg jpeg jpg
image/svg+xml svg
audio/mpeg mp3
video/mp4 mp4
"""

_BASE = """\
ServerRoot "{root}"
DefaultRuntimeDir "{root}/run"
PidFile "{root}/run/httpd.pid"
{loads}
{user}
<IfModule mpm_event_module>
    StartServers 1
    MinSpareThreads 1
    MaxSpareThreads 8
    ThreadsPerChild 8
    MaxRequestWorkers 8
</IfModule>
Listen 127.0.0.1:{port}
ServerName localhost
DocumentRoot "{root}/htdocs"
ErrorLog "{root}/logs/error.log"
<IfModule mime_module>
    TypesConfig "{root}/conf/mime.types"
</IfModule>
Include "{root}/conf/case.conf"
"""

_PLACES = re.compile(r"\{(root|port)\}")


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file to be made: its bytes, permission bits and modification time (seconds since the epoch)."""

    data: bytes
    mode: int = 0o644
    mtime: int = DEFAULT_MTIME


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to be made, pointing at `target` (taken literally)."""

    target: str


Content = str | bytes | FileSpec | Link | None


#: Above those of well-known servers, below those that systems give to clients.
_SERVER_PORTS = range(12_000, 32_000)


def free_port() -> int:
    """Return a loopback TCP port that is free now, and that no client is given by chance before its server takes it."""
    while True:
        port = _SERVER_PORTS.start + secrets.randbelow(len(_SERVER_PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _release(root: str, held: list[Running]) -> None:
    while held:
        held.pop().stop()
    shutil.rmtree(root, ignore_errors=True)


class Site:
    """One configuration, its files and its server; a context manager that ends the server and removes the root.

    Both also happen when a site is dropped or the program ends without leaving the context.

    config   the lines under test; `{root}` and `{port}` stand for this site's folder and port
    files    path below the root → text, bytes, FileSpec, Link, or None for an empty folder
    modules  names of the modules to load, without `mod_`
    base     False leaves out the surrounding configuration: `config` must then be complete
    """

    def __init__(
        self,
        *,
        config: str = "",
        files: Mapping[str, Content] | None = None,
        modules: Sequence[str] = MODULES,
        base: bool = True,
        module_dir: str = "/usr/lib/apache2/modules",
    ) -> None:
        self.root = tempfile.mkdtemp(prefix="coachwhip-site-")
        Path(self.root).chmod(0o755)
        self.port = free_port()
        self._held: list[Running] = []
        self._release = weakref.finalize(self, _release, self.root, self._held)
        for folder in ("conf", "htdocs", "logs", "run"):
            Path(self.root, folder).mkdir()
        self.write("conf/mime.types", _MIME_TYPES)
        self.write("conf/case.conf", config)
        self.write("conf/httpd.conf", config if not base else self._base(modules, module_dir))
        for path, content in (files or {}).items():
            self.write(path, content)
        self._settle_folders()

    def _base(self, modules: Sequence[str], module_dir: str) -> str:
        loads = "\n".join(f"LoadModule {name}_module {module_dir}/mod_{name}.so" for name in modules if name not in BUILT_IN)
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        return _BASE.replace("{loads}", loads).replace("{user}", user)

    def fill(self, text: str) -> str:
        """Put this site's folder and port where `text` says `{root}` and `{port}`."""
        places = {"root": self.root, "port": str(self.port)}
        return _PLACES.sub(lambda found: places[found[1]], text)

    def write(self, path: str, content: Content) -> Path:
        """Make a file, folder (None) or link below the root; text has its places filled. Returns the full path."""
        target = Path(self.root, path)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            target.symlink_to(self.fill(content.target))
            return target
        if isinstance(content, str):
            content = self.fill(content).encode("utf-8", "surrogateescape")
        spec = content if isinstance(content, FileSpec) else FileSpec(content)
        target.write_bytes(spec.data)
        target.chmod(spec.mode)
        os.utime(target, (spec.mtime, spec.mtime))
        return target

    def _settle_folders(self) -> None:
        """Give every folder the default time: listings and validators of folders must not depend on the clock."""
        for folder, _, _ in os.walk(Path(self.root, "htdocs"), topdown=False):
            os.utime(folder, (DEFAULT_MTIME, DEFAULT_MTIME))

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        return "127.0.0.1", self.port

    def start(self, command: Sequence[str] | None = None) -> Site:
        """Start the server and return when it accepts connections.

        `command` is an httpd-like program with its first arguments; None means Coachwhip.
        Raises StartFailed, which carries the exit status and what was printed.
        """
        arguments = ["-d", self.root, "-f", str(Path(self.root, "conf", "httpd.conf"))]
        if command is None:
            running = start_ours(arguments, self.port, Path(self.root, "run", "output.txt"))
        else:
            running = start_command([*command, *arguments], self.port)
        self._held.append(running)
        return self

    def stop(self) -> None:
        """End the server; logs stay readable until the site is removed."""
        while self._held:
            self._held.pop().stop()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._release()

    def connect(self, timeout: float = 10.0) -> Client:
        """Open a connection to the server."""
        return Client(*self.address, timeout=timeout)

    def ask(self, request: bytes, method: bytes = b"GET") -> Response:
        """Send `request` on a connection of its own and return the response; raises ConnectionError when none comes."""
        with self.connect() as client:
            client.send(request)
            response = client.read_response(method)
        if response is None:
            raise ConnectionError("the server closed without an answer")
        return response

    def log(self, name: str = "error.log") -> str:
        """Return what is in `logs/NAME` now; empty when there is no such file."""
        path = Path(self.root, "logs", name)
        return path.read_text("utf-8", "surrogateescape") if path.exists() else ""
