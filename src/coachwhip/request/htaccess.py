"""`.htaccess` files for the directory walk: found, read, parsed once, and parsed again when they have changed.

The look for each name, present or absent, goes through the recorded file layer, so a file that appears later is a change like any
other. What a file may say is decided by the `AllowOverride` in force, so that is part of the key under which its section is kept.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from coachwhip.api.core import CoreDir
from coachwhip.api.files import MISSING, REGULAR, Links, is_exhausted
from coachwhip.api.log import ModuleLog
from coachwhip.api.request import Request
from coachwhip.config.errors import ConfigError
from coachwhip.config.sections import Section
from coachwhip.request.files import RecordedFiles, is_settled_time

__all__ = ["HtaccessCache", "HtaccessError"]

LOG = ModuleLog("core")
LIMIT = 1 << 20
_FOLLOW = Links.FOLLOW
#: A file of more bytes is parsed on a worker thread: it takes some milliseconds.
ON_LOOP = 16 << 10

#: Parses the bytes of a `.htaccess`: (data, path, folder, settings in force) → section. Raises ConfigError.
Parse = Callable[[bytes, str, str, CoreDir], Section]


class HtaccessError(Exception):
    """The folder cannot be entered: unreadable file (403), a mistake in it (500), no descriptor left (503). Already logged."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class HtaccessCache:
    """Parsed `.htaccess` files by path, bounded."""

    def __init__(self, parse: Parse, limit: int = 10_000) -> None:
        self._parse = parse
        self._limit = limit
        self._kept: dict[tuple[str, Any, Any], tuple[Any, Section]] = {}

    def forget(self) -> None:
        """Read every file again when it is wanted."""
        self._kept.clear()

    def read(self, r: Request, folder: str, core: CoreDir) -> Section | None:
        """The section of this folder's `.htaccess`, or None. `folder` ends with a slash.

        Raises:
            HtaccessError: the request ends with its status.
        """
        files: RecordedFiles = r.files  # type: ignore[assignment]
        for name in r.server.core.access_file_names:
            path = folder + name
            looked = time.time()
            try:
                # The file itself may be a link, as for Apache; on the way to it the rules for links count.
                stat = files.look(path, _FOLLOW)
                if stat.kind is MISSING:
                    continue
                if stat.kind is not REGULAR:
                    raise PermissionError(errno.EACCES, "not a regular file", path)
                key = (path, core.override, core.override_list)
                seen = (stat.inode, stat.device, stat.mtime_ns, stat.ctime_ns, stat.size)
                kept = self._kept.get(key)
                if kept is not None and kept[0] == seen:
                    return kept[1]
                data = files.read(path, LIMIT, _FOLLOW)
                if len(data) > ON_LOOP:
                    r.engine.leave_loop(r)
            except OSError as error:
                if is_exhausted(error):
                    LOG.error(r, "", "too many open files to look for %s", path, error=error)
                    raise HtaccessError(503) from None
                LOG.crit(
                    r,
                    "AH00529",
                    "%s: cannot read it; make sure that it is readable and that '%s' is executable",
                    path,
                    folder,
                    error=error,
                )
                r.notes["error-notes"] = "The server could not read a file that says who may come here, and so lets nobody in."
                raise HtaccessError(403) from None
            try:
                section = self._parse(data, path, folder, core)
            except ConfigError as error:
                LOG.alert(r, "", "%s: %s", path, error.text)
                r.record.step("mistake", error.text, error.location or path)
                raise HtaccessError(500) from None
            if len(self._kept) >= self._limit:
                self._kept.clear()
            if is_settled_time(seen, looked):
                self._kept[key] = (seen, section)
            return section
        return None
