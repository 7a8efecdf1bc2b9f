"""Configurations and what Apache 2.4.71 says of them: tables in `recorded/`, one case a line.

    <Directory /> ⏎ </Files>  =>  Syntax error on line 2 of ROOT/c.conf: Expected </Directory> but saw </Files>

Left: the lines of a file, `⏎` between them. Right: "ok", or Apache's words: `[2] text` is AH00526 on line 2, `warn` stands before a
warning. What an argument-shape sentence says behind its comma (a help text) is left out. A second `=>` gives our own words where we
differ on purpose; the comment above says why. `python record_apache.py` asks the installed Apache again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coachwhip.api import CoreDir
from coachwhip.config import ConfigError, Folded, Loaded, LoadOptions, load
from coachwhip.config.htaccess import read_htaccess

HTACCESS = "htaccess"
TABLES = Path(__file__).parent / "recorded"
NEWLINE = " ⏎ "
ARROW = "  =>  "
MODULES = ("mpm_event", "authz_core", "macro", "env", "heartbeat", "heartmonitor")
PRELUDE = "ServerName h\nPidFile pid\nErrorLog log\nListen 127.0.0.1:8999\nDocumentRoot docs\n"
#: Files beside the configuration, for Include and its kin.
FILES = {
    "docs/index.html": "",
    "one/x.conf": "Foo\n",
    "two/y.conf": "<Directory /x>\n",
    "inc/a.conf": "# a\n",
    "inc/b.conf": "# b\n",
    "inc/s/b.conf": "# sb\n",
    "inc/s/t/c.conf": "# stc\n",
    "inc/.hidden": "Error hidden\n",
    "empty/.keep": "",
    "ok/z.conf": "KeepAlive On\n",
    "loop.conf": "Include loop.conf\n",
}


@dataclass(frozen=True)
class Case:
    table: str
    number: int
    text: str
    apache: str
    ours: str

    @property
    def configuration(self) -> bytes:
        return self.text.replace(NEWLINE, "\n").replace("\\0", "\0").encode() + b"\n"

    def __str__(self) -> str:
        return f"{self.table}:{self.number} {self.text[:60]}"


def read_table(path: Path) -> Iterator[Case]:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line or line.startswith("# "):
            continue
        text, apache, *ours = line.split(ARROW)
        yield Case(path.stem, number, text, apache, ours[0] if ours else apache)


def all_cases() -> list[Case]:
    return [case for path in sorted(TABLES.glob("*.txt")) if path.stem != HTACCESS for case in read_table(path)]


def htaccess_cases() -> list[Case]:
    """Left: what a `<Directory>` says, then ` | `, then the lines of the `.htaccess` in it."""
    return list(read_table(TABLES / f"{HTACCESS}.txt"))


def lay_out(root: Path) -> None:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


_SHAPE = (
    r"takes (?:one|two|three|1-2|two or three|one, two or three|one or three) arguments?",
    r"requires at least (?:one|two) arguments?",
)
_HELP = re.compile(rf"({'|'.join(_SHAPE)}), .*")


def without_help(text: str) -> str:
    """Argument-shape sentences end in a help text, which is each server's own."""
    return _HELP.sub(r"\1", text)


def shorten(text: str, root: str) -> str:
    """One line for Apache's answer or ours."""
    text = text.replace(root, "ROOT")
    text = re.sub(r"AH00526: Syntax error on line ([0-9]+) of ROOT/c\.conf:(?:\n|$)", r"[\1] ", text)
    text = re.sub(r"AH00526: Syntax error on line ([0-9]+) of ([^\n]*):(?:\n|$)", r"[\2:\1] ", text)
    return NEWLINE.join(line.rstrip(" ") for line in without_help(text.rstrip("\n")).split("\n"))


def load_text(configuration: bytes, root: Path, **options: object) -> Loaded:
    """Load a configuration in memory behind the prelude."""
    loads = [f"LoadModule {name}_module {_path_of(name)}" for name in MODULES]
    prelude = str(root / "prelude.conf")
    path = str(root / "c.conf")
    texts = {path: configuration, prelude: "\n".join([*loads, PRELUDE]).encode()}
    return load(LoadOptions(str(root), path, before=[f"Include {prelude}"], texts=texts, environment={}, **options))  # type: ignore[arg-type]


def _path_of(name: str) -> str:
    return f"python:stub_{name}" if name in ("authz_core", "env") else f"mod_{name}.so"


def our_answer(case: Case, root: Path) -> str:
    warnings: list[str] = []
    try:
        loaded = load_text(case.configuration, root)
    except ConfigError as error:
        warnings = [f"warn {warning}" for warning in error.warnings]
        error.hint = ""
        return shorten("\n".join([*warnings, str(error)]), str(root))
    warnings = [f"warn {warning}" for warning in loaded.warnings]
    return shorten("\n".join([*warnings, "ok"]), str(root))


def our_htaccess_answer(case: Case, root: Path) -> str:
    said, _, text = case.text.partition(" | ")
    configuration = (
        f"Define NAMED 5\n<Macro Server $x>\nSetEnv a $x\n</Macro>\n<Directory /d>\n{said.replace(NEWLINE, chr(10))}\n</Directory>"
    )
    loaded = load_text(configuration.encode(), root)
    core = Folded((*loaded.main.sections.base, *loaded.main.sections.directories)).get(CoreDir)
    warnings: list[str] = []

    def warn(warning: object) -> None:
        warnings.append(f"warn {warning}")

    data = text.replace(NEWLINE, "\n").encode() + b"\n"
    try:
        read_htaccess(data, f"{root}/.htaccess", f"{root}/", core.override, core.override_list, loaded, warn)
    except ConfigError as error:
        return shorten("\n".join([*warnings, error.text]), str(root))
    return shorten("\n".join([*warnings, "ok"]), str(root))
