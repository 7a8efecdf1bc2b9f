"""`python -m conformance.races`: whether a symbolic link that comes and goes ever lets a byte out of a foreign folder.

A folder and a file of a site are exchanged with links to `/etc` and `/etc/passwd` thousands of times while four clients read them and
list the folder, once where links are never followed and once where only their owner's are. Where the answer is right at every single
moment (403 or the site's own bytes), no foreign byte is counted. Linux only: the exchange is atomic there (renameat2).
Exit status 1 if there was one.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coachwhip.testing.raw import FramingError
from coachwhip.testing.site import Content, FileSpec, Link, Site

__all__ = ["OPTIONS", "Figures", "race"]

SWAPS = 10_000
CLIENTS = 4
#: Seconds between two exchanges, so that several requests fall between them.
PACE = 0.0003
OPTIONS = ("+Indexes -FollowSymLinks", "Indexes SymLinksIfOwnerMatch")
OWN = b"a byte of the site\n"
#: What is in /etc/passwd and no file of the site; a name in /etc that a listing of the site has not.
FOREIGN = (b"root:", b"hostname", b"group")
TARGETS = ("/folder/passwd", "/file", "/folder/")
_NOBODY = 65534
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@dataclass(slots=True)
class Figures:
    """What came of a race."""

    options: str
    swaps: int = 0
    foreign: int = 0
    #: Answers by target and status; connections that ended without one under 0.
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __str__(self) -> str:
        said = ", ".join(f"{target} {status}: {count}" for (target, status), count in sorted(self.answers.items()))
        return f"Options {self.options}: {self.swaps} swaps, {self.answers.total()} answers ({said}): {self.foreign} with foreign bytes"


def exchange(a: Path, b: Path) -> None:
    """Give two names each other's file, in one moment."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(a))


def race(options: str, swaps: int = SWAPS) -> Figures:
    """One race under these `Options`."""
    config = f'<Directory "{{root}}/htdocs">\n    Options {options}\n    AllowOverride All\n</Directory>\n'
    files: dict[str, Content] = {
        "htdocs/folder/passwd": FileSpec(OWN), "htdocs/file": FileSpec(OWN),
        "htdocs/other-folder": Link("/etc"), "htdocs/other-file": Link("/etc/passwd"),
    }  # fmt: skip
    figures = Figures(options)
    with Site(config=config, files=files).start() as site:
        root = Path(site.root, "htdocs")
        if os.geteuid() == 0:
            # The links must not belong to the owner of what they lead to.
            for name in ("other-folder", "other-file"):
                os.chown(root / name, _NOBODY, _NOBODY, follow_symlinks=False)
        over = threading.Event()
        readers = [threading.Thread(target=_read, args=(site, over, figures)) for _ in range(CLIENTS)]
        for reader in readers:
            reader.start()
        try:
            for _ in range(swaps):
                exchange(root / "folder", root / "other-folder")
                exchange(root / "file", root / "other-file")
                figures.swaps += 1
                time.sleep(PACE)
        finally:
            over.set()
            for reader in readers:
                reader.join()
    return figures


def _read(site: Site, over: threading.Event, figures: Figures) -> None:
    """One client: asks for all targets in turn, a few times on each connection."""
    while not over.is_set():
        with site.connect() as client:
            try:
                for target in TARGETS * 10:
                    client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    answer = client.read_response()
                    if answer is None:
                        break
                    figures.answers[target, answer.status] += 1
                    figures.foreign += answer.status == 200 and any(word in answer.body for word in FOREIGN)
            except (ConnectionError, FramingError):
                figures.answers["", 0] += 1


def main(arguments: Sequence[str]) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m conformance.races", description=__doc__)
    parser.add_argument("--swaps", type=int, default=SWAPS, metavar="N", help=f"exchanges in each race (default {SWAPS})")
    asked = parser.parse_args(arguments)
    foreign = 0
    for options in OPTIONS:
        figures = race(options, asked.swaps)
        print(figures, flush=True)
        foreign += figures.foreign
    return 1 if foreign else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
