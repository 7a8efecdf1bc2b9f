"""`.htaccess`: any bytes are a section or are refused as Apache refuses them; a request under what was accepted is answered without a
fault, and whoever wrote the file reads nothing with it that was not granted.

The file's bytes are handed to the directory walk as if they had been read. What is allowed (`AllowOverride`) depends on them.
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path

from coachwhip.api.core import CoreDir
from coachwhip.api.request import Request
from coachwhip.config.errors import ConfigError
from coachwhip.config.sections import Section
from coachwhip.protocol.http1 import BadRequest
from coachwhip.request.htaccess import HtaccessCache, HtaccessError, Parse
from coachwhip.util.patterns import PatternLimit
from fuzz import sites
from fuzz.guard import Fence
from fuzz.target import Check, Target, kind_of, require, words, words_of
from fuzz.world import World, lay_out, loads

_WORDS = (*words("htaccess"), *words_of(sites.HTACCESS))
_FILES: dict[str, bytes | str | None] = {
    f"{kind}/{name}": content
    for kind in ("all", "some", "loose")
    for name, content in {"a.txt": b"a\n", "b.html.en": b"b\n", "b.html.fr": b"b\n", "d/c.txt": b"c\n", "v.var": sites.CONTENTS[-1]}.items()
}
_CONFIG = """
DocumentRoot {root}
AddLanguage en .en
AddHandler type-map .var
<Directory />
    AllowOverride None
    Options Indexes FollowSymLinks MultiViews
    Require all granted
</Directory>
<Directory {root}/all>
    AllowOverride All
</Directory>
<Directory {root}/some>
    AllowOverride FileInfo Options=Indexes,MultiViews
    AllowOverrideList Require Define
</Directory>
<Directory {root}/loose>
    AllowOverride AuthConfig Indexes Limit Nonfatal=All
</Directory>
"""
_TARGETS = ("a.txt", "", "b", "none", "d/c.txt", "v.var?q=1", "a.txt/info")
_FIELDS = (
    b"Cookie: c=1\r\nUser-Agent: one\r\nAccept-Language: fr\r\nAccept-Encoding: gzip\r\nRange: bytes=0-\r\n"
    b"Authorization: Basic YW5uOnM=\r\n"
)
_AROUND = (("<Files *>", "</Files>"), ("<If true>", "</If>"), ("<IfModule dir_module>", "</IfModule>"), ("<Limit GET>", "</Limit>"))


class _Given(HtaccessCache):
    """Finds the bytes at hand in one folder, and nothing elsewhere."""

    def __init__(self, parse: Parse) -> None:
        super().__init__(parse)
        self.data = b""
        self.folder = ""
        self.was_read = False
        self.refused = ""

    def read(self, r: Request, folder: str, core: CoreDir) -> Section | None:
        """See `HtaccessCache`."""
        if folder != self.folder:
            return None
        self.was_read = True
        try:
            return self._parse(self.data, f"{folder}.htaccess", folder, core)
        except ConfigError as error:
            self.refused = error.message
            raise HtaccessError(500) from None


def _prepare(folder: Path) -> Check:
    root = folder.resolve()
    lay_out(root, _FILES)
    world = World(root, loads() + _CONFIG)
    given = world.pipeline.htaccess = _Given(world.pipeline.htaccess._parse)
    fence = Fence(root)

    def check(data: bytes) -> str:
        choice = zlib.adler32(data)
        kind = ("all", "all", "some", "loose")[choice % 4]
        given.data, given.folder, given.was_read, given.refused = data, f"{root}/{kind}/", False, ""
        fence.opened.clear()
        target = f"/{kind}/{_TARGETS[choice // 4 % len(_TARGETS)]}".encode()
        try:
            answer = world.ask(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + _FIELDS + b"\r\n")
        except (BadRequest, PatternLimit) as error:
            return type(error).__name__
        require(given.was_read, "every request looks for the file anew")
        if given.refused:
            require(answer.status == 500, "a folder with a mistake in its file is closed")
            return kind_of(given.refused, root, data, _WORDS)
        return f"{answer.status} {(answer.request.handler or '')[:12]}"

    return check


def _generate(chance: random.Random) -> bytes:
    lines = [chance.choice(sites.HTACCESS) for _ in range(chance.choice((1, 1, 2, 3, 6)))]
    if chance.random() < 0.3:
        begin, end = chance.choice(_AROUND)
        lines = [begin, *lines, end]
    return "\n".join(lines).replace("{root}", "/srv").encode()


HTACCESS = Target("htaccess", _WORDS, _generate, _prepare, longest=2048)
