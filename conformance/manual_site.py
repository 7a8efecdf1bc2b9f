"""The scenario: Debian's Apache configuration, unmodified, serving the Apache manual in four ways.

/manual/      the manual as the apache2-doc package installs it, by that package's own configuration file
/multiviews/  the same pages laid out `mod/core.html.fr.utf8`, chosen by MultiViews, with the language-prefix aliases
/typemaps/    the same pages, chosen by `core.html` files that are type maps
/names/       file names that need quoting somewhere, under Debian's listing options
/icons/       Debian's own alias

It only lays files out and says how a server is to be started on them (`ManualSite`); it starts nothing and compares
nothing. What it lays out depends on its inputs alone, so the folder can be kept and reused (`fingerprint`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MANUAL = Path("/usr/share/doc/apache2-doc/manual")
ICONS = Path("/usr/share/apache2/icons")
DEBIAN = Path("/etc/apache2")
MTIME = 1_704_164_645

_CHARSET = re.compile(rb"charset=([A-Za-z0-9_-]+)")
_CHARSET_SUFFIX = {"UTF-8": "utf8", "ISO-8859-1": "iso8859-1", "EUC-KR": "euc-kr"}
_LANGUAGE_TAG = {"pt-br": "pt-BR", "zh-cn": "zh-CN"}

_NEGOTIATED = """\
Alias /names/ "{root}/names/"
AliasMatch "^/multiviews(?:/(?:{languages}))?(/.*)?$" "{root}/multiviews$1"
AliasMatch "^/typemaps(?:/(?:{languages}))?(/.*)?$" "{root}/typemaps$1"

<Directory "{root}">
    Require all granted
    AddDefaultCharset off
</Directory>

<Directory "{root}/names">
    Options Indexes FollowSymLinks
</Directory>

<Directory "{root}/multiviews">
    Options Indexes MultiViews FollowSymLinks
    SetEnvIf Request_URI "^/multiviews/({languages})/" prefer-language=$1
</Directory>

<Directory "{root}/typemaps">
    Options Indexes FollowSymLinks
    DirectoryIndex index.html
    <FilesMatch "\\.html$">
        SetHandler type-map
    </FilesMatch>
    <Files "*.html.*">
        SetHandler None
    </Files>
    SetEnvIf Request_URI "^/typemaps/({languages})/" prefer-language=$1
    RedirectMatch 301 "^/typemaps(?:/({languages})){2,}(/.*)?$" "/typemaps/$1$2"
</Directory>
"""

_ODD_NAMES = (
    "plain.txt", "two words.txt", "tab\there.txt", "h#sh.txt", "what?.txt", "per%cent.txt", "per%20cent.txt",
    "semi;colon.txt", "quote\"d.txt", "apo'strophe.txt", "amp&ersand.txt", "less<more>.txt", "back\\slash.txt",
    "grüße.txt", "日本語.txt", "plus+plus.txt", "at@sign.txt", "co:lon.txt", "tilde~.txt", "~start.txt", "star*.txt",
    "brackets[1].txt", "braces{1}.txt", "pipe|.txt", "caret^.txt", "dollar$.txt", "comma,v", "name,with,commas.txt",
    "equals=.txt", "UPPER.TXT", "no-extension", "two.dots.txt", "archive.tar.gz", "picture.png", "page.html",
    "a-very-long-name-that-does-not-fit-into-the-column-of-a-listing-by-far.txt", "v1.2.txt", "v1.10.txt", "v1.9.txt",
    "v01.9.txt", ".hidden", "..two-dots", "core", "README", "backup~", "#auto#", "RCS", "empty.txt", "page.html.fr",
    "sub folder/inner file.txt", "sub folder/deep%/leaf.txt", "brackets [2]/x.txt", "grün/blatt.txt",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder and the URL path under which the scenario serves it; `bases` are negotiated names without a file."""

    url: str
    folder: Path
    is_negotiated: bool = False


@dataclass(frozen=True, slots=True)
class ManualSite:
    """A scenario on disk, and how to start an httpd-like command on it."""

    root: Path
    arguments: tuple[str, ...]
    environment: dict[str, str]
    port: int
    trees: tuple[Tree, ...]


def fingerprint(debian: Path, port: int) -> str:
    """Return a name for everything that the recorded answers depend on: Apache's build, configuration and files."""
    digest = hashlib.blake2b(digest_size=12)
    digest.update(subprocess.run(["/usr/sbin/apache2", "-v"], capture_output=True, check=True).stdout)
    digest.update(f"{_NEGOTIATED}{_ODD_NAMES}{port}".encode())
    for path in sorted(p for p in debian.rglob("*") if p.is_file()):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    for tree in (MANUAL, ICONS):
        for path in sorted(tree.rglob("*")):
            facts = path.stat()
            digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\0{facts.st_mode}\n".encode())
    return digest.hexdigest()


def build(root: Path, *, debian: Path = DEBIAN, port: int = 80) -> ManualSite:
    """Lay the scenario out below `root` (reused when it is already complete) and return how to start it.

    When `debian` has the manual's configuration enabled (`a2enconf apache2-doc`) and the port is 80, that very folder
    is used. Otherwise a copy of it is: with the link that a2enconf makes, and for another port with the number
    changed in `Listen` and `<VirtualHost>`; all else stays byte for byte.
    """
    complete = root / "complete"
    if not complete.exists():
        shutil.rmtree(root, ignore_errors=True)
        _lay_out(root, debian, port)
        complete.touch()
    is_enabled = (debian / "conf-enabled" / "apache2-doc.conf").exists()
    conf = debian if port == 80 and is_enabled else root / "etc"
    return ManualSite(
        root=root,
        arguments=("-d", str(conf), "-f", "apache2.conf", "-c", f"Include {root}/negotiated.conf"),
        environment=_environment(root),
        port=port,
        trees=(
            Tree("/manual", MANUAL),
            Tree("/multiviews", root / "trees" / "multiviews", is_negotiated=True),
            Tree("/typemaps", root / "trees" / "typemaps", is_negotiated=True),
            Tree("/names", root / "trees" / "names"),
            Tree("/icons", ICONS),
        ),
    )


def _environment(root: Path) -> dict[str, str]:
    """Debian's envvars, with every folder that a server writes into moved below `root`."""
    return {
        "APACHE_RUN_USER": "www-data",
        "APACHE_RUN_GROUP": "www-data",
        "APACHE_PID_FILE": f"{root}/run/apache2.pid",
        "APACHE_RUN_DIR": f"{root}/run",
        "APACHE_LOCK_DIR": f"{root}/lock",
        "APACHE_LOG_DIR": f"{root}/log",
        "LANG": "C",
        "TZ": "UTC",
    }


def _lay_out(root: Path, debian: Path, port: int) -> None:
    for folder in ("run", "lock", "log", "trees"):
        (root / folder).mkdir(parents=True)
    root.chmod(0o755)
    _copy_configuration(debian, root / "etc", port)
    pages = list(_translated_pages())
    _lay_out_multiviews(root / "trees" / "multiviews", pages)
    _lay_out_typemaps(root / "trees" / "typemaps", pages)
    _lay_out_names(root / "trees" / "names")
    languages = "|".join(sorted({page.language for page in pages}))
    text = _NEGOTIATED.replace("{root}", str(root / "trees")).replace("{languages}", languages)
    (root / "negotiated.conf").write_text(text)


def _copy_configuration(debian: Path, copy: Path, port: int) -> None:
    shutil.copytree(debian, copy, symlinks=True)
    enabled = copy / "conf-enabled" / "apache2-doc.conf"
    if not enabled.exists():
        enabled.symlink_to("../conf-available/apache2-doc.conf")
    if port != 80:
        _replace(copy / "ports.conf", "Listen 80\n", f"Listen 127.0.0.1:{port}\n")
        _replace(copy / "sites-available" / "000-default.conf", "<VirtualHost *:80>", f"<VirtualHost *:{port}>")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ValueError(f"{path}: expected the line {old!r}")
    path.write_text(text.replace(old, new))


@dataclass(frozen=True, slots=True)
class _Page:
    """One translated page: where it is, its name without language, its language folder and its charset."""

    path: Path
    name: Path
    language: str
    charset: str

    @property
    def variant(self) -> str:
        return f"{self.name}.{self.language}.{_CHARSET_SUFFIX[self.charset]}"


def _translated_pages() -> Iterator[_Page]:
    """Yield the pages that exist in a language of their own; a link to the English page is no translation."""
    for folder in sorted(p for p in MANUAL.iterdir() if p.is_dir()):
        for path in sorted(folder.rglob("*.html")):
            if path.is_symlink() or folder.name in ("images", "style"):
                continue
            found = _CHARSET.search(path.read_bytes())
            charset = found[1].decode().upper() if found else "UTF-8"
            yield _Page(path, path.relative_to(folder), folder.name, charset)


def _lay_out_multiviews(root: Path, pages: list[_Page]) -> None:
    for page in pages:
        target = root / page.variant
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(page.path, target)
    for folder in ("images", "style"):
        shutil.copytree(MANUAL / folder, root / folder, symlinks=False)
    _settle(root)


def _lay_out_typemaps(root: Path, pages: list[_Page]) -> None:
    _lay_out_multiviews(root, pages)
    maps: dict[Path, list[str]] = {}
    for page in pages:
        tag = _LANGUAGE_TAG.get(page.language, page.language)
        record = f"URI: {Path(page.variant).name}\nContent-Language: {tag}\nContent-type: text/html; charset={page.charset}\n"
        maps.setdefault(page.name, []).append(record)
    for name, records in maps.items():
        (root / name).write_text("\n".join(records))
    _settle(root)


def _lay_out_names(root: Path) -> None:
    for number, name in enumerate(_ODD_NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "empty.txt" else f"{name}\n" * (1 + number * number))
        os.utime(path, (MTIME + number * 86_400, MTIME + number * 86_400))
    _settle(root)


def _settle(root: Path) -> None:
    """Give folders, and files made here, times of their own choosing; copies keep those of the manual."""
    for folder, _, names in os.walk(root, topdown=False):
        os.utime(folder, (MTIME, MTIME))
        for name in names:
            path = Path(folder, name)
            if root.name == "typemaps" and path.suffix == ".html":
                os.utime(path, (MTIME, MTIME))
