"""mod_autoindex -- a folder without an index file, as a page that lists what is in it.

Runs as a handler, for folders that mod_dir left as they are. Each name is looked up as a sub-request (files that are alike share
one), so that the list shows what the client could get: what is refused or is neither file nor folder stays out. Directives and
settings are in `directives`, the searching of icon lists in `matching`, the order of entries in `listing`, the HTML in `render`;
those four are pure. Source: Apache manual, mod_autoindex.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from coachwhip.api import Data, DirEntry, End, FileKind, Module, Options, Outcome, Request, Result, Stream, is_exhausted, phases
from coachwhip.modules.generators.mod_autoindex.amble import foot, write_head
from coachwhip.modules.generators.mod_autoindex.directives import DIRECTIVES
from coachwhip.modules.generators.mod_autoindex.listing import Entry, View, ordered, view_of
from coachwhip.modules.generators.mod_autoindex.matching import (
    BLANK_ICON,
    DIRECTORY,
    IgnoreFilter,
    ItemFinder,
    find_description,
)
from coachwhip.modules.generators.mod_autoindex.render import octets, render
from coachwhip.modules.generators.mod_autoindex.settings import AutoindexDir, IndexOption
from coachwhip.modules.generators.mod_autoindex.titles import find_title
from coachwhip.util.escapes import escape_html
from coachwhip.util.wildcards import fnmatch

MODULE = Module("autoindex_module", "mod_autoindex.c", DIRECTIVES, dir_config=AutoindexDir, replayable=True)
LOG = MODULE.log

FOLDER_HANDLER = "httpd/unix-directory"
#: A folder with more names than this is listed on a worker thread, so that other connections need not wait for it.
MANY = 500
_DETAILED = IndexOption.FANCY_INDEXING | IndexOption.HTML_TABLE


@MODULE.hook(phases.handler, handlers=(FOLDER_HANDLER,))
def list_folder(r: Request) -> Result:
    """Answer for a folder, if `Options Indexes` allows it."""
    if r.filename is None:
        return Outcome.DECLINED
    r.allowed.add("GET")
    if r.method not in ("GET", "HEAD"):
        return Outcome.DECLINED
    if not r.core.options.value & Options.INDEXES:
        LOG.error(
            r,
            "AH01276",
            "Cannot serve directory %s: No matching DirectoryIndex (%s) found, and server-generated directory index "
            "forbidden by Options directive",
            r.filename,
            r.notes.get("dir-index-names", "none"),
        )
        return 403
    if not r.filename.endswith("/"):
        r.filename += "/"
    return _answer(r, r.config(AutoindexDir))


def _answer(r: Request, conf: AutoindexDir) -> Result:
    folder = str(r.filename)
    view = view_of(conf, r.args)
    collector = _Collector(r, conf, view, folder)
    try:
        is_large = r.files.holds_more(folder, MANY)
        if is_large and not r.header_only:
            r.engine.leave_loop(r)
        with r.files.scan(folder) as listed:
            entries = [] if r.header_only else ordered(collector.entries(listed), view)
    except OSError as error:
        LOG.error(r, "AH01275", "Can't open directory for index: %s", folder, error=error)
        return 503 if is_exhausted(error) else 403
    charset = "ISO-8859-1" if conf.charset is None else conf.charset
    content_type = conf.content_type or "text/html"
    r.set_content_type(f"{content_type};charset={charset}" if charset else content_type)
    if conf.options.value & IndexOption.TRACK_MODIFIED:
        r.set_last_modified(r.finfo.mtime_ns)
        r.engine.set_validators(r, r.core.file_etag.value)
    if r.header_only:
        r.send(End())
        return Outcome.OK
    title = escape_html(octets(r.uri.rstrip("/") or "/"))
    head = write_head(r, conf, view.options, title)
    lines = render(conf, view, entries, collector.icons.find_special(BLANK_ICON))
    readme, tail = foot(r, conf, view.options)
    pieces = _pieces(head, lines, tail if readme is None else b"")
    if is_large:
        # Written here, on the worker thread, and not while it is sent.
        pieces = iter(list(pieces))
    if readme is None:
        _send(r, pieces)
    else:
        r.send(Stream(pieces))
        r.engine.run(readme)
        r.send(Stream(iter((tail,))))
    r.send(End())
    return Outcome.OK


#: A page of more bytes than this goes out in several brigades, and so without a Content-Length.
_PIECE = 8000


def _pieces(head: bytes, lines: Iterator[str], tail: bytes) -> Iterator[bytes]:
    """The page in pieces of just over `_PIECE` bytes."""
    kept, size = [head], len(head)
    for line in lines:
        kept.append(line.encode("latin-1"))
        size += len(kept[-1])
        if size > _PIECE:
            yield b"".join(kept)
            kept, size = [], 0
    kept.append(tail)
    yield b"".join(kept)


def _send(r: Request, pieces: Iterator[bytes]) -> None:
    """One piece goes out as a whole, more as they are made."""
    first, second = next(pieces), next(pieces, None)
    if second is None and not r.output and len(first) <= _PIECE:
        r.send(Data(first))
    else:
        r.send(Stream(chain((first, second or b""), pieces)))


class _Collector:
    """Turns the names in a folder into entries."""

    def __init__(self, r: Request, conf: AutoindexDir, view: View, folder: str) -> None:
        self._r = r
        self._conf = conf
        self._view = view
        self._folder = folder
        self._is_detailed = bool(view.options & _DETAILED)
        self._folders_first = bool(view.options & IndexOption.FOLDERS_FIRST)
        self._scans_titles = bool(view.options & IndexOption.SCAN_HTML_TITLES)
        self._ignored = IgnoreFilter(conf.ignored.names, folder)
        self.icons = ItemFinder(conf.icons, folder)
        self._alts = ItemFinder(conf.alts, folder)
        self._folder_icon = self.icons.find_special(DIRECTORY)
        self._folder_alt = self._alts.find_special(DIRECTORY)

    def entries(self, listed: Iterator[DirEntry]) -> Iterator[Entry]:
        """The entry that leads up, then one for each name that may be shown."""
        if (parent := self._parent()) is not None:
            yield parent
        pattern = self._view.pattern
        wanted = (one for one in listed if (pattern is None or _fits(pattern, one.name)) and one.name not in self._ignored)
        for one, found in self._r.lookup_entries(self._folder, wanted):
            if (entry := self._entry(one.name, found)) is not None:
                yield entry

    def _parent(self) -> Entry | None:
        above = self._r.uri.rstrip("/").rpartition("/")[0] + "/"
        if ".." in self._ignored or not self._r.uri.rstrip("/"):
            return None
        entry = Entry(octets(above))
        if self._view.options & IndexOption.FANCY_INDEXING:
            path = self._folder + ".."
            entry.icon = self.icons.find(path, path_only=True) or self._folder_icon
            entry.alt = self._alts.find(path, path_only=True) or self._folder_alt or "PARENTDIR"
            entry.description = find_description(self._conf.descriptions, path)
        return entry

    def _entry(self, name: str, found: Request) -> Entry | None:
        kind = found.finfo.kind
        if kind not in (FileKind.REGULAR, FileKind.DIRECTORY) or not self._may_show(found.status):
            return None
        is_folder = kind is FileKind.DIRECTORY
        entry = Entry(octets(name) + ("/" if is_folder else ""), is_directory=is_folder)
        if self._is_detailed:
            self._describe(entry, found, self._folder + name)
        return entry

    def _may_show(self, status: int) -> bool:
        if status < 400:
            return True
        return status in (401, 403) and bool(self._view.options & IndexOption.SHOW_FORBIDDEN)

    def _describe(self, entry: Entry, found: Request, path: str) -> None:
        entry.modified = found.finfo.mtime_ns / 1e9
        if entry.is_directory:
            entry.goes_first = self._folders_first
            entry.icon = self.icons.find(path, path_only=True) or self._folder_icon
            entry.alt = self._alts.find(path, path_only=True) or self._folder_alt or "DIR"
        else:
            content_type = found.content_type.partition(";")[0].rstrip(" \t") if found.content_type else None
            encoding = ", ".join(found.content_encodings) or None
            entry.icon = self.icons.find(path, content_type, encoding, path_only=False)
            entry.alt = self._alts.find(path, content_type, encoding, path_only=False)
            entry.size = found.finfo.size
        entry.description = find_description(self._conf.descriptions, path)
        if entry.description is None and self._scans_titles:
            entry.description = find_title(found)


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is one of those that the client wants to see."""
    return fnmatch(pattern.encode("latin-1"), octets(name).encode("latin-1"), period=True)
