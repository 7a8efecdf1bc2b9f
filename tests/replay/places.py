"""Parts that the tests of replay share: a site for a server inside the test's own process, and requests in one line."""

import os
import shutil
import tempfile
import time

from coachwhip.testing.inside import Inside

MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "authz_user", "authz_groupfile", "access_compat",
    "alias", "autoindex", "deflate", "dir", "env", "filter", "mime", "negotiation", "setenvif", "status",
)  # fmt: skip
#: No line of its logs takes what only a reader knows: what is kept gets ready, and goes the hot path's shortest way.
BASE = """
ServerName localhost
Listen 127.0.0.1:1
DocumentRoot {root}/htdocs
TypesConfig {root}/mime.types
ErrorLog {root}/logs/error.log
LogFormat "%h %r %>s %b %X \\"%{User-Agent}i\\"" plain
LogFormat "%{replay}n" replay
CustomLog {root}/logs/access.log plain
CustomLog {root}/logs/replay.log replay
"""
#: A modification time that is long past: a tag is weak, and a range is not replayed, while a file is young.
OLD = 1_600_000_000


class Place:
    """A folder with a site, and the servers that were made for it."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="coachwhip-replay-")
        self.servers = []
        for name in ("htdocs", "logs"):
            os.mkdir(f"{self.root}/{name}")
        self.write("mime.types", "text/html html\ntext/plain txt\n")

    def write(self, path, content):
        """Make a file of old time stamps below the root; returns its full path."""
        full = f"{self.root}/{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.utime(full, (OLD, OLD))
        return full

    def serve(self, config="", modules=MODULES, **options):
        loads = "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in modules)
        server = Inside(self.root, (loads + BASE + config).replace("{root}", self.root), **options)
        self.servers.append(server)
        return server

    def close(self):
        for server in self.servers:
            server.close()
        shutil.rmtree(self.root)

    def log(self, name="access.log"):
        with open(f"{self.root}/logs/{name}", encoding="latin-1") as file:
            return file.read()


def settle():
    """Wait until the time stamps of files are so old that no later change can carry the same."""
    time.sleep(0.07)


def get(path, *fields, method="GET", version="1.1", host="localhost"):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def warm(line, request, times=3):
    """Ask until the answer is kept; returns the last one."""
    for _ in range(times):
        answer = line.ask(request)
    return answer
