"""What a start says before there is an error log: to stderr, or to the file of `-E`; filtered by the level of `-e`.

Two shapes, Apache's: errors and notes of the command as they are, warnings about the configuration as lines of a log.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import Protocol

__all__ = ["Messages"]

#: Module and level of warnings that are not core's own warnings.
_ABOUT = {
    "AH00547": ("core", "error"),
    "AH01574": ("so", "warn"),
    "AH02803": ("macro", "warn"),
    "AH02805": ("macro", "warn"),
    "AH02796": ("macro", "warn"),
    "AH02797": ("macro", "warn"),
    "AH02798": ("macro", "warn"),
    "AH02799": ("macro", "warn"),
    "AH02800": ("macro", "warn"),
    "AH02802": ("macro", "warn"),
}


#: Said without the head of a log line.
_PLAIN = frozenset(("AH00112",))


class _Warning(Protocol):
    @property
    def log_id(self) -> str: ...


class _Levels(Protocol):
    def show_level(self, level: str) -> bool: ...


class Messages:
    """Where the messages of one start go."""

    def __init__(self, flags: _Levels, file: str | None) -> None:
        """`file` is written to from its end, as an absolute path; None is stderr."""
        self._flags = flags
        self._file = None
        if file is None:
            return
        try:
            self._file = open(file, "a", encoding="utf-8", errors="surrogateescape", buffering=1)  # noqa: SIM115 -- kept
        except OSError as error:
            self.say(f"({error.errno}){error.strerror}: AH00086: httpd: could not open error log file {file}.")

    def say(self, text: str) -> None:
        """A message as it stands."""
        print(text, file=self._file or sys.stderr, flush=True)

    def warn(self, warnings: Iterable[_Warning]) -> None:
        """Warnings of reading a configuration, as log lines."""
        for warning in warnings:
            module, level = _ABOUT.get(warning.log_id, ("core", "warn"))
            self.log(module, level, str(warning), is_plain=warning.log_id in _PLAIN)

    def log(self, module: str, level: str, text: str, *, is_plain: bool = False) -> None:
        """One log line, if `-e` lets it through; `is_plain`: without its head."""
        if not self._flags.show_level(level):
            return
        if is_plain:
            self.say(text)
            return
        now = time.time()
        stamp = time.strftime("%a %b %d %H:%M:%S", time.localtime(now)) + f".{int(now % 1 * 1e6):06d} " + time.strftime("%Y")
        self.say(f"[{stamp}] [{module}:{level}] [pid {os.getpid()}:tid {threading.get_native_id()}] {text}")
