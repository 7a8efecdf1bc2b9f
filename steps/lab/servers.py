"""Starting a server for a while: a step, Debian's Apache (event MPM) or nginx, on a loopback port of its own.

Apache and nginx get a configuration of their own in a folder that is deleted afterwards; nothing under /etc is touched.
This file knows nothing of loads and figures.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from steps.lab.catalogue import FOLDER, STEPS
from steps.lab.cost import session_states

APACHE_MODULES = Path("/usr/lib/apache2/modules")
#: The limits are those of Debian's mods-available/mpm_event.conf.
APACHE = """ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule mime_module {modules}/mod_mime.so
TypesConfig /etc/mime.types
{user}
DocumentRoot {folder}/www
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory {folder}/www>
    Require all granted
</Directory>
DirectoryIndex index.html
StartServers 6
MinSpareThreads 150
MaxSpareThreads 150
ThreadsPerChild 25
MaxRequestWorkers 150
KeepAlive On
MaxKeepAliveRequests 0
"""
NGINX = """{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Something that can be started: a key for the figures, a name for people, and its abilities."""

    key: str
    title: str
    title_zh: str
    keeps_alive: bool
    script: Path | None = None

    def command(self, folder: Path, port: int) -> list[str]:
        """Return the command that serves in the foreground; write its configuration into the folder if it needs one."""
        if self.script:
            return [sys.executable, str(self.script), str(port)]
        shutil.copytree(FOLDER / "www", folder / "www")
        is_root = os.geteuid() == 0
        if self.key == "apache":
            user = "User www-data\nGroup www-data" if is_root else ""
            text = APACHE.format(folder=folder, port=port, modules=APACHE_MODULES, user=user)
            command = [find_program("apache2"), "-DFOREGROUND", "-f"]
        else:
            text = NGINX.format(folder=folder, port=port, user="user www-data;" if is_root else "")
            command = [find_program("nginx"), "-e", str(folder / "error.log"), "-c"]
        (folder / "server.conf").write_text(text)
        return [*command, str(folder / "server.conf")]


@dataclass(frozen=True, slots=True)
class Live:
    """A server that is running; its process leads a session of its own, so all its children can be found."""

    server: Server
    port: int
    session: int


def find_program(name: str) -> str:
    """Return the path of a program, also from the folders that are only in root's PATH; empty if there is none."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin") or ""


def contestants() -> list[Server]:
    """Return all that can be started on this machine: the steps, then Apache and nginx where they are installed."""
    found = [
        Server(step.key, f"{step.number} {step.title}", f"{step.number} {step.title_zh}", step.keeps_alive, FOLDER / step.file)
        for step in STEPS
        if step.key != "15_coachwhip" or is_installed("coachwhip.__main__")
    ]
    if find_program("apache2") and (APACHE_MODULES / "mod_mpm_event.so").exists():
        found.append(Server("apache", "Apache (event)", "Apache (event)", keeps_alive=True))
    if find_program("nginx"):
        found.append(Server("nginx", "nginx", "nginx", keeps_alive=True))
    return found


def is_installed(module: str) -> bool:
    """Say whether a module can be found; neither it nor its package has to exist."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """Return the command bound to one core, where there are two and `taskset` exists."""
    if (os.cpu_count() or 1) < 2 or not shutil.which("taskset"):
        return list(command)
    return ["taskset", "-c", str(core), *command]


def free_port() -> int:
    """Return a loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Look for the listener without connecting to it: a connection would be a client."""
    return f":{port:04X} 00000000:0000 0A " in Path("/proc/net/tcp").read_text()


def wait_for(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    """Wait until a server listens; raise RuntimeError if it has ended or is not there in ten seconds."""
    deadline = time.monotonic() + 10
    while not is_listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not start (exit status {process.poll()})")
        time.sleep(0.01)


@contextlib.contextmanager
def running(server: Server, core: int = 0) -> Iterator[Live]:
    """Run a server on one core (0 unless told otherwise) for the length of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="steps-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)  # Apache's and nginx's workers are another user
        with running_command(pinned(core, server.command(folder, port)), port, server.title) as session:
            yield Live(server, port, session)


@contextlib.contextmanager
def running_command(command: Sequence[str], port: int, name: str) -> Iterator[int]:
    """Run a command that will listen on a port; yield its session. At the end nothing of the session is left."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(process, port, name)
        time.sleep(0.1)  # workers that are forked after the parent has begun to listen
        yield process.pid
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server and whatever it has started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    for pid, state in session_states(process.pid).items():
        if state != "Z":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait(5)
