"""A log in a row of files: when the next one begins, what it is called, and what becomes of the one before.

Behind `coachwhip rotatelogs`, which reads the lines; knows no pipe and no clock of its own. Started with every piped log, so it
imports next to nothing. Source: Apache manual, "rotatelogs"; names, order and messages compared with 2.4.71.

Three things are otherwise than there. A line is never cut in two by a rotation. Where a file cannot be written, or the next one cannot
be opened, what was logged before stays (Apache's program empties the file at hand): lines are lost and counted, which is said once.
And a file larger than 2 GiB is no special case.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Rotation", "RotationFailed", "Rules"]

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY


class RotationFailed(Exception):
    """There is no file to write to; the text says why."""


class Rules:
    """What the command line asks for. Times in seconds, sizes in bytes; 0 is not asked for."""

    __slots__ = (
        "empty", "folders", "forced", "link", "local", "name", "numbers", "offset", "period", "program", "size", "truncate",
        "truncate_later", "verbose",
    )  # fmt: skip

    def __init__(self) -> None:
        #: The name of the files; a pattern for `strftime` if there is a `%` in it.
        self.name = ""
        self.period = 0
        self.size = 0
        #: Added to UTC; `local`: by the zone of this machine instead.
        self.offset = 0
        self.local = False
        #: How many files are written in turn, with numbers behind the name.
        self.numbers = 0
        #: One file, emptied instead of rotated; or only later ones emptied when they are opened.
        self.truncate = False
        self.truncate_later = False
        #: Open a file before there is anything to write; and one in every period.
        self.forced = False
        self.empty = False
        #: Make the folders on the way.
        self.folders = False
        #: A second name for the file at hand, and a program that is told of each new one.
        self.link = ""
        self.program = ""
        self.verbose = False

    @property
    def is_pattern(self) -> bool:
        """Whether the name is a pattern for `strftime`."""
        return "%" in self.name


class Rotation:
    """The files of one log."""

    def __init__(self, rules: Rules, now: Callable[[], float], say: Callable[[str], None]) -> None:
        """`now`: the wall clock. `say` gets messages, one line each."""
        self._rules = rules
        self._now = now
        self._say = say
        self._fd = -1
        self._path = ""
        self._number = 0
        #: When the period of the file at hand ends, on the clock that rotation goes by.
        self._end = 0
        self._opened_before = False
        self._in_line = False
        #: Lines that could not be written, and the next file that could not be opened.
        self._lost = 0
        self._refused = ""

    def open(self) -> None:
        """Open the first file now.

        Raises:
            RotationFailed: it cannot be opened.
        """
        self._open_next()

    def write(self, data: bytes) -> None:
        """Write what was read, into the file whose turn it is.

        Raises:
            RotationFailed: not even a first file can be opened.
        """
        if self._in_line and self._reason():
            end = data.find(b"\n") + 1 or len(data)
            self._put(data[:end])
            data = data[end:]
        if data:
            self.turn()
            self._put(data)

    def turn(self) -> None:
        """Begin the next file if it is time. Raises as `write`."""
        reason = self._reason()
        if reason:
            self._tell(f"File rotation needed, reason: {reason}")
            is_first = self._fd < 0
            self._open_next()
            if is_first and self._rules.numbers and self._reason():
                # A numbered row begins again with its first name; if that file is full already, the next one takes its place.
                self.turn()

    def seconds_left(self) -> int:
        """Until the period ends."""
        return self._end - self._clock() if self._end else self._rules.period

    # -- when

    def _clock(self) -> int:
        """Seconds of the clock that rotation goes by."""
        now = self._now()
        return int(now // 1) + (time.localtime(now).tm_gmtoff if self._rules.local else self._rules.offset)

    def _reason(self) -> str:
        """Why the next file has to begin; "" if it has not."""
        if self._fd < 0:
            return "Open a new file"
        if self._rules.size and os.fstat(self._fd).st_size > self._rules.size:
            return "Maximum size reached"
        if self._rules.period and self._clock() >= self._end:
            return "Time interval expired"
        return ""

    # -- what

    def _open_next(self) -> None:
        rules, clock = self._rules, self._clock()
        start = clock // rules.period * rules.period if rules.period else clock
        number = (self._number + 1) % rules.numbers if rules.numbers and self._opened_before else 0
        path = self._name(start, clock, number)
        try:
            fd = self._open(path)
        except OSError as error:
            if self._fd < 0:
                raise RotationFailed(f"Could not open log file '{path}' ({error.strerror})") from error
            self._refuse(path, error)
            return
        self._refused = ""
        old_fd, old_path = self._fd, self._path
        self._fd, self._path, self._number, self._end = fd, path, number, start + rules.period if rules.period else 0
        self._opened_before, self._in_line = True, False
        self._make_known(old_path)
        if old_fd >= 0:
            self._tell(f"Closing file {old_path}")
            os.close(old_fd)

    def _name(self, start: int, clock: int, number: int) -> str:
        rules = self._rules
        if rules.is_pattern:
            if rules.local:
                now = self._now()
                return time.strftime(rules.name, time.localtime(start - time.localtime(now).tm_gmtoff))
            return time.strftime(rules.name, time.gmtime(start))
        if rules.truncate or (rules.numbers and not number):
            return rules.name
        return f"{rules.name}.{number}" if rules.numbers else f"{rules.name}.{start:010d}"

    def _open(self, path: str) -> int:
        rules = self._rules
        folder = os.path.dirname(path)
        if rules.folders and folder:
            if not os.path.isdir(folder):
                self._tell(f"Creating directory tree {folder}")
            os.makedirs(folder, exist_ok=True)
        self._tell(f"Opening file {path}")
        is_emptied = rules.truncate or (self._opened_before and (rules.truncate_later or rules.numbers))
        fd = os.open(path, _OPEN, 0o644)
        if is_emptied:
            os.ftruncate(fd, 0)
        return fd

    def _make_known(self, old_path: str) -> None:
        """By a second name, and to a program."""
        rules = self._rules
        if rules.link:
            self._tell(f"Linking {self._path} to {rules.link}")
            try:
                if os.path.lexists(rules.link):
                    os.unlink(rules.link)
                os.link(self._path, rules.link)
            except OSError as error:
                raise RotationFailed(f"Error linking file {self._path} to {rules.link} ({error.strerror})") from error
        if rules.program:
            self._tell(f"Calling post-rotate program: {rules.program}")
            self._run(rules.program, old_path)

    def _run(self, program: str, old_path: str) -> None:
        """Start it, with the new file and the one before as its arguments, and do not wait."""
        words = [program, self._path, old_path] if old_path else [program, self._path]
        try:
            os.posix_spawn(program, words, os.environ)
        except OSError as error:
            self._say(f"Could not spawn post-rotate process '{program}': {error.strerror}")

    # -- writing

    def _put(self, data: bytes) -> None:
        try:
            left = data
            while left:
                left = left[os.write(self._fd, left) :]
            self._in_line = not data.endswith(b"\n")
        except OSError as error:
            if not self._lost:
                self._say(f"Error {error.errno} writing to log file {self._path} ({error.strerror}); messages are lost")
            self._lost += left.count(b"\n")
            return
        if self._lost:
            self._say(f"{self._lost} messages were lost; log file {self._path} takes them again")
            self._lost = 0

    def _refuse(self, path: str, error: OSError) -> None:
        """The next file cannot be opened: the one at hand goes on, which is said once."""
        if path != self._refused:
            self._say(f"Could not open log file '{path}' ({error.strerror}); going on with '{self._path}'")
        self._refused = path

    def _tell(self, message: str) -> None:
        if self._rules.verbose:
            self._say(message)
