"""The files that are served: made anew for each workload in a temporary folder, the same bytes and times every time.

Knows nothing of servers. Large files are sparse; their bytes are counted, not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from random import Random

__all__ = ["FILES", "HTACCESS", "MODIFIED", "PAGE", "TYPES", "VISIT", "build", "last_modified", "virtual_host_names"]

#: Modification time of every file, seconds since the epoch: 1 July 2025, 12:00 UTC.
MODIFIED = 1_751_371_200
#: Size of nginx's welcome page, in bytes.
PAGE = 612
VIRTUAL_HOSTS = 1000
FILES = 1000

#: Extension → media type, for all servers alike.
TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "jpg": "image/jpeg",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain",
    "bin": "application/octet-stream",
}

#: The site that the recorded visits go to: path → bytes. The pages themselves come from `_visit_pages`.
VISIT = {
    "style.css": 31_744,
    "app.js": 92_160,
    "vendor.js": 163_840,
    "logo.svg": 4_096,
    "hero.jpg": 122_880,
    **{f"thumb{n}.jpg": 12_288 for n in range(1, 7)},
    "text.woff2": 40_960,
    "favicon.ico": 1_150,
}

#: Eight lines of the kind that people keep in `.htaccess`; one such file in each of five folders.
HTACCESS = """\
Options -Indexes
DirectoryIndex index.html
AddType text/x-level-{level} .level{level}
AddDefaultCharset utf-8
ErrorDocument 404 /missing-{level}.html
<FilesMatch "\\.(bak|old{level})$">
    Require all denied
</FilesMatch>
"""


def last_modified() -> str:
    """`MODIFIED` as HTTP writes it."""
    return formatdate(MODIFIED, usegmt=True)


def build(kind: str, root: Path) -> None:
    """Make the files of one kind of site below `root`, which is made too. Raises KeyError for an unknown kind."""
    root.mkdir(parents=True)
    _write(root / "index.html", _html(PAGE))
    _KINDS[kind](root)
    for folder, _, names in os.walk(root):
        os.chmod(folder, 0o755)  # noqa: S103 -- the servers' workers are another user
        for name in names:
            os.utime(os.path.join(folder, name), (MODIFIED, MODIFIED))


def virtual_host_names(count: int = VIRTUAL_HOSTS) -> list[str]:
    """The names of the virtual hosts; the files of each are in a folder of that name."""
    return [f"s{number:04}.bench.test" for number in range(count)]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _html(size: int, inside: str = "") -> bytes:
    """A page of exactly `size` bytes."""
    start = f"<!DOCTYPE html>\n<title>A page</title>\n{inside}<p>"
    return (start + "x" * (size - len(start) - 1) + "\n").encode("ascii")


def _only_page(root: Path) -> None:
    """The front page is all there is."""


def _many(root: Path) -> None:
    for number in range(FILES):
        _write(root / "f" / f"{number:03}.html", _html(PAGE))


def _medium(root: Path) -> None:
    _write(root / "medium.html", _html(52_000))


def _large(root: Path) -> None:
    for name, size in (("1m.bin", 1 << 20), ("1g.bin", 1 << 30)):
        with open(root / name, "wb") as file:
            file.truncate(size)


def _text(root: Path) -> None:
    """100 KiB of words, as compressible as prose."""
    random = Random(612)  # noqa: S311 -- the same text every time
    words = ["".join(random.choices("etaoinshrdlucmfwyp", k=random.randint(2, 9))) for _ in range(900)]
    text = ""
    while len(text) < 100 << 10:
        text += " ".join(random.choices(words, k=12)) + ".\n"
    _write(root / "text.txt", text[: 100 << 10].encode("ascii"))


def _deep(root: Path) -> None:
    folder = root
    for level, name in enumerate("abcde", start=1):
        folder = folder / name
        folder.mkdir()
        (folder / ".htaccess").write_text(HTACCESS.format(level=level), encoding="ascii")
    _write(folder / "page.html", _html(PAGE))


def _hosts(root: Path) -> None:
    for name in virtual_host_names():
        _write(root / "hosts" / name / "index.html", _html(PAGE))


def _visit(root: Path) -> None:
    for name, data in _visit_pages().items():
        _write(root / name, data)
    for name, size in VISIT.items():
        head = b"" if not name.endswith(".svg") else b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
        filler = b" " if name.endswith((".css", ".js", ".svg")) else b"\0"
        _write(root / name, head + filler * (size - len(head)))


def _visit_pages() -> dict[str, bytes]:
    head = (
        '<link rel="icon" href="favicon.ico"><link rel="stylesheet" href="style.css">\n'
        "<style>@font-face { font-family: Text; src: url(text.woff2) } body { font-family: Text }</style>\n"
        '<script src="vendor.js"></script><script src="app.js" defer></script>\n<img src="logo.svg">'
    )
    thumbs = "".join(f'<img src="thumb{n}.jpg">' for n in range(1, 7))
    return {
        "home.html": _html(18_432, f'{head}<img src="hero.jpg">{thumbs}<a href="about.html">About</a>\n'),
        "about.html": _html(9_216, f'{head}<a href="home.html">Home</a>\n'),
    }


_KINDS: dict[str, Callable[[Path], None]] = {
    "page": _only_page,
    "many": _many,
    "medium": _medium,
    "large": _large,
    "text": _text,
    "deep": _deep,
    "hosts": _hosts,
    "visit": _visit,
}
