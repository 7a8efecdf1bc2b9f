"""Request targets, from the wire to the file: whatever the target, no file outside of what is granted is opened, and none is listed.

A site with all that maps a URL to a file: aliases, links, owner's links, negotiation, index files, listings, `.htaccess`, path info;
beside it what nobody may see. The file layer itself tells which files it opened, by what the system says of their descriptors.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from coachwhip.protocol.http1 import BadRequest
from fuzz.target import Check, Target, require, words
from fuzz.world import World, lay_out, loads, opened_files

__all__ = ["CONFIG", "PATHS", "SECRET", "generate", "lay_out_site"]

SECRET = b"SECRET-4711"
FILES: dict[str, bytes | str | None] = {
    "htdocs/index.html": b"front\n",
    "htdocs/a.txt": b"a\n",
    "htdocs/.htpasswd": SECRET,
    "htdocs/list/b.txt": b"b\n",
    "htdocs/words/page.html.en": b"page\n",
    "htdocs/words/page.html.fr": b"page\n",
    "htdocs/own/.htaccess": b"Options +Indexes\nDirectoryIndex a.txt /list/b.txt ../a.txt ../../outside/s.txt\n",
    "htdocs/own/d/c.txt": b"c\n",
    "htdocs/denied/s.txt": SECRET,
    "htdocs/links/in": "{root}/htdocs/list",
    "htdocs/nolinks/out": "{root}/outside",
    "htdocs/nolinks/s.txt": "{root}/outside/s.txt",
    "htdocs/nolinks/in": "../list",
    "htdocs/owner/out": "/etc",
    "htdocs/owner/null": "/dev/null",
    "htdocs/owner/in": "../list",
    "aliased/d.txt": b"d\n",
    "aliased/sub/e.txt": b"e\n",
    "outside/s.txt": SECRET,
    "outside/index.html": SECRET,
    "outside/.htaccess": b"Require all granted\n",
    "aliased2/s.txt": SECRET,
    "htdocs2/s.txt": SECRET,
    "s.txt": SECRET,
}
CONFIG = """
DocumentRoot {root}/htdocs
DirectoryIndex index.html
AddLanguage en .en
AddLanguage fr .fr
Alias /al {root}/aliased
AliasMatch ^/am/(.*)$ {root}/aliased/$1
Alias /slash/ {root}/aliased/
Redirect /moved http://localhost/al
ErrorDocument 404 /own/d/c.txt
<Directory />
    AllowOverride None
    Options None
    Require all denied
</Directory>
<Directory {root}/htdocs>
    AllowOverride All
    Options FollowSymLinks MultiViews Indexes
    Require all granted
</Directory>
<Directory {root}/htdocs/nolinks>
    Options Indexes
</Directory>
<Directory {root}/htdocs/owner>
    Options SymLinksIfOwnerMatch Indexes
</Directory>
<Directory {root}/htdocs/denied>
    Require all denied
</Directory>
<Directory {root}/aliased>
    Options Indexes
    Require all granted
</Directory>
<FilesMatch "^\\.ht">
    Require all denied
</FilesMatch>
<Location /own/d/>
    AcceptPathInfo On
</Location>
"""
_SEGMENTS = (
    b"al", b"am", b"slash", b"links", b"in", b"nolinks", b"out", b"owner", b"own", b"d", b"denied", b"list", b"words", b"page",
    b"page.html", b"..", b".", b"", b"%2e%2e", b"s.txt", b"a.txt", b"b.txt", b"c.txt", b"outside", b"htdocs", b".htaccess", b"moved",
    b"sub", b"e.txt",
)  # fmt: skip


def lay_out_site(root: Path) -> None:
    """Make the files of the site."""
    lay_out(root, FILES)
    if os.geteuid() == 0:
        # What the link leads to is root's, so the link must not be.
        os.lchown(root / "htdocs/owner/out", 65534, 65534)


def _prepare(folder: Path) -> Check:
    root = folder.resolve() / "site"
    lay_out_site(root)
    world = World(root, loads() + CONFIG)
    granted = (f"{root}/htdocs/", f"{root}/aliased/", f"{root}/htdocs.", f"{root}/aliased.")
    refused = (f"{root}/htdocs/denied/", f"{root}/htdocs/.htpasswd")

    def check(data: bytes) -> str:
        with opened_files() as opened:
            try:
                answer = world.ask(b"GET " + data + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            except BadRequest as error:
                require(not opened, "bytes that are no request open no file")
                return f"{error.status} {error.log_id}"
        for path in opened:
            inside = f"{path}/".startswith(granted) and not f"{path}/".startswith(refused)
            require(inside, f"only what is granted is opened: {path}")
        require(SECRET not in answer.body, "no secret is in an answer")
        require(answer.status < 500, f"answered {answer.status}")
        names = sorted({Path(path).name[:12] for path in opened})
        return f"{answer.status} {answer.request.handler} {','.join(names)}"

    return check


def generate(chance: random.Random) -> bytes:
    """A target from the site's own names and from ways to leave it."""
    data = b"".join(chance.choice((b"/", b"/", b"/", b"//", b"%2f", b"/./")) + chance.choice(_SEGMENTS) for _ in range(chance.randrange(6)))
    return data + chance.choice((b"", b"/", b"?q", b"/x/y", b".html", b"%00", b"/.."))


PATHS = Target("paths", words("paths"), generate, _prepare)
