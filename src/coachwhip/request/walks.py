"""The walks: which sections apply to a request, in Apache's merge order.

`<Directory>` and `.htaccess` from the root down, then `<DirectoryMatch>`, then `<Files>`, then `<Location>`, then `<If>`. Each walk
extends `r.sections`; the folded settings follow from that tuple alone. Source: Apache manual, "Configuration Sections".
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.api.core import UNSAID
from coachwhip.api.files import DIRECTORY, MISSING, REGULAR, FileKind, FileStat, Links, is_exhausted
from coachwhip.api.log import ModuleLog
from coachwhip.api.outcome import OK, Result
from coachwhip.api.request import Request
from coachwhip.api.server import Server
from coachwhip.config.folding import Folded, Folder
from coachwhip.config.sections import Section, SectionKind, ServerSections
from coachwhip.expr import EvaluationError
from coachwhip.request.files import RecordedFiles
from coachwhip.request.htaccess import HtaccessError
from coachwhip.request.reach import LinkRefused
from coachwhip.util.paths import fnmatch

if TYPE_CHECKING:
    from coachwhip.request.pipeline import Pipeline

__all__ = ["Plan", "Walks"]

LOG = ModuleLog("core")


#: Folders whose sections are known from the last walk into them.
MAX_FOLDERS = 4096


class Plan:
    """The sections of one server as the walks need them, found out once."""

    __slots__ = ("base", "folders", "has_url_sections", "locations", "regexes", "settings")

    def __init__(self, sections: ServerSections, folder: Folder) -> None:
        self.base = sections.base
        self.settings = folder.fold(self.base)
        #: `<Directory>` with the number of its path components, by which they are sorted; then `<DirectoryMatch>`.
        self.folders = [(_components(s), s) for s in sections.directories if s.regex is None]
        self.regexes = [s for s in sections.directories if s.regex is not None]
        self.locations = sections.locations
        #: Something may be said about a URL before there is a file.
        self.has_url_sections = bool(sections.locations or self.settings.inner.ifs)


@dataclass(frozen=True, slots=True)
class _Entered:
    """How a walk stood when it had entered a folder."""

    #: The sections so far, what they fold to, the number of the next `<Directory>`, and the rules for links.
    sections: tuple[Section, ...]
    settings: Folded
    next: int
    links: dict[str, Links]
    #: No more sections can come of what stands in the folder, unless that is another folder.
    is_last: bool


class _Plans(dict[Server, Plan]):
    """Made when they are first asked for."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def __missing__(self, server: Server) -> Plan:
        plan = self[server] = Plan(server.sections, self._folder)
        return plan


class Walks:
    """The four walks over one configuration."""

    __slots__ = ("_pipeline", "entered", "plan_of")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        #: What a server says.
        self.plan_of: Callable[[Server], Plan] = _Plans(pipeline.folder).__getitem__
        #: (sections before the walk, folder) → how it stands there, for folders on the way to which nothing had to be looked at.
        self.entered: dict[tuple[tuple[Section, ...], str], _Entered] = {}

    def apply(self, r: Request, sections: tuple[Section, ...]) -> None:
        """Make these the request's sections."""
        r.sections = sections
        r.use(self._pipeline.folder.fold(sections))

    def walk_url(self, r: Request, plan: Plan) -> None:
        """From the start: `<Location>`, then `<If>`; all that can be known before there is a file."""
        if r.sections is not plan.base:
            self.reset(r, plan)
        if plan.has_url_sections:
            self.walk_locations(r)
            self.walk_ifs(r)

    def reset(self, r: Request, plan: Plan) -> None:
        """Back to what the request's server says for everything; that is its `plan`."""
        r.sections = plan.base
        r.use(plan.settings)

    def walk_directories(self, r: Request) -> Result:
        """`<Directory>`, `.htaccess`, `<DirectoryMatch>`; splits `r.filename` into file and `path_info`, sets `r.finfo`."""
        path = r.filename
        if path and self._arrive_at_once(r, path):
            return OK
        if path is None:
            LOG.error(r, "AH00029", "Request filename is missing for URI %s", r.uri)
            return 500
        if path[:1] != "/":
            LOG.error(r, "AH00030", "Request filename path %s is invalid or not absolute for uri %s", path, r.uri)
            return 403
        return _DirectoryWalk(self._pipeline, self, r).run()

    def _arrive_at_once(self, r: Request, path: str) -> bool:
        """The walk to a file in a folder, or to a folder, that was entered before; False if this is no such walk.

        Costs a look-up and a `stat`. Only what stands at the end of the path is not known by then.
        """
        folder = path if path[-1] == "/" else path[: path.rfind("/") + 1]
        entered = self.entered.get((r.sections, folder))
        if entered is None or not entered.is_last or r.record.steps is not None or r.finfo.kind is not MISSING:
            return False
        files: RecordedFiles = r.files  # type: ignore[assignment]
        files.links = entered.links
        try:
            found = files.stat(path)
        except OSError:
            return False
        if found.kind is not (DIRECTORY if folder is path else REGULAR):
            return False
        r.finfo = found
        r.sections = entered.sections
        r.use(entered.settings)
        return True

    def walk_files(self, r: Request) -> None:
        """`<Files>` and `<FilesMatch>`, wherever they stand, against the last part of the path."""
        among = r.dir_settings.inner.files
        if not among:
            return
        name = (r.filename or "").rpartition("/")[2]
        found = [section for section in among if _matches_name(r, section, name)]
        if found:
            for section in found:
                r.record.step("section", str(section), section.location)
            self.apply(r, (*r.sections, *found))

    def speaks_of(self, r: Request, name: str) -> bool:
        """Whether a `<Files>` section, among those of the folder of `r`, is for this name."""
        return any(_fits_name(section, name) for section in r.dir_settings.inner.files)

    def is_told_by_folder(self, sub: Request) -> bool:
        """Whether the sections of this sub-request are those of its main request's folder, and hold for all names there."""
        main = sub.main
        conf = sub.core
        return (
            main is not None
            and sub.sections == main.sections
            and not self.plan_of(sub.server).regexes
            and not sub.dir_settings.inner.ifs
            and isinstance(conf.force_type, str | None)
            and isinstance(conf.set_handler, str | None)
        )

    def walk_locations(self, r: Request) -> None:
        """`<Location>` and `<LocationMatch>` against the URL path, laid over what was merged so far."""
        among = self.plan_of(r.server).locations
        if not among:
            return
        path = _merged(r.uri)
        found = [section for section in among if _matches_location(r, section, path)]
        if found:
            for section in found:
                r.record.step("section", str(section), section.location)
            self.apply(r, (*r.sections, *found))

    def walk_ifs(self, r: Request) -> None:
        """`<If>`, `<ElseIf>` and `<Else>` of all merged sections, those nested in a true one included."""
        waiting = r.dir_settings.inner.ifs
        if not waiting:
            return
        found: list[Section] = []
        self._choose_ifs(r, waiting, found)
        if found:
            self.apply(r, (*r.sections, *found))

    def _choose_ifs(self, r: Request, waiting: Iterable[Section], found: list[Section]) -> None:
        was_true = False
        for section in waiting:
            if section.kind is SectionKind.IF:
                was_true = False
            elif was_true:
                continue
            if _holds(r, section):
                was_true = True
                r.record.step("section", str(section), section.location)
                found.append(section)
                self._choose_ifs(r, section.ifs, found)


def _holds(r: Request, section: Section) -> bool:
    """Whether the condition of an `<If>` is true; one that cannot be evaluated is not."""
    if section.condition is None:
        return True
    try:
        return section.condition.test(r.expr_scope())
    except EvaluationError as error:
        LOG.error(r, "AH00865", "Failed to evaluate <If > condition: %s", error)
        return False


def _matches_regex(r: Request, section: Section, text: str) -> bool:
    if section.regex is None:
        return False
    found = section.regex.match(text)
    if found is None:
        return False
    for name, value in found.named().items():
        r.env[f"MATCH_{name.upper()}"] = value
    return True


def _matches_name(r: Request, section: Section, name: str) -> bool:
    if section.regex is not None:
        return _matches_regex(r, section, name)
    if section.is_glob:
        return fnmatch(section.pattern, name, pathname=True)
    return section.pattern == name


def _fits_name(section: Section, name: str) -> bool:
    """As `_matches_name`, without a word to anybody."""
    if section.regex is not None:
        return section.regex.match(name) is not None
    return fnmatch(section.pattern, name, pathname=True) if section.is_glob else section.pattern == name


def _matches_location(r: Request, section: Section, path: str) -> bool:
    """`path` is that of the URL, runs of slashes taken for one; a regular expression sees it as it came."""
    if section.regex is not None:
        return _matches_regex(r, section, r.uri)
    if section.is_glob:
        return fnmatch(section.pattern, path, pathname=True)
    pattern = section.pattern
    if not path.startswith(pattern):
        return False
    return pattern.endswith("/") or len(path) == len(pattern) or path[len(pattern)] == "/"


def _merged(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path


_FOLDER = FileStat(DIRECTORY)


class _DirectoryWalk:
    """One walk from the root to a file."""

    __slots__ = (
        "_at", "_base", "_core", "_files", "_is_pure", "_listed", "_next", "_pipeline", "_plan", "_r", "_sections", "_settings", "_walks",
    )  # fmt: skip

    def __init__(self, pipeline: Pipeline, walks: Walks, r: Request) -> None:
        self._pipeline = pipeline
        self._walks = walks
        self._r = r
        self._plan = walks.plan_of(r.server)
        self._files: RecordedFiles = r.files  # type: ignore[assignment]
        self._base = self._sections = r.sections
        #: Number of the next `<Directory>` to be judged; they are sorted by depth.
        self._next = 0
        self._at = "/"
        self._settings: Folded = r.dir_settings  # type: ignore[assignment]
        self._core = r.core
        self._files.links = {}
        self._files.restrict("/", self._core.options.links)
        #: What stands at the end of the path, as a listing of the folder before it saw it.
        self._listed: FileStat | None = None
        #: So far the way depends on the configuration alone, not on what is in the folders.
        self._is_pure = r.record.steps is None

    def _settle(self) -> None:
        """Sections were added for the folder that the walk has come to: what they say counts from here on."""
        self._settings = self._pipeline.folder.fold(self._sections)
        self._core = self._settings.core
        self._files.restrict(self._at, self._core.options.links)

    def run(self) -> Result:
        path = _merged(self._r.filename or "/")
        if self._r.finfo.kind is MISSING:
            final = None if self._files.links else self._stat_final(path)
        else:
            final = self._listed = self._r.finfo
        if isinstance(final, int):
            return final
        if not self._resume(path, final):
            answer = self._enter()
            if answer is not OK:
                return answer
        return self._go_on(path, final)

    def _go_on(self, path: str, final: FileStat | None) -> Result:
        """Step by step through what is left of the path."""
        segments = [s for s in path[len(self._at) :].split("/") if s]
        stat = _FOLDER if segments or final is None else final
        count = 0
        for count, segment in enumerate(segments, 1):
            here = self._at + segment
            if final is not None and count == len(segments) and (self._listed or not self._files.links):
                stat = final
            elif final is not None and not self._files.links:
                # What stands at the end of the path is known, so what comes before it are folders.
                stat = _FOLDER
            else:
                found = self._look(here)
                if isinstance(found, int):
                    return found
                stat = found
            if stat.kind is not DIRECTORY:
                self._remember()
                self._at = here
                break
            self._at = here + "/"
            answer = self._enter()
            if answer is not OK:
                return answer
        else:
            self._remember()
        return self._arrive(stat, segments[count:], path.endswith("/"))

    def _resume(self, path: str, final: FileStat | None) -> bool:
        """Begin in the last folder of the path if it is known what a walk into it comes to, and that it is there."""
        folder = path[: path.rindex("/") + 1]
        key = (self._base, folder)
        entered = self._walks.entered.get(key) if self._is_pure and not self._files.links else None
        if entered is not None and final is None and not self._is_there(folder):
            return False
        main = self._r.main
        if entered is None and main is not None and folder != path:
            entered = main.walked.get(key)
            # What its `.htaccess` files say holds for this request; the next one has to look again.
            self._is_pure = self._is_pure and entered is None
        if entered is None:
            return False
        self._at, self._next, self._sections, self._settings = folder, entered.next, entered.sections, entered.settings
        self._core = self._settings.core
        self._files.links = entered.links
        return True

    def _is_there(self, folder: str) -> bool:
        try:
            return self._files.stat(folder).kind is DIRECTORY
        except OSError:
            return False

    def _remember(self) -> None:
        """The folder that was entered last: for the names beside this one, or for all requests to come."""
        if self._is_pure and not self._files.links:
            known = self._walks.entered
        elif self._r.main is not None:
            known = self._r.main.walked
        else:
            return
        key = (self._base, self._at)
        if key not in known:
            if len(known) >= MAX_FOLDERS:
                known.clear()
            known[key] = _Entered(self._sections, self._settings, self._next, self._files.links, not self._plan.regexes)

    def _stat_final(self, path: str) -> FileStat | int | None:
        """The whole path at once: with links allowed all the way down, one look is enough for existing files."""
        try:
            found = self._files.stat(path)
        except OSError as error:
            if error.errno == errno.EACCES:
                return None
            if error.errno == errno.ENAMETOOLONG:
                LOG.error(self._r, "AH00036", "access to %s failed (filesystem path '%s')", self._r.uri, path, error=error)
                return 403
            return None
        return None if found.kind is MISSING else found

    def _look(self, path: str) -> FileStat | int:
        """What stands at `path`, links judged by `Options`."""
        r = self._r
        try:
            found = self._files.look(path)
            if found.kind is not FileKind.LINK and (found.kind is not MISSING or not self._leads_nowhere(path)):
                return found
        except LinkRefused:
            pass
        except OSError as error:
            return self._failed(path, error)
        LOG.error(r, "AH00037", "Symbolic link not allowed or link target not accessible: %s", path)
        return 403

    def _leads_nowhere(self, path: str) -> bool:
        """Whether what was not found is a link all the same; where links are judged one by one, that is known already."""
        return not self._files.links and self._files.lstat(path).kind is FileKind.LINK

    def _failed(self, path: str, error: OSError) -> int:
        r = self._r
        if is_exhausted(error):
            LOG.error(r, "", "too many open files to look at %s", path, error=error)
            return 503
        if error.errno == errno.EACCES:
            LOG.error(
                r,
                "AH00035",
                "access to %s denied (filesystem path '%s') because search permissions are missing on a component of the path",
                r.uri,
                path,
                error=error,
            )
        else:
            LOG.error(r, "AH00036", "access to %s failed (filesystem path '%s')", r.uri, path, error=error)
        return 403

    def _enter(self) -> Result:
        """Sections and `.htaccess` of the folder that the walk has come to."""
        folder = self._at
        depth = folder.count("/")
        folders = self._plan.folders
        before = self._sections
        while self._next < len(folders):
            components, section = folders[self._next]
            if components > depth:
                break
            self._next += 1
            if _is_folder(section, folder):
                self._r.record.step("section", str(section), section.location)
                self._sections += (section,)
        if self._sections is not before:
            self._settle()
        override = self._core.override
        if not override.classes and not self._core.override_list and override is not UNSAID:
            return OK
        self._is_pure = False
        try:
            found = self._pipeline.htaccess.read(self._r, folder, self._core)
        except HtaccessError as error:
            return error.status
        if found is not None:
            self._r.record.step("section", found.location.file, found.location)
            self._sections += (found,)
            self._settle()
        return OK

    def _arrive(self, stat: FileStat, rest: list[str], slash: bool) -> Result:
        r = self._r
        kind = stat.kind
        r.filename = self._at
        if kind is DIRECTORY:
            if not slash and len(self._at) > 1:
                r.filename = self._at[:-1]
        else:
            r.path_info = "".join(f"/{segment}" for segment in rest)
            if slash and (rest or kind is not MISSING):
                r.path_info += "/"
        if kind is FileKind.OTHER:
            LOG.error(r, "AH00038", "Forbidden: %s doesn't point to a file or directory", r.filename)
            return 403
        r.finfo = stat
        if self._plan.regexes:
            self._match_regexes()
        self._walks.apply(r, self._sections)
        return OK

    def _match_regexes(self) -> None:
        r = self._r
        path = r.filename or "/"
        if r.finfo.kind is DIRECTORY and not path.endswith("/"):
            path += "/"
        for section in self._plan.regexes:
            if _matches_regex(r, section, path):
                r.record.step("section", str(section), section.location)
                self._sections += (section,)


def _components(section: Section) -> int:
    """Number of the slash that the section's folder ends with: 1 for "/", 2 for "/a"."""
    pattern = section.pattern
    return 1 if pattern == "/" else pattern.rstrip("/").count("/") + 1


def _is_folder(section: Section, folder: str) -> bool:
    pattern = section.pattern
    here = folder if folder == "/" else folder[:-1]
    if section.is_glob:
        return fnmatch(pattern, here, pathname=True) or fnmatch(pattern, folder, pathname=True)
    return (pattern.rstrip("/") or "/") == here
