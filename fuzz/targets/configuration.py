"""Configuration text: any bytes are a configuration or are refused with the line; the tree of the text is the text; and what was read
can be folded into settings. Files and host names of the machine are out of reach.
"""

from __future__ import annotations

import random
import zlib
from pathlib import Path

from coachwhip.config.errors import ConfigError
from coachwhip.config.filling import Filler, Room
from coachwhip.config.folding import Folder
from coachwhip.config.load import Loaded, LoadOptions, load, load_into
from coachwhip.config.reading import Reading
from coachwhip.config.tree import parse_file
from coachwhip.server import StartRefused, read
from coachwhip.server import check as check_plan
from fuzz import sites
from fuzz.guard import Fence
from fuzz.target import Check, Target, kind_of, require, words, words_of
from fuzz.world import lay_out, loads

_LINES = (*sites.SERVER, *sites.HTACCESS)
_WORDS = (*words("configuration"), *words_of(_LINES))
_FILES: dict[str, bytes | str | None] = {
    "htdocs/index.html": b"",
    "inc/a.conf": b"# a\nKeepAlive On\n",
    "inc/deep/b.conf": b"ServerAdmin b\n",
    "loop.conf": b"Include loop.conf\n",
    "open.conf": b"<Directory /x>\n",
}


_MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_host", "access_compat", "alias", "autoindex", "deflate",
    "dir", "env", "filter", "macro", "mime", "negotiation", "setenvif", "log_config",
)  # fmt: skip

#: Characters that macros and variables may add: an administrator has more, and what that costs is no matter of this search.
_ROOM = 1 << 13


def _prepare(folder: Path) -> Check:
    root = folder.resolve()
    lay_out(root, _FILES)
    path, prelude = f"{root}/the-file-at-hand.conf", f"{root}/prelude.conf"
    basics = f"ServerName h\nListen 127.0.0.1:1\nDocumentRoot {root}/htdocs\nUser nobody\n"
    modules = load(LoadOptions(str(root), path, texts={path: loads(_MODULES).encode()}, environment={})).reading.modules
    Fence(root)

    def options(data: bytes, before: str) -> LoadOptions:
        texts = {path: data, prelude: before.encode()}
        return LoadOptions(str(root), path, before=[f"Include {prelude}"], texts=texts, environment={"PATH": "/p"})

    def alone(data: bytes) -> Loaded:
        """Read without the modules' own checks: their loading takes most of the time."""
        asked = options(data, basics)
        fill = Filler(asked.environment, lambda name: None, Room(_ROOM))
        state = Reading(modules.copy(), fill, str(root), texts=asked.texts)
        return load_into(state, asked)

    def checked(data: bytes) -> Loaded:
        plan = read(options(data, loads(_MODULES) + basics))
        check_plan(plan)
        return plan.loaded

    def check(data: bytes) -> str:
        require(bytes(parse_file(data, path)) == data, "the tree of a text is the text")
        try:
            loaded = alone(data)
            if zlib.adler32(data) % 16 == 0:
                loaded = checked(data)
        except ConfigError as error:
            require(str(error) != "", "a refusal says why")
            return kind_of(error.message, root, data, _WORDS)
        except StartRefused as error:
            return f"refused: {kind_of(str(error), root, data, _WORDS)}"
        _fold_all(loaded)
        return f"read, {min(len(loaded.servers), 3)} hosts, {min(len(loaded.warnings), 5)} warnings"

    return check


def _fold_all(loaded: Loaded) -> None:
    folder = Folder()
    for server in (loaded.main, *loaded.servers):
        folded = folder.fold((*server.sections.base, *server.sections.directories, *server.sections.locations))
        for module in loaded.modules:
            for config in (module.dir_config, module.server_config):
                if config is not None:
                    folded.get(config)


def _generate(chance: random.Random) -> bytes:
    lines = [chance.choice(_LINES) for _ in range(chance.choice((1, 2, 4, 8)))]
    if chance.random() < 0.5:
        begin, end = chance.choice(sites.SECTIONS)
        at = chance.randrange(len(lines) + 1)
        lines = [*lines[:at], begin, *lines[at:], end]
    if chance.random() < 0.3:
        lines = ["<VirtualHost *:80>", *lines, "</VirtualHost>"]
    return "\n".join(lines).replace("{root}", "/srv").encode() + b"\n"


CONFIGURATION = Target("configuration", _WORDS, _generate, _prepare, longest=2048)
